//! A merchant, a WeChat Pay that signs what it is told to, and a clock that stands still.

use std::{
    error::Error as StdError,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde_json::{Value, json};
use trade_core::{
    Amount, Certainty, ChannelError, EnterpriseId, ErrorKind, RefundNo, Secret, Timestamp, TradingOrderNo,
    handler::{Headers, PayHandler, PlaceRequest, RawNotice, RefundQuery, RefundRequest, RequestContent},
    memory::ManualClock,
    port::Random,
};
use trade_crypto::{PrivateKey, PublicKey, aead::ApiV3Key};
use trade_wechat::{VerifyKeys, WechatConfig, WechatPay};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

pub(crate) const NOW: i64 = 1_790_000_000;
pub(crate) const NONCE: &str = "000102030405060708090a0b0c0d0e0f";
pub(crate) const MCHID: &str = "1900000001";
pub(crate) const APPID: &str = "wx5a4d000000000001";
pub(crate) const APIV3_KEY: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000000012026";
pub(crate) const MERCHANT_SERIAL: &str = "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567";
/// The serial of `other.pem`, the platform certificate.
pub(crate) const PLATFORM_SERIAL: &str = "F0E1D2C3B4A5968778695A4B3C2D1E0F00112233";
pub(crate) const NOTIFY_URL: &str = "https://pay.example.com/trade/open/notify/wx/1001";
pub(crate) const TRADING: i64 = 7_310_000_000_000_000_001;
pub(crate) const REFUND: i64 = 7_310_000_000_000_000_002;
pub(crate) const NATIVE: &str = "/v3/pay/transactions/native";

/// The file of a key that trade-crypto tests with.
pub(crate) fn key_file(name: &str) -> String {
    let folder: PathBuf = [
        env!("CARGO_MANIFEST_DIR"),
        "..",
        "trade-crypto",
        "tests",
        "vectors",
        name,
    ]
    .iter()
    .collect();
    folder.to_str().unwrap().to_owned()
}

pub(crate) fn key_text(name: &str) -> String {
    std::fs::read_to_string(key_file(name)).unwrap()
}

/// Nonces that are always [`NONCE`].
#[derive(Debug)]
pub(crate) struct Counting;

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        for (place, byte) in buffer.iter_mut().zip(0..) {
            *place = byte;
        }
    }
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_ms(NOW * 1_000)))
}

pub(crate) fn public_key_mode() -> VerifyKeys {
    VerifyKeys::public_key(PUBLIC_KEY_ID, key_file("other_public.pem"))
}

pub(crate) fn config_with(url: &str, keys: VerifyKeys) -> WechatConfig {
    let mut config = WechatConfig::new(
        EnterpriseId::new(1001).unwrap(),
        MCHID,
        APPID,
        Secret::new(key_file("key_pkcs8.pem")),
        Secret::new(APIV3_KEY),
        keys,
        NOTIFY_URL,
    );
    config.certificate = Some(key_file("app.pem"));
    config.base_url = url.to_owned();
    config.backup_url = None;
    config.clock = clock();
    config.random = Arc::new(Counting);
    config
}

pub(crate) fn config(url: &str) -> WechatConfig {
    config_with(url, public_key_mode())
}

pub(crate) fn wechat(server: &MockServer) -> WechatPay {
    WechatPay::new(config(&server.uri())).unwrap()
}

/// An adapter that has nobody to talk to.
pub(crate) fn alone() -> WechatPay {
    WechatPay::new(config("http://127.0.0.1:1")).unwrap()
}

pub(crate) fn trading() -> TradingOrderNo {
    TradingOrderNo::new(TRADING).unwrap()
}

pub(crate) fn refund_query() -> RefundQuery {
    RefundQuery {
        out_refund_no: REFUND.to_string(),
        trading_order_no: trading(),
    }
}

