//! The whole life of a payment and of a refund, against the sandbox, in every key mode.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use trade_core::{
    Amount, Certainty, EnterpriseId, ErrorKind, Fen, RefundNo, Secret, Timestamp, TradingOrderNo,
    handler::{
        CloseOutcome, NoticeFact, PayHandler, PaymentStatus, PlaceRequest, RawNotice, RefundQuery,
        RefundRequest, RefundStatus, RequestContent,
    },
    memory::ManualClock,
};
use trade_sandbox::{
    Channel::Wechat,
    Sandbox, SandboxConfig, SandboxKeys, WechatKeyMode,
    faults::{Fault, FaultKind},
    ledger::RefundOutcome,
};
use trade_wechat::{VerifyKeys, WechatConfig, WechatPay};
use wiremock::{MockServer, ResponseTemplate};

use crate::support::{NOW, answering, assert_error, raw, requests};

const MODES: [WechatKeyMode; 3] = [
    WechatKeyMode::PublicKey,
    WechatKeyMode::Cert,
    WechatKeyMode::Migrating(500),
];

fn keys() -> &'static SandboxKeys {
    static KEYS: OnceLock<SandboxKeys> = OnceLock::new();
    KEYS.get_or_init(|| SandboxKeys::generate(Some(1)).unwrap())
}

/// A shop with its sandbox, a receiver of notices, and one time for all.
struct Shop {
    sandbox: Sandbox,
    receiver: MockServer,
    clock: Arc<ManualClock>,
    wechat: WechatPay,
}

impl Shop {
    async fn open(mode: WechatKeyMode) -> Self {
        let mut settings = SandboxConfig {
            start_ms: Some(NOW * 1_000),
            frozen_clock: true,
            seed: Some(1),
            ..SandboxConfig::default()
        };
        settings.wechat.key_mode = mode;
        let sandbox = Sandbox::start_with_keys(settings, keys()).await.unwrap();
        let receiver = answering(ResponseTemplate::new(200)).await;
        let clock = Arc::new(ManualClock::new(Timestamp::from_ms(sandbox.now_ms())));
        let wechat = WechatPay::new(config(&sandbox, &receiver, &clock, mode)).unwrap();
        Self {
            sandbox,
            receiver,
            clock,
            wechat,
        }
    }

    fn advance(&self, by: Duration) {
        self.sandbox.advance(by);
        self.clock.set(Timestamp::from_ms(self.sandbox.now_ms()));
    }

    fn content(&self, number: i64) -> RequestContent {
        let request = PlaceRequest {
            trading_order_no: trading(number),
            amount: Amount::new(1_990).unwrap(),
            memo: "日常保洁".into(),
            expires_at: Timestamp::from_ms((NOW + 7_200) * 1_000),
        };
        self.wechat.prepare_place(&request).unwrap()
    }

    async fn status(&self, number: i64) -> PaymentStatus {
        self.wechat.query(trading(number)).await.unwrap().status
    }

    async fn paid(&self, number: i64) {
        self.wechat.place(&self.content(number)).await.unwrap();
        self.sandbox.pay(Wechat, &trading(number).to_string()).unwrap();
    }

    fn refund_content(&self, number: i64, refund: i64, fen: i64) -> RequestContent {
        let request = RefundRequest {
            refund_no: refund_no(refund),
            trading_order_no: trading(number),
            amount: Amount::new(fen).unwrap(),
            total: Amount::new(1_990).unwrap(),
            reason: Some("师傅未上门".into()),
        };
        self.wechat.prepare_refund(&request).unwrap()
    }

    async fn refund_status(&self, number: i64, refund: i64) -> RefundStatus {
        let query = RefundQuery {
            out_refund_no: refund_no(refund).to_string(),
            trading_order_no: trading(number),
        };
        self.wechat.query_refund(&query).await.unwrap().status
    }

    /// What the receiver got, as it came.
    async fn notices(&self) -> Vec<RawNotice> {
        assert!(self.sandbox.quiet().await, "the notices are sent");
        let requests = requests(&self.receiver).await;
        let notices = requests.iter().map(|request| {
            let headers = request.headers.iter();
            let pairs = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
            raw(pairs.collect(), &request.body)
        });
        notices.collect()
    }
}

