//! What the sandbox sends by itself and answers on a bad day, over real sockets.

use std::sync::{Arc, OnceLock};

use trade_alipay::{Alipay, AlipayConfig, VerifyKeys};
use trade_core::{
    Amount,
    Certainty::{self, NotSent, Rejected, Unknown},
    EnterpriseId, ErrorKind as Kind, RefundNo, Secret, Timestamp, TradingOrderNo,
    handler::{
        Headers, NoticeError, NoticeFact, PayHandler, PaymentStatus, PlaceRequest, RawNotice, RefundRequest,
        RefundStatus, RequestContent, VerifiedNotice,
    },
    memory::ManualClock,
};
use trade_sandbox::{
    AlipayKeyMode, Channel, Sandbox, SandboxConfig, SandboxKeys,
    faults::{Fault, FaultKind},
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::support::is;

const NUMBER: i64 = 300_001;

fn keys() -> &'static SandboxKeys {
    static KEYS: OnceLock<SandboxKeys> = OnceLock::new();
    KEYS.get_or_init(|| SandboxKeys::generate(Some(1)).unwrap())
}

/// A bank, an app of it, and the merchant's server that takes every notice.
struct Shop {
    sandbox: Sandbox,
    merchant: MockServer,
    alipay: Alipay,
    clock: Arc<ManualClock>,
    taken: usize,
}

impl Shop {
    async fn open(change: impl FnOnce(&mut SandboxConfig)) -> Self {
        let mut config = SandboxConfig {
            frozen_clock: true,
            ..SandboxConfig::default()
        };
        change(&mut config);
        let (mode, encrypted) = (config.alipay.key_mode, config.alipay.encrypted);
        let sandbox = Sandbox::start_with_keys(config, keys()).await.unwrap();
        let merchant = MockServer::start().await;
        let success = ResponseTemplate::new(200).set_body_string("success");
        Mock::given(any()).respond_with(success).mount(&merchant).await;
        let kit = sandbox.merchant().alipay;
        let keys = match mode {
            AlipayKeyMode::Key => VerifyKeys::public_key(kit.alipay_public_key),
            AlipayKeyMode::Cert => VerifyKeys::certificates(
                kit.app_certificate_pem,
                kit.alipay_certificate_pem,
                kit.alipay_root_certificates_pem,
            ),
        };
        let clock = Arc::new(ManualClock::new(Timestamp::from_ms(sandbox.now_ms())));
        let mut config = AlipayConfig::new(
            EnterpriseId::new(1001).unwrap(),
            kit.app_id,
            Secret::new(kit.app_private_key),
            keys,
            format!("{}/notify", merchant.uri()),
        );
        config.seller_id = Some(kit.seller_id);
        config.gateway_url = kit.gateway_url;
        config.encrypt_key = encrypted.then(|| Secret::new(kit.encrypt_key));
        config.clock = clock.clone();
        let alipay = Alipay::new(config).unwrap();
        Self {
            sandbox,
            merchant,
            alipay,
            clock,
            taken: 0,
        }
    }

    fn place_content(&self) -> RequestContent {
        let request = PlaceRequest {
            trading_order_no: number(),
            amount: Amount::new(1990).unwrap(),
            memo: "日常保洁 2 小时 + 擦窗 100%".into(),
            expires_at: Timestamp::from_ms(self.sandbox.now_ms() + 1_200_000),
        };
        self.alipay.prepare_place(&request).unwrap()
    }

    async fn place(&self) {
        self.alipay.place(&self.place_content()).await.unwrap();
    }

    async fn place_and_pay(&self) {
        self.place().await;
        self.sandbox.pay(Channel::Alipay, &number().to_string()).unwrap();
    }

    fn refund_content(&self, refund: i64, fen: i64) -> RequestContent {
        let request = RefundRequest {
            refund_no: RefundNo::new(refund).unwrap(),
            trading_order_no: number(),
            amount: Amount::new(fen).unwrap(),
            total: Amount::new(1990).unwrap(),
            reason: Some("师傅未上门".into()),
        };
        self.alipay.prepare_refund(&request).unwrap()
    }

    async fn refund(&self, refund: i64, fen: i64) -> RefundStatus {
        let content = self.refund_content(refund, fen);
        self.alipay.refund(&content).await.unwrap().status
    }

    fn spoil(&self, kind: FaultKind, operation: &str) {
        self.sandbox
            .fault(Fault::new(kind).at(Channel::Alipay).on(operation));
    }

