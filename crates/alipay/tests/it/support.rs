//! An app, an Alipay that signs what it is told to, and a clock that stands still.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use trade_alipay::{Alipay, AlipayConfig, VerifyKeys};
use trade_core::{
    Amount, Certainty, ChannelError, EnterpriseId, ErrorKind, RefundNo, Secret, Timestamp, TradingOrderNo,
    handler::{Headers, PayHandler, PlaceRequest, RawNotice, RefundQuery, RefundRequest},
    memory::ManualClock,
};
use trade_crypto::PrivateKey;
use wiremock::{
    Mock, MockServer, Request, Respond, ResponseTemplate,
    matchers::{any, query_param},
};

pub(crate) const NOW: i64 = 1_790_000_000;
pub(crate) const APP_ID: &str = "2021000000000000";
pub(crate) const SELLER_ID: &str = "2088000000000001";
pub(crate) const NOTIFY_URL: &str = "https://pay.example.com/trade/open/notify/alipay/1001";
pub(crate) const TRADING: &str = "7310000000000000001";
pub(crate) const REFUND: &str = "7310000000000000002";

/// The file of a key that trade-crypto tests with.
pub(crate) fn key_file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../trade-crypto/tests/vectors");
    folder.join(name).to_str().unwrap().to_owned()
}

pub(crate) fn vector(name: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(name);
    std::fs::read_to_string(file).unwrap()
}

/// The file of a certificate that `make_certificates.sh` made.
pub(crate) fn certificate(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/certificates");
    folder.join(name).to_str().unwrap().to_owned()
}

/// Certificate mode with the certificates that `make_certificates.sh` made.
pub(crate) fn certificates() -> VerifyKeys {
    VerifyKeys::certificates(
        certificate("app.crt"),
        certificate("alipay.crt"),
        certificate("root.crt"),
    )
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_ms(NOW * 1000)))
}

pub(crate) fn config(url: &str) -> AlipayConfig {
    let keys = VerifyKeys::public_key(key_file("other_public.pem"));
    let enterprise = EnterpriseId::new(1001).unwrap();
    let mut config = AlipayConfig::new(
        enterprise,
        APP_ID,
        Secret::new(key_file("key_pkcs8.pem")),
        keys,
        NOTIFY_URL,
    );
    config.seller_id = Some(SELLER_ID.into());
    config.gateway_url = format!("{url}/gateway.do");
    config.clock = clock();
    config
}

pub(crate) fn alipay(url: &str) -> Alipay {
    Alipay::new(config(url)).unwrap()
}

pub(crate) fn trading() -> TradingOrderNo {
    TradingOrderNo::from_digits(TRADING).unwrap()
}

pub(crate) fn refund_query() -> RefundQuery {
    RefundQuery {
        out_refund_no: REFUND.to_owned(),
        trading_order_no: trading(),
    }
}

pub(crate) fn place_request() -> PlaceRequest {
    PlaceRequest {
        trading_order_no: trading(),
        amount: Amount::new(1990).unwrap(),
        memo: "日常保洁 2 小时".into(),
        expires_at: Timestamp::from_ms((NOW + 7200) * 1000),
    }
}

pub(crate) fn refund_request() -> RefundRequest {
    RefundRequest {
        refund_no: RefundNo::from_digits(REFUND).unwrap(),
        trading_order_no: trading(),
        amount: Amount::new(500).unwrap(),
        total: Amount::new(1990).unwrap(),
        reason: Some("师傅未上门".into()),
    }
}

/// Signed as Alipay would.
pub(crate) fn sign(text: &[u8]) -> String {
    PrivateKey::load(&key_file("other_pkcs8.pem"))
        .unwrap()
        .sign_sha256(text)
        .unwrap()
}

/// The answer to `method` with this source, signed.
pub(crate) fn signed(method: &str, source: &str) -> String {
    format!(
        r#"{{"{}_response":{source},"sign":"{}"}}"#,
        method.replace('.', "_"),
        sign(source.as_bytes())
    )
}

/// A mock that answers everything with this body.
pub(crate) async fn answering(body: impl Into<Vec<u8>>) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200)
        .insert_header("content-type", "text/html;charset=utf-8")
        .insert_header("trace_id", "trace-7")
        .set_body_bytes(body);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// A mock whose answers to each method are signed sources.
pub(crate) async fn gateway(answers: &[(&str, &str)]) -> MockServer {
    let server = MockServer::start().await;
    for (method, source) in answers {
        let answer = ResponseTemplate::new(200).set_body_string(signed(method, source));
        Mock::given(query_param("method", *method))
            .respond_with(answer)
            .mount(&server)
            .await;
    }
    server
}

/// A gateway that is told what to say between one call and the next.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<Vec<u8>>>);

impl Script {
    pub(crate) async fn start() -> (Self, MockServer) {
        let (script, server) = (Self::default(), MockServer::start().await);
        Mock::given(any())
            .respond_with(script.clone())
            .mount(&server)
            .await;
        (script, server)
    }

    pub(crate) fn say(&self, body: impl Into<Vec<u8>>) {
        *self.0.lock().unwrap() = body.into();
    }
}

