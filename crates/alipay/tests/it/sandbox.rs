//! The whole life of a payment and of a refund over real sockets, in every key mode.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use trade_alipay::{Alipay, AlipayConfig, VerifyKeys};
use trade_core::{
    Amount, ChannelError, EnterpriseId, ErrorKind, RefundNo, Secret, Timestamp, TradingOrderNo,
    handler::{
        CloseOutcome, Headers, NoticeError, NoticeFact, PayHandler, PaymentStatus, PlaceRequest, RawNotice,
        RefundQuery, RefundRequest, RefundStatus, RequestContent, Verdict, VerifiedNotice,
    },
    memory::ManualClock,
};
use trade_sandbox::{AlipayKeyMode, AlipayKit, Channel, Sandbox, SandboxConfig, SandboxKeys};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

/// A sandbox, its merchant's adapter, and the address where its notices arrive.
pub(crate) struct Bank {
    pub(crate) sandbox: Sandbox,
    pub(crate) alipay: Alipay,
    clock: Arc<ManualClock>,
    inbox: MockServer,
}

/// What differs between apps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mode {
    keys: AlipayKeyMode,
    encrypted: bool,
    escaped_slashes: bool,
}

impl Mode {
    pub(crate) const KEY: Self = Self {
        keys: AlipayKeyMode::Key,
        encrypted: false,
        escaped_slashes: false,
    };
    pub(crate) const CERT: Self = Self {
        keys: AlipayKeyMode::Cert,
        ..Self::KEY
    };
    const ALL: [Self; 5] = [
        Self::KEY,
        Self::CERT,
        Self {
            encrypted: true,
            ..Self::KEY
        },
        Self {
            encrypted: true,
            ..Self::CERT
        },
        Self {
            escaped_slashes: true,
            ..Self::KEY
        },
    ];
}

fn keys() -> &'static SandboxKeys {
    static KEYS: OnceLock<SandboxKeys> = OnceLock::new();
    KEYS.get_or_init(|| SandboxKeys::generate(Some(11)).unwrap())
}

/// The adapter's configuration for this merchant.
pub(crate) fn config_of(
    kit: AlipayKit,
    mode: Mode,
    notify_url: &str,
    clock: Arc<ManualClock>,
) -> AlipayConfig {
    let keys = match mode.keys {
        AlipayKeyMode::Key => VerifyKeys::public_key(kit.alipay_public_key),
        AlipayKeyMode::Cert => VerifyKeys::certificates(
            kit.app_certificate_pem,
            kit.alipay_certificate_pem,
            kit.alipay_root_certificates_pem,
        ),
    };
    let enterprise = EnterpriseId::new(1001).unwrap();
    let private_key = Secret::new(kit.app_private_key);
    let mut config = AlipayConfig::new(enterprise, kit.app_id, private_key, keys, notify_url);
    config.seller_id = Some(kit.seller_id);
    config.gateway_url = kit.gateway_url;
    config.encrypt_key = mode.encrypted.then(|| Secret::new(kit.encrypt_key));
    config.clock = clock;
    config
}

impl Bank {
    pub(crate) async fn open(mode: Mode) -> Self {
        let mut config = SandboxConfig {
            frozen_clock: true,
            ..SandboxConfig::default()
        };
        config.alipay.key_mode = mode.keys;
        config.alipay.encrypted = mode.encrypted;
        config.alipay.escaped_slashes = mode.escaped_slashes;
        let sandbox = Sandbox::start_with_keys(config, keys()).await.unwrap();
        let inbox = MockServer::start().await;
        let clock = Arc::new(ManualClock::new(Timestamp::from_ms(sandbox.now_ms())));
        let notify_url = format!("{}/notify", inbox.uri());
        let config = config_of(sandbox.merchant().alipay, mode, &notify_url, clock.clone());
        let alipay = Alipay::new(config).unwrap();
        let taken = alipay.acknowledge(Verdict::Taken);
        Mock::given(any())
            .respond_with(ResponseTemplate::new(taken.status).set_body_string(taken.body))
            .mount(&inbox)
            .await;
        Self {
            sandbox,
            alipay,
            clock,
            inbox,
        }
    }

    /// Time passes for everybody.
    pub(crate) fn wait(&self, duration: Duration) {
        self.sandbox.advance(duration);
        self.clock.advance(duration);
    }

    pub(crate) fn pay(&self, number: TradingOrderNo) -> bool {
        self.sandbox.pay(Channel::Alipay, &number.to_string()).is_ok()
    }