    /// The notices that came since the last look, judged.
    async fn notices(&mut self) -> Vec<Result<VerifiedNotice, NoticeError>> {
        assert!(self.sandbox.quiet().await, "every notice that is due was sent");
        let requests = self.merchant.received_requests().await.unwrap();
        let mut judged = Vec::new();
        for request in requests.iter().skip(self.taken) {
            let raw = RawNotice {
                headers: Headers::default(),
                body: request.body.clone(),
            };
            judged.push(self.alipay.verify_notice(&raw).await);
        }
        self.taken = requests.len();
        judged
    }

    async fn only_notice(&mut self) -> Result<VerifiedNotice, NoticeError> {
        let mut notices = self.notices().await;
        assert_eq!(notices.len(), 1, "{notices:?}");
        notices.remove(0)
    }
}

fn number() -> TradingOrderNo {
    TradingOrderNo::new(NUMBER).unwrap()
}

fn paid_fen(notice: &VerifiedNotice) -> i64 {
    match &notice.fact {
        NoticeFact::Payment(payment) if payment.out_trade_no == NUMBER.to_string() => match &payment.status {
            PaymentStatus::Paid(payment) => payment.total.get(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_notices_of_a_payment_and_its_refunds_are_told_apart() {
    for mode in [AlipayKeyMode::Key, AlipayKeyMode::Cert] {
        let mut shop = Shop::open(|config| config.alipay.key_mode = mode).await;
        shop.place_and_pay().await;
        let paid = shop.only_notice().await.unwrap();
        assert_eq!(paid_fen(&paid), 1990);

        for (refund, fen, so_far) in [(400_001, 500, 500), (400_002, 1490, 1990)] {
            assert_eq!(shop.refund(refund, fen).await, RefundStatus::Success);
            let notice = shop.only_notice().await.unwrap();
            assert_ne!(notice.notice_id, paid.notice_id);
            let NoticeFact::Refund(told) = notice.fact else {
                panic!("{:?}", notice.fact)
            };
            let number = refund.to_string();
            assert_eq!(told.out_refund_no.as_deref(), Some(number.as_str()));
            assert_eq!(told.out_trade_no, NUMBER.to_string());
            assert_eq!(told.cumulative.unwrap().get(), so_far);
            assert_eq!(told.payment.unwrap().total.get(), 1990);
        }
    }
}

#[tokio::test]
async fn a_notice_that_somebody_else_wrote_is_refused_and_the_next_one_is_taken() {
    for kind in [FaultKind::BadSignature, FaultKind::Unsigned, FaultKind::WrongKey] {
        let mut shop = Shop::open(|_| {}).await;
        shop.spoil(kind, "notice.payment");
        shop.place_and_pay().await;
        let refused = shop.only_notice().await.unwrap_err();
        assert!(
            matches!(refused, NoticeError::BadSignature(_)),
            "{kind:?}: {refused}"
        );
        let id = shop.sandbox.notices()[0].id.clone();
        assert!(shop.sandbox.resend_notice(&id));
        let taken = shop.only_notice().await.unwrap();
        assert_eq!((paid_fen(&taken), taken.notice_id), (1990, id));
    }
}

#[tokio::test]
async fn a_notice_in_gbk_is_taken_and_an_amount_is_told_as_it_was_signed() {
    let mut shop = Shop::open(|_| {}).await;
    shop.spoil(FaultKind::Gbk, "notice.payment");
    shop.place_and_pay().await;
    assert_eq!(paid_fen(&shop.only_notice().await.unwrap()), 1990);

    // The signature is Alipay's: what the amount is compared with is not the adapter's to say.
    let mut shop = Shop::open(|_| {}).await;
    shop.spoil(FaultKind::WrongAmount { by_fen: -1 }, "notice.payment");
    shop.place_and_pay().await;
    assert_eq!(paid_fen(&shop.only_notice().await.unwrap()), 1989);
}

#[tokio::test]
async fn a_query_on_a_bad_day_has_an_unknown_outcome_and_the_next_one_the_truth() {
    for (kind, certainty, expected) in [
        (FaultKind::DropBefore, Unknown, Kind::Network),
        (FaultKind::DropAfter, Unknown, Kind::Network),
        (FaultKind::Garbage, Unknown, Kind::Nonsense),
        (FaultKind::BadSignature, Unknown, Kind::Unverifiable),
        (FaultKind::WrongKey, Unknown, Kind::Unverifiable),
        (FaultKind::Unsigned, Unknown, Kind::Unverifiable),
        (FaultKind::RateLimit, NotSent, Kind::RateLimited),
        (status(500), Unknown, Kind::ChannelFault),
        (status(502), Unknown, Kind::ChannelFault),
    ] {
        let shop = Shop::open(|_| {}).await;
        shop.place_and_pay().await;
        shop.spoil(kind, "query");
        let error = shop.alipay.query(number()).await.unwrap_err();
        assert_eq!(
            (error.certainty(), error.kind()),
            (certainty, expected),
            "{kind:?}: {error}"
        );
        let observed = shop.alipay.query(number()).await.unwrap();
        assert!(matches!(observed.status, PaymentStatus::Paid(_)), "{kind:?}");
    }
}

fn status(status: u16) -> FaultKind {
    FaultKind::Status {
        status,
        effect: false,
    }
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_repeated_without_moving_money_twice() {
    for kind in [FaultKind::DropAfter, FaultKind::Garbage, FaultKind::BadSignature] {
        let shop = Shop::open(|_| {}).await;
        shop.place_and_pay().await;
        shop.spoil(kind, "refund");
        let content = shop.refund_content(400_001, 500);
        let error = shop.alipay.refund(&content).await.unwrap_err();
        assert_eq!(error.certainty(), Unknown, "{kind:?}: {error}");
        // Sent again as it is, it answers `fund_change` N; the refund query then tells that it is done.
        let again = shop.alipay.refund(&content).await.unwrap();
        assert_eq!(
            (again.status, again.amount.map(|fen| fen.get())),
            (RefundStatus::Success, Some(500)),
            "{kind:?}"
        );
        let net = shop
            .sandbox
            .ledger()
            .net_fen(Channel::Alipay, &NUMBER.to_string());
        assert_eq!(net, 1490, "{kind:?}");
    }
}

#[tokio::test]
async fn a_place_whose_answer_was_lost_is_the_same_order_when_repeated() {
    let shop = Shop::open(|_| {}).await;
    shop.spoil(FaultKind::DropAfter, "precreate");
    let content = shop.place_content();
    let error = shop.alipay.place(&content).await.unwrap_err();
    is(&error, Certainty::Unknown, Kind::Network);
    let placed = shop.alipay.place(&content).await.unwrap();
    shop.sandbox.pay(Channel::Alipay, &NUMBER.to_string()).unwrap();
    assert!(!placed.code_url.is_empty());
    is(
        &shop.alipay.place(&content).await.unwrap_err(),
        Rejected,
        Kind::AlreadyPaid,
    );
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_in_while_the_calls_go_on() {
    for encrypted in [false, true] {
        let mut shop = Shop::open(|config| {
            config.alipay.key_mode = AlipayKeyMode::Cert;
            config.alipay.encrypted = encrypted;
        })
        .await;
        shop.place().await;
        shop.sandbox.rotate_keys(Channel::Alipay).unwrap();
        let waiting = shop.alipay.query(number()).await.unwrap();
        assert_eq!(waiting.status, PaymentStatus::Waiting);
        shop.sandbox.pay(Channel::Alipay, &NUMBER.to_string()).unwrap();
        let paid = shop.alipay.query(number()).await.unwrap();
        assert!(matches!(paid.status, PaymentStatus::Paid(_)));
        assert_eq!(paid_fen(&shop.only_notice().await.unwrap()), 1990);
    }
}

#[tokio::test]
async fn slashes_written_escaped_change_nothing_in_any_mode() {
    for (mode, encrypted) in [
        (AlipayKeyMode::Key, false),
        (AlipayKeyMode::Key, true),
        (AlipayKeyMode::Cert, false),
        (AlipayKeyMode::Cert, true),
    ] {
        let shop = Shop::open(|config| {
            config.alipay.key_mode = mode;
            config.alipay.encrypted = encrypted;
            config.alipay.escaped_slashes = true;
        })
        .await;
        let placed = shop.alipay.place(&shop.place_content()).await.unwrap();
        assert!(!placed.code_url.contains('\\'), "{}", placed.code_url);
        shop.sandbox.pay(Channel::Alipay, &NUMBER.to_string()).unwrap();
        let observed = shop.alipay.query(number()).await.unwrap();
        let PaymentStatus::Paid(payment) = observed.status else {
            panic!("{:?}", observed.status)
        };
        assert_eq!(payment.paid_at.unwrap().ms() / 1000, shop.sandbox.now_ms() / 1000);
        assert!(!payment.transaction_id.as_str().is_empty());
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_so_and_nothing_is_executed() {
    let shop = Shop::open(|_| {}).await;
    shop.clock
        .set(Timestamp::from_ms(shop.sandbox.now_ms() - 3_600_000));
    let error = shop.alipay.place(&shop.place_content()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration, "{error}");
    assert!(error.hint().contains("clock"), "{error}");
    assert_ne!(error.certainty(), Unknown);
}