fn config(
    sandbox: &Sandbox,
    receiver: &MockServer,
    clock: &Arc<ManualClock>,
    mode: WechatKeyMode,
) -> WechatConfig {
    let kit = sandbox.merchant().wechat;
    let verify = match mode {
        WechatKeyMode::PublicKey => VerifyKeys::public_key(kit.public_key_id, kit.public_key_pem),
        WechatKeyMode::Cert => VerifyKeys::platform_certificates(),
        WechatKeyMode::Migrating(_) => VerifyKeys::migrating(kit.public_key_id, kit.public_key_pem),
    };
    let mut config = WechatConfig::new(
        EnterpriseId::new(1001).unwrap(),
        kit.mchid,
        kit.appid,
        Secret::new(kit.private_key_pem),
        Secret::new(kit.apiv3_key),
        verify,
        format!("{}/notify", receiver.uri()),
    );
    config.certificate = Some(kit.certificate_pem);
    config.base_url = kit.base_url;
    config.backup_url = None;
    config.clock = Arc::<ManualClock>::clone(clock);
    config
}

fn trading(number: i64) -> TradingOrderNo {
    TradingOrderNo::new(7_310_000_000_000_000_000 + number).unwrap()
}

fn refund_no(number: i64) -> RefundNo {
    RefundNo::new(7_320_000_000_000_000_000 + number).unwrap()
}

#[tokio::test]
async fn the_life_of_a_payment() {
    for mode in MODES {
        let shop = Shop::open(mode).await;
        assert_eq!(shop.status(1).await, PaymentStatus::Absent, "{mode:?}");
        let placed = shop.wechat.place(&shop.content(1)).await.unwrap();
        assert!(placed.code_url.starts_with("http"), "{}", placed.code_url);
        assert_eq!(shop.status(1).await, PaymentStatus::Waiting);
        // The same content again is the same order.
        shop.wechat.place(&shop.content(1)).await.unwrap();

        shop.sandbox.pay(Wechat, &trading(1).to_string()).unwrap();
        let PaymentStatus::Paid(payment) = shop.status(1).await else {
            panic!("{mode:?}: paid");
        };
        assert_eq!(
            (payment.total, payment.currency.as_str()),
            (Fen::new(1_990).unwrap(), "CNY")
        );
        assert_eq!(payment.paid_at, Some(Timestamp::from_ms(NOW * 1_000)));
        let observed = shop
            .wechat
            .query_by_transaction_id(&payment.transaction_id)
            .await
            .unwrap();
        assert_eq!(observed.status, PaymentStatus::Paid(payment.clone()));

        let notices = shop.notices().await;
        let verified = shop.wechat.verify_notice(&notices[0]).await.unwrap();
        let NoticeFact::Payment(notice) = verified.fact else {
            panic!("{:?}", verified.fact);
        };
        assert_eq!(notice.trading_order_no(), Some(trading(1)));
        assert_eq!(notice.status, PaymentStatus::Paid(payment));

        let closed = shop.wechat.close(trading(1)).await.unwrap();
        assert_eq!(closed.outcome, CloseOutcome::AlreadyPaid);
        let error = shop.wechat.place(&shop.content(1)).await.unwrap_err();
        assert_error(
            &error,
            Certainty::Rejected,
            ErrorKind::AlreadyPaid,
            "placed when paid",
        );
    }
}

#[tokio::test]
async fn the_end_of_an_unpaid_order() {
    for mode in MODES {
        let shop = Shop::open(mode).await;
        shop.wechat.place(&shop.content(2)).await.unwrap();
        for _ in 0..2 {
            let closed = shop.wechat.close(trading(2)).await.unwrap();
            assert_eq!(closed.outcome, CloseOutcome::Closed, "{mode:?}");
        }
        assert_eq!(shop.status(2).await, PaymentStatus::Closed);
        shop.sandbox.pay(Wechat, &trading(2).to_string()).unwrap_err();
        let error = shop.wechat.place(&shop.content(2)).await.unwrap_err();
        assert_error(
            &error,
            Certainty::Rejected,
            ErrorKind::AlreadyClosed,
            "placed when closed",
        );
    }
}