pub(crate) fn place_request() -> PlaceRequest {
    PlaceRequest {
        trading_order_no: trading(),
        amount: Amount::new(1_990).unwrap(),
        memo: "日常保洁 2 小时".into(),
        expires_at: Timestamp::from_ms((NOW + 7_200) * 1_000),
    }
}

pub(crate) fn refund_request() -> RefundRequest {
    RefundRequest {
        refund_no: RefundNo::new(REFUND).unwrap(),
        trading_order_no: trading(),
        amount: Amount::new(500).unwrap(),
        total: Amount::new(1_990).unwrap(),
        reason: Some("师傅未上门".into()),
    }
}

pub(crate) fn place_content(wechat: &WechatPay) -> RequestContent {
    wechat.prepare_place(&place_request()).unwrap()
}

fn load(name: &'static str, cell: &'static OnceLock<PrivateKey>) -> &'static PrivateKey {
    cell.get_or_init(|| PrivateKey::load(&key_file(name)).unwrap())
}

/// WeChat Pay's key.
pub(crate) fn platform_key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    load("other_pkcs8.pem", &KEY)
}

/// Somebody else's key: the merchant's own.
pub(crate) fn stranger_key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    load("key_pkcs8.pem", &KEY)
}

/// How something is signed.
#[derive(Clone)]
pub(crate) struct Seal {
    pub(crate) serial: String,
    pub(crate) timestamp: i64,
    pub(crate) key: &'static PrivateKey,
}

impl Default for Seal {
    fn default() -> Self {
        Self {
            serial: PUBLIC_KEY_ID.to_owned(),
            timestamp: NOW,
            key: platform_key(),
        }
    }
}

