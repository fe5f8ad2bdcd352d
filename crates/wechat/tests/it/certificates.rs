//! Platform certificates: fetched when needed, by one, not too often, and kept while they hold.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use trade_core::{
    Certainty, ErrorKind, Secret, Timestamp,
    handler::{NoticeError, PayHandler, RawNotice},
    memory::ManualClock,
};
use trade_crypto::aead::ApiV3Key;
use trade_wechat::{Certificate, VerifyKeys, WechatPay};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

use crate::support::{
    APIV3_KEY, NOW, PLATFORM_SERIAL, PUBLIC_KEY_ID, Seal, assert_error, assert_signed, chain, clock,
    config_with, envelope, key_file, key_text, plain, raw, requests, signed, stranger_key, trading,
    transaction,
};

const CERTIFICATES: &str = "/v3/certificates";
/// The serial of `by_limited.pem`, a certificate of the other key.
const SECOND_SERIAL: &str = "09";

fn list(names: &[&str]) -> Value {
    let key = ApiV3Key::parse(APIV3_KEY).unwrap();
    let entry = |name: &&str| {
        let sealed = key
            .encrypt("certificate1", "certificate", key_text(name).as_bytes())
            .unwrap();
        json!({"serial_no": "F0", "effective_time": "2024-02-29T20:00:00+08:00",
            "expire_time": "2038-02-28T20:34:56+08:00",
            "encrypt_certificate": {"algorithm": "AEAD_AES_256_GCM", "nonce": "certificate1",
                "associated_data": "certificate", "ciphertext": sealed}})
    };
    json!({"data": names.iter().map(entry).collect::<Vec<_>>()})
}

fn certificates(names: &[&str], seal: &Seal) -> ResponseTemplate {
    seal.reply(200, list(names).to_string().as_bytes())
}

async fn serve(server: &MockServer, reply: ResponseTemplate) {
    server.reset().await;
    Mock::given(path(CERTIFICATES))
        .respond_with(reply)
        .mount(server)
        .await;
}

async fn downloads(server: &MockServer) -> usize {
    let requests = requests(server).await;
    requests
        .iter()
        .filter(|request| request.url.path() == CERTIFICATES)
        .count()
}

struct Shop {
    server: MockServer,
    clock: Arc<ManualClock>,
    wechat: WechatPay,
}

impl Shop {
    async fn new(keys: VerifyKeys, reply: ResponseTemplate) -> Self {
        let (server, clock) = (MockServer::start().await, clock());
        serve(&server, reply).await;
        let mut config = config_with(&server.uri(), keys);
        config.clock = Arc::<ManualClock>::clone(&clock);
        let wechat = WechatPay::new(config).unwrap();
        Self {
            server,
            clock,
            wechat,
        }
    }

    /// Answers everything else, signed so.
    async fn answers(&self, seal: &Seal) {
        let reply = seal.reply(200, transaction().to_string().as_bytes());
        Mock::given(wiremock::matchers::any())
            .respond_with(reply)
            .with_priority(9)
            .mount(&self.server)
            .await;
    }

    async fn notice(&self, seal: &Seal) -> Result<(), NoticeError> {
        self.wechat.verify_notice(&notice(seal)).await.map(drop)
    }

    fn go(&self, seconds: i64) {
        self.clock.set(Timestamp::from_ms((NOW + seconds) * 1_000));
    }
}

fn notice(seal: &Seal) -> RawNotice {
    let body = envelope("TRANSACTION.SUCCESS", &transaction()).to_string();
    raw(seal.headers(body.as_bytes()), body.as_bytes())
}

fn first() -> Seal {
    Seal::by_certificate()
}

fn second() -> Seal {
    Seal {
        serial: SECOND_SERIAL.into(),
        key: stranger_key(),
        ..Seal::default()
    }
}

fn at(seconds: i64, seal: Seal) -> Seal {
    Seal {
        timestamp: NOW + seconds,
        ..seal
    }
}

fn by_download() -> VerifyKeys {
    VerifyKeys::platform_certificates()
}

#[tokio::test]
async fn the_first_reply_fetches_them_and_the_next_does_not() {
    let shop = Shop::new(by_download(), certificates(&["other.pem"], &first())).await;
    shop.answers(&first()).await;
    for _ in 0..3 {
        shop.wechat.query(trading()).await.unwrap();
    }
    let requests = requests(&shop.server).await;
    assert_eq!((downloads(&shop.server).await, requests.len()), (1, 4));
    for request in requests {
        assert_signed(&request);
        assert!(
            !request.headers.contains_key("wechatpay-serial"),
            "there is no key to ask for"
        );
    }
}

