//! What the OpenSSL command and Python computed, byte for byte. `tests/vectors/make.sh` tells how.

use trade_core::{
    Fen, Timestamp, TransactionId,
    handler::{CloseOutcome, NoticeFact, PayHandler, Payment, PaymentStatus},
};
use trade_wechat::{VerifyKeys, WechatPay};
use wiremock::ResponseTemplate;

use crate::support::{
    MCHID, MERCHANT_SERIAL, NONCE, NOW, PLATFORM_SERIAL, PUBLIC_KEY_ID, TRADING, alone, answering,
    config_with, place_content, plain, raw, requests, trading, wechat, with_headers,
};

fn vector(name: &str) -> String {
    let path = format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn authorization(signature: &str) -> String {
    format!(
        r#"WECHATPAY2-SHA256-RSA2048 mchid="{MCHID}",nonce_str="{NONCE}",timestamp="{NOW}",serial_no="{MERCHANT_SERIAL}",signature="{signature}""#
    )
}

fn headers(signature: &str, nonce: &str) -> Vec<(String, String)> {
    [
        ("Wechatpay-Timestamp", NOW.to_string()),
        ("Wechatpay-Nonce", nonce.to_owned()),
        ("Wechatpay-Signature", vector(signature)),
        ("Wechatpay-Serial", PUBLIC_KEY_ID.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn reply(status: u16, body: &str, signature: &str) -> ResponseTemplate {
    with_headers(plain(status, body.as_bytes()), &headers(signature, "replynonce"))
}

#[tokio::test]
async fn a_get_with_a_query_is_signed_as_openssl_signs_it() {
    let server = answering(plain(500, b"")).await;
    wechat(&server).query(trading()).await.unwrap_err();
    let requests = requests(&server).await;
    assert_eq!(
        requests[0].headers["authorization"],
        authorization(&vector("get.signature"))
    );
}

#[tokio::test]
async fn a_body_with_chinese_text_is_signed_as_openssl_signs_it() {
    let server = answering(reply(200, &vector("reply.body"), "reply.signature")).await;
    let wechat = wechat(&server);
    let content = place_content(&wechat);
    assert_eq!(content.as_str(), vector("place.body"));
    let placed = wechat.place(&content).await.unwrap();
    // The reply was verified against OpenSSL's signature over its raw bytes.
    assert_eq!(placed.code_url, "weixin://wxpay/bizpayurl?pr=KAT0000zz");
    assert_eq!(placed.answer.body, vector("reply.body"));
    let requests = requests(&server).await;
    assert_eq!(
        requests[0].headers["authorization"],
        authorization(&vector("place.signature"))
    );
    assert_eq!(requests[0].body, vector("place.body").as_bytes());
}

#[tokio::test]
async fn an_empty_204_is_verified_over_an_empty_line() {
    let server = answering(reply(204, "", "empty.signature")).await;
    let closed = wechat(&server).close(trading()).await.unwrap();
    assert_eq!(closed.outcome, CloseOutcome::Closed);

    let server = answering(reply(204, "", "reply.signature")).await;
    wechat(&server).close(trading()).await.unwrap_err();
}

#[tokio::test]
async fn a_notice_sealed_by_python_and_signed_by_openssl_is_read() {
    let body = vector("notice.body");
    let notice = raw(headers("notice.signature", "noticenonce"), body.as_bytes());
    let verified = alone().verify_notice(&notice).await.unwrap();
    assert_eq!(verified.notice_id, "EV-2026092122131800001");
    assert_eq!(verified.answer.body, vector("notice.plain"));
    let NoticeFact::Payment(payment) = verified.fact else {
        panic!("{:?}", verified.fact);
    };
    assert_eq!(payment.out_trade_no, TRADING.to_string());
    let expected = Payment {
        transaction_id: TransactionId::new("4200002026092100000000000001"),
        total: Fen::new(1_990).unwrap(),
        currency: "CNY".into(),
        payer_total: Some(Fen::new(1_890).unwrap()),
        paid_at: Some(Timestamp::from_ms((NOW - 2) * 1_000)),
        payer_id: Some("oKAT0001".into()),
    };
    assert_eq!(payment.status, PaymentStatus::Paid(expected));
}

#[tokio::test]
async fn a_list_of_certificates_sealed_by_python_and_signed_by_openssl_is_read() {
    let mut signed = headers("list.signature", "listnonce");
    signed.retain(|(name, _)| name != "Wechatpay-Serial");
    signed.push(("Wechatpay-Serial".into(), PLATFORM_SERIAL.into()));
    let server = answering(with_headers(plain(200, vector("list.body").as_bytes()), &signed)).await;
    let config = config_with(&server.uri(), VerifyKeys::platform_certificates());
    let wechat = WechatPay::new(config).unwrap();
    let certificates = wechat.download_certificates().await.unwrap();
    assert_eq!(certificates.len(), 1);
    assert_eq!(certificates[0].serial_hex(), PLATFORM_SERIAL);
    let requests = requests(&server).await;
    assert_eq!(
        requests[0].headers["authorization"],
        authorization(&vector("list.request.signature"))
    );
}