impl Seal {
    pub(crate) fn by_certificate() -> Self {
        Self {
            serial: PLATFORM_SERIAL.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn headers(&self, body: &[u8]) -> Vec<(String, String)> {
        let nonce = "c5ac7061fccab6bf3e254dcf98995b8c";
        let mut message = format!("{}\n{nonce}\n", self.timestamp).into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        let signature = self.key.sign_sha256(&message).unwrap();
        [
            ("Wechatpay-Timestamp", self.timestamp.to_string()),
            ("Wechatpay-Nonce", nonce.to_owned()),
            ("Wechatpay-Signature", signature),
            ("Wechatpay-Serial", self.serial.clone()),
            ("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// A reply signed so.
    pub(crate) fn reply(&self, status: u16, body: &[u8]) -> ResponseTemplate {
        with_headers(plain(status, body), &self.headers(body))
    }
}

/// An unsigned reply.
pub(crate) fn plain(status: u16, body: &[u8]) -> ResponseTemplate {
    let reply = ResponseTemplate::new(status).insert_header("Request-ID", "08F78BB5-0");
    if status == 204 {
        return reply;
    }
    reply.set_body_raw(body, "application/json; charset=utf-8")
}

pub(crate) fn with_headers(mut reply: ResponseTemplate, headers: &[(String, String)]) -> ResponseTemplate {
    for (name, value) in headers {
        reply = reply.insert_header(name.as_str(), value.as_str());
    }
    reply
}

pub(crate) fn signed(status: u16, body: &Value) -> ResponseTemplate {
    Seal::default().reply(status, body.to_string().as_bytes())
}

/// A server that answers everything like this.
pub(crate) async fn answering(reply: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(reply).mount(&server).await;
    server
}

pub(crate) async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

/// The path with its query.
pub(crate) fn target(request: &Request) -> String {
    match request.url.query() {
        Some(query) => format!("{}?{query}", request.url.path()),
        None => request.url.path().to_owned(),
    }
}

/// One value of an `Authorization` header.
pub(crate) fn part<'a>(authorization: &'a str, name: &str) -> &'a str {
    let (_, rest) = authorization.split_once(&format!("{name}=\"")).unwrap();
    rest.split_once('"').unwrap().0
}

/// Fails unless the request is signed with the merchant's key over what was really sent.
pub(crate) fn assert_signed(request: &Request) {
    let header = request.headers["authorization"].to_str().unwrap();
    assert!(header.starts_with("WECHATPAY2-SHA256-RSA2048 "), "{header}");
    assert_eq!(part(header, "mchid"), MCHID);
    assert_eq!(part(header, "serial_no"), MERCHANT_SERIAL);
    let mut message = format!(
        "{}\n{}\n{}\n{}\n",
        request.method,
        target(request),
        part(header, "timestamp"),
        part(header, "nonce_str")
    )
    .into_bytes();
    message.extend_from_slice(&request.body);
    message.push(b'\n');
    let key = PublicKey::load(&key_file("public_spki.pem")).unwrap();
    key.verify_sha256(&message, part(header, "signature")).unwrap();
}

/// A paid transaction, as a query answers it and as a notice holds it.
pub(crate) fn transaction() -> Value {
    json!({
        "appid": APPID, "mchid": MCHID, "out_trade_no": TRADING.to_string(),
        "transaction_id": "4200002026092100000000000001", "trade_type": "NATIVE", "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功", "bank_type": "OTHERS", "attach": "",
        "success_time": "2026-09-21T22:13:18+08:00", "payer": {"openid": "oPAYER"},
        "amount": {"total": 1990, "payer_total": 1890, "currency": "CNY", "payer_currency": "CNY"},
        "promotion_detail": [],
    })
}

/// A refund, as create and query answer it.
pub(crate) fn refund_body(status: &str) -> Value {
    json!({
        "refund_id": "50000002026092100000000000001", "out_refund_no": REFUND.to_string(),
        "transaction_id": "4200002026092100000000000001", "out_trade_no": TRADING.to_string(),
        "channel": "ORIGINAL", "user_received_account": "支付用户零钱", "create_time": "2026-09-21T22:13:20+08:00",
        "status": status, "funds_account": "UNSETTLED",
        "amount": {"total": 1990, "refund": 500, "payer_total": 1890, "payer_refund": 475, "currency": "CNY",
            "from": [], "settlement_refund": 500, "settlement_total": 1990, "discount_refund": 25},
        "promotion_detail": [],
    })
}

/// A notice of `event` about `plain`, not signed yet.
pub(crate) fn envelope(event: &str, plain: &Value) -> Value {
    let kind = if event.starts_with("REFUND") {
        "refund"
    } else {
        "transaction"
    };
    let key = ApiV3Key::parse(APIV3_KEY).unwrap();
    let ciphertext = key
        .encrypt("abcdefghijkl", kind, plain.to_string().as_bytes())
        .unwrap();
    json!({
        "id": "EV-2026092122131800001", "create_time": "2026-09-21T22:13:18+08:00",
        "resource_type": "encrypt-resource", "event_type": event, "summary": "支付成功",
        "resource": {"original_type": kind, "algorithm": "AEAD_AES_256_GCM", "ciphertext": ciphertext,
            "associated_data": kind, "nonce": "abcdefghijkl"},
    })
}

pub(crate) fn raw(headers: Vec<(String, String)>, body: &[u8]) -> RawNotice {
    RawNotice {
        headers: Headers::new(headers),
        body: body.to_vec(),
    }
}

/// A genuine notice.
pub(crate) fn notice(event: &str, plain: &Value) -> RawNotice {
    let body = envelope(event, plain).to_string();
    raw(Seal::default().headers(body.as_bytes()), body.as_bytes())
}

/// The lines of an error and of its causes.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut lines = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        lines.push_str(&format!("\n{cause}"));
        next = cause.source();
    }
    lines
}

pub(crate) fn assert_error(error: &ChannelError, certainty: Certainty, kind: ErrorKind, what: &str) {
    assert_eq!(
        (error.certainty(), error.kind()),
        (certainty, kind),
        "{what}: {}",
        chain(error)
    );
}

pub(crate) const SHORT: Duration = Duration::from_millis(300);