    fn scan(&self, number: TradingOrderNo) {
        self.sandbox.scan(Channel::Alipay, &number.to_string()).unwrap();
    }

    /// What the merchant has of the payment in the sandbox's books, in fen.
    pub(crate) fn net(&self, number: TradingOrderNo) -> i64 {
        self.sandbox
            .ledger()
            .net_fen(Channel::Alipay, &number.to_string())
    }

    pub(crate) fn place_content(&self, number: i64, fen: i64) -> RequestContent {
        let expires_at = Timestamp::from_ms(self.sandbox.now_ms()).plus(Duration::from_secs(1200));
        let request = PlaceRequest {
            trading_order_no: TradingOrderNo::new(number).unwrap(),
            amount: Amount::new(fen).unwrap(),
            memo: "日常保洁 + 擦窗".into(),
            expires_at,
        };
        self.alipay.prepare_place(&request).unwrap()
    }

    pub(crate) async fn place(&self, number: i64) -> TradingOrderNo {
        let content = self.place_content(number, 1990);
        let placed = self.alipay.place(&content).await.unwrap();
        assert_eq!(
            self.alipay.place(&content).await.unwrap().code_url,
            placed.code_url,
            "a repeat is the same order"
        );
        TradingOrderNo::new(number).unwrap()
    }

    pub(crate) async fn status(&self, number: TradingOrderNo) -> PaymentStatus {
        self.alipay.query(number).await.unwrap().status
    }

    pub(crate) fn refund_content(&self, trading: TradingOrderNo, number: i64, fen: i64) -> RequestContent {
        let request = RefundRequest {
            refund_no: RefundNo::new(number).unwrap(),
            trading_order_no: trading,
            amount: Amount::new(fen).unwrap(),
            total: Amount::new(1990).unwrap(),
            reason: Some("不想要了".into()),
        };
        self.alipay.prepare_refund(&request).unwrap()
    }

    pub(crate) async fn refund(
        &self,
        trading: TradingOrderNo,
        number: i64,
        fen: i64,
    ) -> Result<RefundStatus, ChannelError> {
        let content = self.refund_content(trading, number, fen);
        self.alipay.refund(&content).await.map(|reply| reply.status)
    }

    pub(crate) async fn refund_status(&self, trading: TradingOrderNo, number: i64) -> RefundStatus {
        let query = RefundQuery {
            out_refund_no: number.to_string(),
            trading_order_no: trading,
        };
        self.alipay.query_refund(&query).await.unwrap().status
    }

    /// The notices that arrived so far, judged.
    pub(crate) async fn judged(&self) -> Vec<Result<VerifiedNotice, NoticeError>> {
        assert!(self.sandbox.quiet().await, "every notice that is due was sent");
        let mut judged = Vec::new();
        for request in self.inbox.received_requests().await.unwrap() {
            let raw = RawNotice {
                headers: Headers::default(),
                body: request.body,
            };
            judged.push(self.alipay.verify_notice(&raw).await);
        }
        judged
    }

    /// The notices that arrived so far, all of them genuine.
    pub(crate) async fn notices(&self) -> Vec<VerifiedNotice> {
        let judged = self.judged().await;
        judged.into_iter().map(Result::unwrap).collect()
    }
}

fn kind(result: Result<RefundStatus, ChannelError>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[tokio::test]
async fn the_life_of_a_payment_and_a_refund_in_every_mode() {
    for mode in Mode::ALL {
        let bank = Bank::open(mode).await;
        let number = bank.place(100_001).await;
        assert_eq!(bank.status(number).await, PaymentStatus::Waiting, "{mode:?}");
        assert!(bank.pay(number));
        let PaymentStatus::Paid(paid) = bank.status(number).await else {
            panic!("{mode:?}")
        };
        assert_eq!((paid.total.get(), paid.currency.as_str()), (1990, "CNY"));
        assert_eq!(paid.paid_at.unwrap().secs(), bank.sandbox.now_ms() / 1000);
        let closed = bank.alipay.close(number).await.unwrap();
        assert_eq!(closed.outcome, CloseOutcome::AlreadyPaid);
        let again = bank.alipay.place(&bank.place_content(100_001, 1990)).await;
        assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyPaid);

        let first = || bank.refund(number, 200_001, 500);
        assert_eq!(first().await.unwrap(), RefundStatus::Success);
        let repeat = "the same number moves nothing";
        assert_eq!(first().await.unwrap(), RefundStatus::Success, "{repeat}");
        assert_eq!(bank.net(number), 1490, "{repeat}");
        assert_eq!(
            kind(bank.refund(number, 200_001, 600).await),
            ErrorKind::NumberReused
        );
        assert_eq!(
            kind(bank.refund(number, 200_002, 1491).await),
            ErrorKind::RefundNotAllowed
        );
        assert_eq!(
            bank.refund(number, 200_003, 1490).await.unwrap(),
            RefundStatus::Success
        );
        assert_eq!(bank.net(number), 0);
        for (refund, status) in [(200_001, RefundStatus::Success), (200_009, RefundStatus::Absent)] {
            assert_eq!(bank.refund_status(number, refund).await, status, "{mode:?}");
        }
        // Wholly refunded is closed at Alipay, and still paid.
        assert!(matches!(bank.status(number).await, PaymentStatus::Paid(_)));
    }
}