#[tokio::test]
async fn the_life_of_a_refund() {
    for mode in MODES {
        let shop = Shop::open(mode).await;
        shop.paid(3).await;
        assert_eq!(shop.refund_status(3, 1).await, RefundStatus::Absent, "{mode:?}");
        let content = shop.refund_content(3, 1, 500);
        let reply = shop.wechat.refund(&content).await.unwrap();
        assert_eq!(
            (reply.status, reply.amount),
            (RefundStatus::Processing, Some(Fen::new(500).unwrap()))
        );
        assert_eq!(shop.refund_status(3, 1).await, RefundStatus::Processing);

        shop.advance(Duration::from_secs(5));
        assert_eq!(shop.refund_status(3, 1).await, RefundStatus::Success);
        let again = shop.wechat.refund(&content).await.unwrap();
        assert_eq!(
            (again.status, again.refund_id),
            (RefundStatus::Success, reply.refund_id)
        );
        assert_eq!(shop.sandbox.ledger().refunded_fen(Wechat), 500, "refunded once");
        assert!(
            matches!(shop.status(3).await, PaymentStatus::Paid(_)),
            "a refund does not unpay"
        );

        let other = shop
            .wechat
            .refund(&shop.refund_content(3, 1, 501))
            .await
            .unwrap_err();
        assert_eq!(other.certainty(), Certainty::Rejected);

        let mut facts = Vec::new();
        for notice in shop.notices().await {
            facts.push(shop.wechat.verify_notice(&notice).await.unwrap().fact);
        }
        let refunds = facts.iter().filter_map(|fact| match fact {
            NoticeFact::Refund(refund) => Some((refund.refund_no(), refund.status, refund.amount)),
            _ => None,
        });
        let expected = (
            Some(refund_no(1)),
            RefundStatus::Success,
            Some(Fen::new(500).unwrap()),
        );
        assert_eq!(refunds.collect::<Vec<_>>(), [expected], "{mode:?}");
    }
}

#[tokio::test]
async fn a_refund_that_does_not_arrive() {
    let shop = Shop::open(WechatKeyMode::PublicKey).await;
    shop.paid(4).await;
    for (number, outcome, expected) in [
        (1, RefundOutcome::Abnormal, RefundStatus::Abnormal),
        (2, RefundOutcome::Closed, RefundStatus::Closed),
    ] {
        shop.wechat
            .refund(&shop.refund_content(4, number, 100))
            .await
            .unwrap();
        let name = refund_no(number).to_string();
        shop.sandbox.settle_refund(Wechat, &name, outcome).unwrap();
        assert_eq!(shop.refund_status(4, number).await, expected);
        shop.advance(Duration::from_secs(60));
    }
    assert_eq!(shop.sandbox.ledger().refunded_fen(Wechat), 0);
}

#[tokio::test]
async fn a_new_certificate_in_the_middle_is_found() {
    let shop = Shop::open(WechatKeyMode::Cert).await;
    shop.wechat.place(&shop.content(5)).await.unwrap();
    shop.sandbox.rotate_keys(Wechat).unwrap();
    shop.advance(Duration::from_secs(61));
    assert_eq!(shop.status(5).await, PaymentStatus::Waiting);
}

#[tokio::test]
async fn what_went_wrong_on_the_way_is_unknown_and_a_query_tells() {
    let shop = Shop::open(WechatKeyMode::PublicKey).await;
    for (number, fault, kind) in [
        (11, FaultKind::BadSignature, ErrorKind::Unverifiable),
        (12, FaultKind::ProbeSignature, ErrorKind::Unverifiable),
        (13, FaultKind::Unsigned, ErrorKind::Unverifiable),
        (14, FaultKind::WrongKey, ErrorKind::Unverifiable),
        (15, FaultKind::Garbage, ErrorKind::Unverifiable),
        (16, FaultKind::DropAfter, ErrorKind::Network),
        (
            17,
            FaultKind::Status {
                status: 500,
                effect: true,
            },
            ErrorKind::ChannelFault,
        ),
        (
            18,
            FaultKind::Status {
                status: 502,
                effect: true,
            },
            ErrorKind::ChannelFault,
        ),
    ] {
        shop.sandbox.fault(Fault::new(fault).at(Wechat).times(1));
        let content = shop.content(number);
        let error = shop.wechat.place(&content).await.unwrap_err();
        assert_error(&error, Certainty::Unknown, kind, &format!("{fault:?}"));
        assert!(shop.sandbox.faults().is_empty(), "{fault:?} has struck");
        assert_eq!(
            shop.status(number).await,
            PaymentStatus::Waiting,
            "{fault:?}: it was placed all the same"
        );
        shop.wechat.place(&content).await.unwrap();
    }
    shop.sandbox
        .fault(Fault::new(FaultKind::RateLimit).at(Wechat).times(1));
    let error = shop.wechat.place(&shop.content(19)).await.unwrap_err();
    assert_error(&error, Certainty::NotSent, ErrorKind::RateLimited, "rate limit");
    assert_eq!(shop.status(19).await, PaymentStatus::Absent);
}