#[tokio::test]
async fn many_at_once_fetch_them_once() {
    let slow = certificates(&["other.pem"], &first()).set_delay(Duration::from_millis(100));
    let shop = Shop::new(by_download(), slow).await;
    shop.answers(&first()).await;
    let wechat = Arc::new(shop.wechat);
    let calls = (0..12).map(|_| {
        let wechat = Arc::clone(&wechat);
        tokio::spawn(async move { wechat.query(trading()).await.map(drop) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(downloads(&shop.server).await, 1);
}

#[tokio::test]
async fn a_strangers_serial_asks_once_a_minute_at_most() {
    let shop = Shop::new(by_download(), certificates(&["other.pem"], &first())).await;
    for number in 0..30 {
        let stranger = Seal {
            serial: format!("ABC{number}"),
            ..second()
        };
        let error = shop.notice(&stranger).await.unwrap_err();
        assert!(
            matches!(error, NoticeError::UnknownKey(_)) && error.is_transient(),
            "{error}"
        );
    }
    assert_eq!(downloads(&shop.server).await, 1);
    shop.go(59);
    shop.notice(&at(59, second())).await.unwrap_err();
    assert_eq!(downloads(&shop.server).await, 1);
    serve(&shop.server, certificates(&["other.pem"], &at(60, first()))).await;
    shop.go(60);
    shop.notice(&at(60, second())).await.unwrap_err();
    assert_eq!(
        downloads(&shop.server).await,
        1,
        "one more since the server was told anew"
    );
    // The known key never had to wait.
    shop.notice(&at(60, first())).await.unwrap();
    // An id of a public key is never a certificate's.
    shop.go(200);
    shop.notice(&at(200, Seal::default())).await.unwrap_err();
    assert_eq!(downloads(&shop.server).await, 1);
}

#[tokio::test]
async fn a_new_certificate_is_found_when_it_first_signs() {
    let shop = Shop::new(by_download(), certificates(&["other.pem"], &first())).await;
    shop.notice(&first()).await.unwrap();
    shop.go(3_600);
    serve(
        &shop.server,
        certificates(&["other.pem", "by_limited.pem"], &at(3_600, first())),
    )
    .await;
    shop.notice(&at(3_600, second())).await.unwrap();
    // With a zero before it or without, it is the same serial.
    shop.notice(&at(
        3_600,
        Seal {
            serial: "9".into(),
            ..second()
        },
    ))
    .await
    .unwrap();
    shop.notice(&at(3_600, first())).await.unwrap();
    assert_eq!(downloads(&shop.server).await, 1);
    // Each serial goes with its own key.
    let swapped = Seal {
        serial: PLATFORM_SERIAL.into(),
        ..second()
    };
    assert_eq!(
        shop.notice(&at(3_600, swapped)).await.unwrap_err().label(),
        "bad_signature"
    );
}

#[tokio::test]
async fn they_are_looked_at_twice_a_day_and_a_failure_costs_nothing() {
    const HALF_A_DAY: i64 = 12 * 3_600;
    let shop = Shop::new(by_download(), certificates(&["other.pem"], &first())).await;
    shop.notice(&first()).await.unwrap();
    shop.go(HALF_A_DAY - 1);
    shop.notice(&at(HALF_A_DAY - 1, first())).await.unwrap();
    assert_eq!(downloads(&shop.server).await, 1);
    serve(&shop.server, plain(500, b"")).await;
    shop.go(HALF_A_DAY);
    for _ in 0..3 {
        shop.notice(&at(HALF_A_DAY, first())).await.unwrap();
    }
    assert_eq!(
        downloads(&shop.server).await,
        1,
        "one failed look since the server was told anew"
    );
}

#[tokio::test]
async fn a_list_that_is_not_wechat_pays_is_not_taken() {
    let mut sealed_otherwise = list(&["other.pem"]);
    sealed_otherwise["data"][0]["encrypt_certificate"]["associated_data"] = json!("other");
    let signed_list = |value: &Value| first().reply(200, value.to_string().as_bytes());
    for (what, reply) in [
        (
            "unsigned",
            plain(200, list(&["other.pem"]).to_string().as_bytes()),
        ),
        (
            "signed by no certificate in it",
            certificates(&["other.pem"], &second()),
        ),
        ("stale", certificates(&["other.pem"], &at(-301, first()))),
        ("does not open", signed_list(&sealed_otherwise)),
        ("empty", signed_list(&json!({"data": []}))),
        ("no list", signed_list(&json!({}))),
        ("no certificate", certificates(&["public_spki.pem"], &first())),
        ("HTML", plain(200, b"<html>")),
        ("fault", plain(500, b"")),
    ] {
        let shop = Shop::new(by_download(), reply).await;
        shop.answers(&first()).await;
        let error = shop.wechat.query(trading()).await.unwrap_err();
        assert_error(&error, Certainty::Unknown, ErrorKind::Unverifiable, what);

        shop.go(60);
        let error = shop.notice(&at(60, first())).await.unwrap_err();
        assert!(
            matches!(error, NoticeError::KeysUnavailable(_)),
            "{what}: {error}"
        );
        assert!(error.is_transient(), "{what}");
    }
}

#[tokio::test]
async fn a_wrong_apiv3_key_cannot_open_them() {
    let shop = Shop::new(by_download(), certificates(&["other.pem"], &first())).await;
    let mut config = config_with(&shop.server.uri(), by_download());
    config.apiv3_key = Secret::new("ffffffffffffffffffffffffffffffff");
    let wechat = WechatPay::new(config).unwrap();
    let error = wechat.verify_notice(&notice(&first())).await.unwrap_err();
    assert!(chain(&error).contains("APIv3 key"), "{}", chain(&error));
}

#[tokio::test]
async fn a_merchant_without_certificates_is_told_of_the_public_key() {
    let refusal = json!({"code": "RESOURCE_NOT_EXISTS",
        "message": "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。"});
    let shop = Shop::new(by_download(), plain(404, refusal.to_string().as_bytes())).await;
    shop.answers(&first()).await;
    let error = shop.wechat.query(trading()).await.unwrap_err();
    assert!(chain(&error).contains("PUB_KEY_ID_"), "{}", chain(&error));
    shop.go(60);
    let error = shop.notice(&at(60, first())).await.unwrap_err();
    assert!(chain(&error).contains("PUB_KEY_ID_"), "{}", chain(&error));
}

#[tokio::test]
async fn while_changing_to_the_public_key_both_sign() {
    let keys = || VerifyKeys::migrating(PUBLIC_KEY_ID, key_file("other_public.pem"));
    // The list, too, may be signed with either.
    for seal in [Seal::default(), second()] {
        let shop = Shop::new(keys(), certificates(&["by_limited.pem"], &seal)).await;
        shop.notice(&Seal::default()).await.unwrap();
        assert_eq!(downloads(&shop.server).await, 0, "the public key needs no list");
        shop.notice(&second()).await.unwrap();
        shop.notice(&Seal::default()).await.unwrap();
        assert_eq!(downloads(&shop.server).await, 1);
        assert_eq!(
            requests(&shop.server).await[0].headers["wechatpay-serial"],
            PUBLIC_KEY_ID
        );
    }
    // Neither stands in for the other.
    let shop = Shop::new(keys(), certificates(&["by_limited.pem"], &second())).await;
    let swapped = Seal {
        serial: SECOND_SERIAL.into(),
        ..Seal::default()
    };
    assert_eq!(shop.notice(&swapped).await.unwrap_err().label(), "bad_signature");
    let swapped = Seal {
        key: stranger_key(),
        ..Seal::default()
    };
    assert_eq!(shop.notice(&swapped).await.unwrap_err().label(), "bad_signature");
}

#[tokio::test]
async fn given_certificates_work_without_download_until_they_expire() {
    let mut keys = VerifyKeys::platform_certificates();
    keys.download = false;
    keys.certificates = vec![key_file("other.pem"), key_text("expired.pem")];
    let shop = Shop::new(keys, signed(500, &json!({}))).await;
    shop.notice(&first()).await.unwrap();
    shop.notice(&Seal {
        serial: PLATFORM_SERIAL.to_lowercase(),
        ..first()
    })
    .await
    .unwrap();
    // `expired.pem` has the right key, and no say any more.
    let error = shop
        .notice(&Seal {
            serial: "03".into(),
            ..first()
        })
        .await
        .unwrap_err();
    assert_eq!(error.label(), "unknown_key");
    shop.notice(&second()).await.unwrap_err();
    assert!(requests(&shop.server).await.is_empty());
}

#[tokio::test]
async fn given_certificates_are_looked_at_anew_where_download_is_on() {
    let mut keys = by_download();
    keys.certificates = vec![key_file("other.pem")];
    let shop = Shop::new(keys.clone(), certificates(&["by_limited.pem"], &second())).await;
    shop.notice(&first()).await.unwrap();
    assert_eq!(downloads(&shop.server).await, 1);
    // The new one is here before it signs anything, and the given one stays.
    shop.notice(&second()).await.unwrap();
    shop.notice(&first()).await.unwrap();
    assert_eq!(downloads(&shop.server).await, 1);

    // WeChat Pay being down does not stop what is known already.
    let shop = Shop::new(keys, plain(503, b"")).await;
    for _ in 0..3 {
        shop.notice(&first()).await.unwrap();
    }
    assert_eq!(downloads(&shop.server).await, 1);
}

#[tokio::test]
async fn they_can_be_asked_for() {
    let reply = certificates(&["other.pem", "by_limited.pem"], &first());
    let shop = Shop::new(by_download(), reply).await;
    let found = shop.wechat.download_certificates().await.unwrap();
    let serials: Vec<String> = found.iter().map(Certificate::serial_hex).collect();
    assert_eq!(serials, [PLATFORM_SERIAL, SECOND_SERIAL]);
    shop.notice(&second()).await.unwrap();
    assert_eq!(downloads(&shop.server).await, 1, "they are kept");

    let refusal = json!({"code": "RESOURCE_NOT_EXISTS", "message": "无可用的平台证书"});
    serve(&shop.server, plain(404, refusal.to_string().as_bytes())).await;
    let error = shop.wechat.download_certificates().await.unwrap_err();
    assert_error(&error, Certainty::Rejected, ErrorKind::NotFound, "none");
    assert!(error.hint().contains("PUB_KEY_ID_"), "{error}");
}