#[tokio::test]
async fn notices_tell_the_payment_once_and_then_its_refunds_in_every_mode() {
    for mode in Mode::ALL {
        let bank = Bank::open(mode).await;
        let number = bank.place(100_001).await;
        assert!(bank.pay(number));
        let PaymentStatus::Paid(queried) = bank.status(number).await else {
            panic!("{mode:?}")
        };
        bank.refund(number, 200_001, 500).await.unwrap();
        bank.refund(number, 200_002, 1490).await.unwrap();
        let notices = bank.notices().await;
        assert_eq!(notices.len(), 3, "{mode:?}");
        let mut ids: Vec<_> = notices.iter().map(|notice| &notice.notice_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 3, "each event has an id of its own");
        let (mut payments, mut refunds) = (Vec::new(), Vec::new());
        for notice in notices {
            match notice.fact {
                NoticeFact::Payment(payment) => payments.push(payment),
                NoticeFact::Refund(refund) => refunds.push(refund),
                NoticeFact::Other(other) => panic!("{other}"),
            }
        }
        assert_eq!(payments.len(), 1, "a refund is no second payment");
        assert_eq!(payments[0].trading_order_no(), Some(number));
        let PaymentStatus::Paid(told) = &payments[0].status else {
            panic!("{mode:?}")
        };
        assert_eq!(
            (&told.transaction_id, told.total),
            (&queried.transaction_id, queried.total)
        );
        let mut told: Vec<_> = refunds
            .iter()
            .map(|refund| {
                let cumulative = refund.cumulative.map(|fen| fen.get());
                (refund.refund_no().map(|no| no.get()), cumulative)
            })
            .collect();
        told.sort_unstable();
        assert_eq!(told, [(Some(200_001), Some(500)), (Some(200_002), Some(1990))]);
        for refund in refunds {
            assert_eq!((refund.status, refund.amount), (RefundStatus::Success, None));
            assert_eq!(refund.payment.unwrap().total.get(), 1990);
        }
    }
}

#[tokio::test]
async fn closing_before_and_after_the_scan() {
    let bank = Bank::open(Mode::KEY).await;
    let unscanned = bank.place(100_002).await;
    let closed = bank.alipay.close(unscanned).await.unwrap();
    assert_eq!(closed.outcome, CloseOutcome::NothingToClose);
    assert!(bank.pay(unscanned), "the code outlives the close");
    let scanned = bank.place(100_003).await;
    bank.scan(scanned);
    for _ in 0..2 {
        let closed = bank.alipay.close(scanned).await.unwrap();
        assert_eq!(closed.outcome, CloseOutcome::Closed, "closing twice is no error");
    }
    assert_eq!(bank.status(scanned).await, PaymentStatus::Closed);
    assert!(!bank.pay(scanned));
    let again = bank.alipay.place(&bank.place_content(100_003, 1990)).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyClosed);
    let live = bank.place(100_004).await;
    let other_terms = bank.place_content(live.get(), 1);
    let refused = bank.alipay.place(&other_terms).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NumberReused);
}

#[tokio::test]
async fn nothing_can_be_paid_after_time_expire() {
    let bank = Bank::open(Mode::KEY).await;
    let (unscanned, scanned) = (bank.place(100_005).await, bank.place(100_006).await);
    bank.scan(scanned);
    bank.wait(Duration::from_secs(1201));
    for number in [unscanned, scanned] {
        assert!(!bank.pay(number), "{number}");
    }
    assert_eq!(bank.status(unscanned).await, PaymentStatus::Waiting);
    assert_eq!(bank.status(scanned).await, PaymentStatus::Closed);
    assert_eq!(bank.net(unscanned) + bank.net(scanned), 0);
}
