//! The whole life of a payment and of a refund over real sockets, in every key mode.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use trade_alipay::{Alipay, AlipayConfig, VerifyKeys};
use trade_core::{
    Amount, EnterpriseId, ErrorKind, RefundNo, Secret, Timestamp, TradingOrderNo,
    handler::{
        CloseOutcome, PayHandler, PaymentStatus, PlaceRequest, RefundQuery, RefundRequest, RefundStatus,
    },
    memory::ManualClock,
};
use trade_sandbox::{AlipayKeyMode, Channel, Sandbox, SandboxConfig, SandboxKeys};

struct Bank {
    sandbox: Sandbox,
    alipay: Alipay,
}

fn keys() -> &'static SandboxKeys {
    static KEYS: OnceLock<SandboxKeys> = OnceLock::new();
    KEYS.get_or_init(|| SandboxKeys::generate(Some(11)).unwrap())
}

async fn bank(mode: AlipayKeyMode, encrypted: bool) -> Bank {
    let mut config = SandboxConfig {
        frozen_clock: true,
        ..SandboxConfig::default()
    };
    config.alipay.key_mode = mode;
    config.alipay.encrypted = encrypted;
    let sandbox = Sandbox::start_with_keys(config, keys()).await.unwrap();
    let kit = sandbox.merchant().alipay;
    let keys = match mode {
        AlipayKeyMode::Key => VerifyKeys::public_key(kit.alipay_public_key),
        AlipayKeyMode::Cert => VerifyKeys::certificates(
            kit.app_certificate_pem,
            kit.alipay_certificate_pem,
            kit.alipay_root_certificates_pem,
        ),
    };
    let enterprise = EnterpriseId::new(1001).unwrap();
    let notify_url = "http://127.0.0.1:9/notify";
    let mut config = AlipayConfig::new(
        enterprise,
        kit.app_id,
        Secret::new(kit.app_private_key),
        keys,
        notify_url,
    );
    config.seller_id = Some(kit.seller_id);
    config.gateway_url = kit.gateway_url;
    config.encrypt_key = encrypted.then(|| Secret::new(kit.encrypt_key));
    config.clock = Arc::new(ManualClock::new(Timestamp::from_ms(sandbox.now_ms())));
    Bank {
        sandbox,
        alipay: Alipay::new(config).unwrap(),
    }
}

impl Bank {
    async fn place(&self, number: i64) -> TradingOrderNo {
        let number = TradingOrderNo::new(number).unwrap();
        let content = self.alipay.prepare_place(&self.request(number, 1990)).unwrap();
        let placed = self.alipay.place(&content).await.unwrap();
        assert_eq!(
            self.alipay.place(&content).await.unwrap().code_url,
            placed.code_url,
            "a repeat is the same order"
        );
        number
    }

    fn request(&self, number: TradingOrderNo, fen: i64) -> PlaceRequest {
        let expires_at = Timestamp::from_ms(self.sandbox.now_ms()).plus(Duration::from_secs(1200));
        PlaceRequest {
            trading_order_no: number,
            amount: Amount::new(fen).unwrap(),
            memo: "日常保洁".into(),
            expires_at,
        }
    }

    async fn refund(
        &self,
        trading: TradingOrderNo,
        number: i64,
        fen: i64,
    ) -> Result<RefundStatus, ErrorKind> {
        let request = RefundRequest {
            refund_no: RefundNo::new(number).unwrap(),
            trading_order_no: trading,
            amount: Amount::new(fen).unwrap(),
            total: Amount::new(1990).unwrap(),
            reason: Some("不想要了".into()),
        };
        let content = self.alipay.prepare_refund(&request).unwrap();
        self.alipay
            .refund(&content)
            .await
            .map(|reply| reply.status)
            .map_err(|error| error.kind())
    }
}

#[tokio::test]
async fn the_life_of_a_payment_and_a_refund_in_every_mode() {
    for (mode, encrypted) in [
        (AlipayKeyMode::Key, false),
        (AlipayKeyMode::Cert, false),
        (AlipayKeyMode::Key, true),
    ] {
        let bank = bank(mode, encrypted).await;
        let number = bank.place(100_001).await;
        assert_eq!(
            bank.alipay.query(number).await.unwrap().status,
            PaymentStatus::Waiting
        );
        bank.sandbox.pay(Channel::Alipay, &number.to_string()).unwrap();
        let PaymentStatus::Paid(paid) = bank.alipay.query(number).await.unwrap().status else {
            panic!()
        };
        assert_eq!((paid.total.get(), paid.currency.as_str()), (1990, "CNY"));
        assert_eq!(
            bank.alipay.close(number).await.unwrap().outcome,
            CloseOutcome::AlreadyPaid
        );

        assert_eq!(bank.refund(number, 200_001, 500).await, Ok(RefundStatus::Success));
        assert_eq!(
            bank.refund(number, 200_001, 500).await,
            Ok(RefundStatus::Success),
            "the same number moves nothing"
        );
        assert_eq!(
            bank.refund(number, 200_001, 600).await,
            Err(ErrorKind::NumberReused)
        );
        assert_eq!(
            bank.refund(number, 200_002, 1491).await,
            Err(ErrorKind::RefundNotAllowed)
        );
        assert_eq!(
            bank.refund(number, 200_003, 1490).await,
            Ok(RefundStatus::Success)
        );
        assert_eq!(
            bank.sandbox
                .ledger()
                .net_fen(Channel::Alipay, &number.to_string()),
            0
        );
        for (refund, status) in [(200_001, RefundStatus::Success), (200_009, RefundStatus::Absent)] {
            let query = RefundQuery {
                refund_no: RefundNo::new(refund).unwrap(),
                trading_order_no: number,
            };
            assert_eq!(bank.alipay.query_refund(&query).await.unwrap().status, status);
        }
        // Wholly refunded is closed at Alipay, and still paid.
        assert!(matches!(
            bank.alipay.query(number).await.unwrap().status,
            PaymentStatus::Paid(_)
        ));
    }
}

#[tokio::test]
async fn closing_before_and_after_the_scan() {
    let bank = bank(AlipayKeyMode::Key, false).await;
    let unscanned = bank.place(100_002).await;
    assert_eq!(
        bank.alipay.close(unscanned).await.unwrap().outcome,
        CloseOutcome::NothingToClose
    );
    let scanned = bank.place(100_003).await;
    bank.sandbox.scan(Channel::Alipay, &scanned.to_string()).unwrap();
    assert_eq!(
        bank.alipay.close(scanned).await.unwrap().outcome,
        CloseOutcome::Closed
    );
    assert_eq!(
        bank.alipay.query(scanned).await.unwrap().status,
        PaymentStatus::Closed
    );
    assert!(bank.sandbox.pay(Channel::Alipay, &scanned.to_string()).is_err());
    let other_terms = bank.alipay.prepare_place(&bank.request(unscanned, 1)).unwrap();
    assert_eq!(
        bank.alipay.place(&other_terms).await.unwrap_err().kind(),
        ErrorKind::NumberReused
    );
}
