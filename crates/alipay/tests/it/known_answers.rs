//! Signatures and ciphers against what OpenSSL made of the same bytes; `tests/vectors/make.sh` tells how.

use trade_alipay::{Alipay, VerifyKeys};
use trade_core::{
    ErrorKind, Secret,
    handler::{Headers, NoticeFact, PayHandler, PaymentStatus, RawNotice},
};

use crate::support::{
    TRADING, alipay, answering, certificates, config, field, key_file, place_request, trading, vector,
};

const PRECREATE: &str = "alipay_trade_precreate_response";

#[tokio::test]
async fn the_request_is_signed_as_openssl_signs_it() {
    let server = answering("{}").await;
    let alipay = alipay(&server.uri());
    let content = alipay.prepare_place(&place_request()).unwrap();
    alipay.place(&content).await.unwrap_err();
    let request = &server.received_requests().await.unwrap()[0];
    assert_eq!(field(request, "sign").unwrap(), vector("precreate.signature"));
}

#[tokio::test]
async fn the_request_in_certificate_mode_too() {
    let server = answering("{}").await;
    let mut config = config(&server.uri());
    config.keys =
        VerifyKeys::certificates(key_file("app.pem"), key_file("other.pem"), key_file("bundle.crt"));
    let alipay = Alipay::new(config).unwrap();
    let content = alipay.prepare_place(&place_request()).unwrap();
    alipay.place(&content).await.unwrap_err();
    let request = &server.received_requests().await.unwrap()[0];
    assert_eq!(
        field(request, "app_cert_sn").unwrap(),
        "77a2b9d67a19eb349c7eb0d34d9af031"
    );
    let root = "5c8d42b584ec70d73a116b6c6b7d52b6_4fed9ccf4cda78cdc847e1cdacfcc747";
    assert_eq!(field(request, "alipay_root_cert_sn").unwrap(), root);
    assert_eq!(
        field(request, "sign").unwrap(),
        vector("precreate_cert.signature")
    );
}

#[tokio::test]
async fn an_answer_with_escaped_slashes_is_verified_as_it_was_signed() {
    let source = format!(
        r#"{{"code":"10000","msg":"Success","out_trade_no":"{TRADING}","qr_code":"https:\/\/qr.alipay.com\/kat"}}"#
    );
    let body = format!(
        r#"{{"{PRECREATE}":{source},"sign":"{}"}}"#,
        vector("slashes.signature")
    );
    let server = answering(body).await;
    let alipay = alipay(&server.uri());
    let placed = alipay
        .place(&alipay.prepare_place(&place_request()).unwrap())
        .await
        .unwrap();
    assert_eq!(placed.code_url, "https://qr.alipay.com/kat");
    assert_eq!(placed.answer.request_id.as_deref(), Some("trace-7"));
}