impl Respond for Script {
    fn respond(&self, _request: &Request) -> ResponseTemplate {
        ResponseTemplate::new(200)
            .insert_header("trace_id", "trace-7")
            .set_body_bytes(self.0.lock().unwrap().clone())
    }
}

/// A method of the gateway that the adapter calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Place,
    Query,
    Close,
    Refund,
    QueryRefund,
}

impl Call {
    pub(crate) const ALL: [Self; 5] = [
        Self::Place,
        Self::Query,
        Self::Close,
        Self::Refund,
        Self::QueryRefund,
    ];

    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Place => "alipay.trade.precreate",
            Self::Query => "alipay.trade.query",
            Self::Close => "alipay.trade.close",
            Self::Refund => "alipay.trade.refund",
            Self::QueryRefund => "alipay.trade.fastpay.refund.query",
        }
    }

    /// The error of the call, or what it came to, in words.
    pub(crate) async fn make(self, alipay: &Alipay) -> Result<String, ChannelError> {
        match self {
            Self::Place => {
                let content = alipay.prepare_place(&place_request()).unwrap();
                alipay.place(&content).await.map(|placed| placed.code_url)
            }
            Self::Query => {
                let observed = alipay.query(trading()).await;
                observed.map(|observed| format!("{:?}", observed.status))
            }
            Self::Close => {
                let closed = alipay.close(trading()).await;
                closed.map(|closed| format!("{:?}", closed.outcome))
            }
            Self::Refund => {
                let content = alipay.prepare_refund(&refund_request()).unwrap();
                let reply = alipay.refund(&content).await;
                reply.map(|reply| format!("{:?}", reply.status))
            }
            Self::QueryRefund => {
                let reply = alipay.query_refund(&refund_query()).await;
                reply.map(|reply| format!("{:?}", reply.status))
            }
        }
    }

    /// A genuine answer of success, as the source that is signed.
    pub(crate) fn success(self) -> String {
        let facts = match self {
            Self::Place => r#""qr_code":"https://qr.alipay.com/x""#,
            Self::Query => r#""trade_no":"T1","trade_status":"TRADE_SUCCESS","total_amount":"19.90""#,
            Self::Close => r#""trade_no":"T1""#,
            Self::Refund => r#""trade_no":"T1","fund_change":"Y","refund_fee":"5.00""#,
            Self::QueryRefund => {
                r#""out_request_no":"7310000000000000002","refund_amount":"5.00","refund_status":"REFUND_SUCCESS""#
            }
        };
        format!(r#"{{"code":"10000","msg":"Success","out_trade_no":"{TRADING}",{facts}}}"#)
    }
}

/// Everything a request carried, query and form.
pub(crate) fn fields(request: &Request) -> Vec<(String, String)> {
    let query = request.url.query_pairs().into_owned();
    let form = form(&request.body);
    query.chain(form).collect()
}

fn form(body: &[u8]) -> Vec<(String, String)> {
    let url = format!("http://x/?{}", std::str::from_utf8(body).unwrap());
    let url: wiremock::http::Url = url.parse().unwrap();
    url.query_pairs().into_owned().collect()
}

pub(crate) fn field(request: &Request, name: &str) -> Option<String> {
    fields(request)
        .into_iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

pub(crate) fn biz_content(request: &Request) -> Value {
    serde_json::from_str(&field(request, "biz_content").unwrap()).unwrap()
}

pub(crate) fn is(error: &ChannelError, certainty: Certainty, kind: ErrorKind) {
    assert_eq!((error.certainty(), error.kind()), (certainty, kind), "{error}");
}

/// A notice with these fields, form-encoded and signed as Alipay does.
pub(crate) fn notice(fields: &[(&str, &str)]) -> RawNotice {
    let mut sorted: Vec<_> = fields.to_vec();
    sorted.sort_unstable();
    let message: Vec<_> = sorted
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let signature = sign(message.join("&").as_bytes());
    let mut pairs = fields.to_vec();
    pairs.extend([("sign_type", "RSA2"), ("sign", signature.as_str())]);
    encode(&pairs)
}

/// Form-encodes pairs as they are.
pub(crate) fn encode(pairs: &[(&str, &str)]) -> RawNotice {
    let mut url: wiremock::http::Url = "http://x/".parse().unwrap();
    url.query_pairs_mut().extend_pairs(pairs);
    RawNotice {
        headers: Headers::default(),
        body: url.query().unwrap().as_bytes().to_vec(),
    }
}

/// The fields of a genuine payment notice.
pub(crate) const PAID: [(&str, &str); 10] = [
    ("app_id", APP_ID),
    ("charset", "utf-8"),
    ("gmt_payment", "2026-09-21 22:13:18"),
    ("notify_id", "n-1"),
    ("out_trade_no", TRADING),
    ("seller_id", SELLER_ID),
    ("subject", "日常保洁 a+b=c"),
    ("total_amount", "19.90"),
    ("trade_no", "2026092122001400000000000001"),
    ("trade_status", "TRADE_SUCCESS"),
];