#[tokio::test]
async fn an_encrypted_answer_is_verified_with_its_quotes_and_then_opened() {
    let (content, signature) = (vector("sealed.content"), vector("sealed.signature"));
    let server = answering(format!(r#"{{"{PRECREATE}":"{content}","sign":"{signature}"}}"#)).await;
    let mut config = config(&server.uri());
    config.encrypt_key = Some(Secret::new("MDEyMzQ1Njc4OWFiY2RlZg=="));
    let alipay = Alipay::new(config).unwrap();
    let placed = alipay
        .place(&alipay.prepare_place(&place_request()).unwrap())
        .await
        .unwrap();
    assert_eq!(placed.code_url, "https://qr.alipay.com/aes");
    let request = &server.received_requests().await.unwrap()[0];
    assert_eq!(field(request, "encrypt_type").as_deref(), Some("AES"));
    assert!(
        !field(request, "biz_content").unwrap().contains("19.90"),
        "the content is sealed"
    );
}

#[tokio::test]
async fn the_serials_are_those_that_openssl_and_md5sum_make() {
    let server = answering("{}").await;
    let mut config = config(&server.uri());
    config.keys = certificates();
    let alipay = Alipay::new(config).unwrap();
    alipay.query(trading()).await.unwrap_err();
    let request = &server.received_requests().await.unwrap()[0];
    for (name, file) in [
        ("app_cert_sn", "certificates/app.sn"),
        ("alipay_root_cert_sn", "certificates/root.sn"),
        ("sign", "query_cert.signature"),
    ] {
        assert_eq!(field(request, name).unwrap(), vector(file), "{name}");
    }
}

#[tokio::test]
async fn an_answer_in_gbk_is_verified_as_bytes_and_read_as_text() {
    let text = format!(
        r#"{{"alipay_trade_query_response":{{"code":"40004","msg":"Business Failed","sub_code":"ACQ.TRADE_NOT_EXIST","sub_msg":"交易不存在，以誠為本"}},"sign":"{}"}}"#,
        vector("gbk.signature")
    );
    let (gbk, _, _) = encoding_rs::GBK.encode(&text);
    let server = answering(gbk.into_owned()).await;
    let observed = alipay(&server.uri()).query(trading()).await.unwrap();
    assert_eq!(observed.status, PaymentStatus::Waiting);
    assert_eq!(observed.answer.message, "交易不存在，以誠為本");
    // The same letters in UTF-8 are other bytes than those that were signed.
    let server = answering(text).await;
    let error = alipay(&server.uri()).query(trading()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unverifiable);
}

#[tokio::test]
async fn a_notice_is_decoded_exactly_once_and_not_touched() {
    let signature =
        form_urlencoded::byte_serialize(vector("notice_odd.signature").as_bytes()).collect::<String>();
    // A blank is written as + and as %20, hex in both cases: all of that says the same.
    for (body, subject) in [
        ("+100%2525+%26+%22a%22+%3Cb%3E+", "a%2Bb%252Bc++d%3D"),
        ("%20100%2525%20%26%20%22a%22%20%3cb%3e%20", "a%2bb%252Bc%20%20d="),
    ] {
        let form = format!(
            "sign={signature}&trade_status=TRADE_SUCCESS&app_id=2021000000000000&body={body}&charset=utf-8\
             &notify_id=kat&out_trade_no={TRADING}&seller_id=2088000000000001&subject={subject}\
             &total_amount=19.90&sign_type=RSA2&trade_no=2026092122001400000000000001"
        );
        let raw = RawNotice {
            headers: Headers::default(),
            body: form.clone().into_bytes(),
        };
        let alipay = alipay("http://127.0.0.1:1");
        assert!(alipay.verify_notice(&raw).await.is_ok(), "{form}");
        // What proxies and frameworks do to it.
        for (from, to) in [
            ("%252B", "%2B"),
            ("++", "+"),
            ("%20%20", "%20"),
            ("%22", "%26quot%3B"),
            ("%3C", "%26lt%3B"),
            ("%3c", "%26lt%3b"),
        ] {
            if !form.contains(from) {
                continue;
            }
            let raw = RawNotice {
                headers: Headers::default(),
                body: form.replace(from, to).into_bytes(),
            };
            assert!(alipay.verify_notice(&raw).await.is_err(), "{from} {to}");
        }
    }
}

#[tokio::test]
async fn notices_are_verified_in_their_own_charset() {
    let form = |charset: &str, subject: &str, signature: &str| {
        let signature = signature
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        format!(
            "app_id=2021000000000000&charset={charset}&notify_id=kat&out_trade_no={TRADING}&seller_id=2088000000000001\
             &subject={subject}&total_amount=19.90&trade_no=2026092122001400000000000001&trade_status=TRADE_SUCCESS\
             &sign_type=RSA2&sign={signature}"
        )
    };
    let utf8 = form(
        "utf-8",
        "%E6%97%A5%E5%B8%B8%E4%BF%9D%E6%B4%81+a%2Bb%3Dc",
        &vector("notice_utf8.signature"),
    );
    let gbk = form(
        "GBK",
        "%C8%D5%B3%A3%B1%A3%BD%E0%20a%2Bb%3Dc",
        &vector("notice_gbk.signature"),
    );
    for body in [utf8, gbk] {
        let raw = RawNotice {
            headers: Headers::default(),
            body: body.into_bytes(),
        };
        let notice = alipay("http://127.0.0.1:1").verify_notice(&raw).await.unwrap();
        let NoticeFact::Payment(payment) = notice.fact else {
            panic!("{:?}", notice.fact)
        };
        assert_eq!(payment.out_trade_no, TRADING);
        assert!(matches!(payment.status, PaymentStatus::Paid(paid) if paid.total.get() == 1990));
    }
}
