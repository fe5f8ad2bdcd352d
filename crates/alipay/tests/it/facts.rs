//! What a believed answer says of a payment, and the spellings it may come in.

use trade_alipay::Alipay;
use trade_core::{
    Certainty::Unknown,
    ErrorKind as Kind, Fen, Secret,
    handler::{PayHandler, Payment, PaymentStatus},
};

use crate::support::{TRADING, alipay, answering, config, gateway, is, place_request, sign, trading, vector};

const QUERY: &str = "alipay.trade.query";

async fn queried(facts: &str) -> PaymentStatus {
    let source = format!(
        r#"{{"code":"10000","msg":"Success","out_trade_no":"{TRADING}","trade_status":"TRADE_SUCCESS"{facts}}}"#
    );
    let server = gateway(&[(QUERY, &source)]).await;
    alipay(&server.uri()).query(trading()).await.unwrap().status
}

async fn paid(facts: &str) -> Payment {
    match queried(facts).await {
        PaymentStatus::Paid(payment) => payment,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_payment_is_told_with_everything_that_was_said() {
    let payment = paid(
        r#","trade_no":"T1","total_amount":"19.90","buyer_pay_amount":"15.9","receipt_amount":"19.90","send_pay_date":"2026-09-21 22:13:18","buyer_user_id":"2088000000000042","buyer_open_id":"open-1","trans_currency":"CNY""#,
    )
    .await;
    assert_eq!(payment.transaction_id.as_str(), "T1");
    assert_eq!(
        (payment.total.get(), payment.payer_total.map(Fen::get)),
        (1990, Some(1590))
    );
    assert_eq!(payment.paid_at.unwrap().to_beijing_text(), "2026-09-21 22:13:18");
    assert_eq!(payment.payer_id.as_deref(), Some("2088000000000042"));
    assert_eq!(payment.currency, "CNY");
}

#[tokio::test]
async fn what_was_not_said_is_not_made_up() {
    for facts in [
        "",
        r#","buyer_pay_amount":"","send_pay_date":"","buyer_user_id":"","buyer_open_id":"","trans_currency":"""#,
        r#","buyer_pay_amount":null,"send_pay_date":null,"buyer_user_id":null,"trans_currency":null"#,
        r#","send_pay_date":"yesterday","buyer_pay_amount":"a lot""#,
    ] {
        let payment = paid(&format!(r#","trade_no":"T1","total_amount":"19.90"{facts}"#)).await;
        assert_eq!(
            (payment.payer_total, payment.paid_at, payment.payer_id.as_deref()),
            (None, None, None),
            "{facts}"
        );
        assert_eq!(payment.currency, "CNY", "{facts}");
    }
    // New apps get an open id only, and another currency is passed on for the money to be compared.
    let facts = r#","trade_no":"T1","total_amount":"19.90","buyer_open_id":"open-1","trans_currency":"USD""#;
    let payment = paid(facts).await;
    assert_eq!(payment.payer_id.as_deref(), Some("open-1"));
    assert_eq!(payment.currency, "USD");
}

#[tokio::test]
async fn a_payment_without_its_number_or_its_amount_is_no_payment() {
    for facts in [
        "",
        r#","trade_no":"T1""#,
        r#","trade_no":"T1","total_amount":"""#,
        r#","trade_no":"T1","total_amount":"19.905""#,
        r#","trade_no":"T1","total_amount":"-19.90""#,
        r#","trade_no":"T1","total_amount":"1e3""#,
        r#","trade_no":"T1","total_amount":19.90"#,
        r#","trade_no":"","total_amount":"19.90""#,
        r#","total_amount":"19.90""#,
        r#","trade_no":"T1","total_amount":"19.90","total_amount":"0.01""#,
    ] {
        let source =
            format!(r#"{{"code":"10000","out_trade_no":"{TRADING}","trade_status":"TRADE_SUCCESS"{facts}}}"#);
        let server = gateway(&[(QUERY, &source)]).await;
        let error = alipay(&server.uri()).query(trading()).await.unwrap_err();
        is(&error, Unknown, Kind::Nonsense);
    }
}

#[tokio::test]
async fn a_place_without_a_code_is_not_placed() {
    for facts in ["", r#","qr_code":"""#, r#","qr_code":null"#, r#","qr_code":5"#] {
        let source = format!(r#"{{"code":"10000","out_trade_no":"{TRADING}"{facts}}}"#);
        let server = gateway(&[("alipay.trade.precreate", &source)]).await;
        let alipay = alipay(&server.uri());
        let content = alipay.prepare_place(&place_request()).unwrap();
        let error = alipay.place(&content).await.unwrap_err();
        is(&error, Unknown, Kind::Nonsense);
    }
}

/// The waiting answer as `{root}: source`, with the signature written as it is given.
fn waiting(signature: &str) -> String {
    format!(r#"{{"sign":"{signature}","alipay_trade_query_response":{WAITING}}}"#)
}

const WAITING: &str = r#"{"code":"10000","trade_no":"T1","trade_status":"WAIT_BUYER_PAY"}"#;

#[tokio::test]
async fn a_signature_may_be_escaped_like_any_json_text() {
    let signature = sign(WAITING.as_bytes());
    assert!(signature.contains('/') && signature.contains('+') && signature.contains('='));
    for written in [
        signature.clone(),
        signature.replace('/', r"\/"),
        signature.replace('=', r"\u003d").replace('+', r"\u002B"),
    ] {
        let server = answering(waiting(&written)).await;
        let observed = alipay(&server.uri()).query(trading()).await.unwrap();
        assert_eq!(observed.status, PaymentStatus::Waiting, "{written}");
    }
    // Not JSON's escapes, and not the signature.
    for written in [
        signature.replace('+', "%2B"),
        signature.replace('+', " "),
        signature.replace('=', ""),
        signature.replace('/', "_").replace('+', "-"),
    ] {
        let server = answering(waiting(&written)).await;
        let error = alipay(&server.uri()).query(trading()).await.unwrap_err();
        is(&error, Unknown, Kind::Unverifiable);
    }
}

#[tokio::test]
async fn an_encrypted_answer_with_escaped_slashes_is_opened_too() {
    let (content, signature) = (vector("sealed.content"), vector("sealed.signature"));
    assert!(content.contains('/'), "there is something to escape");
    let body = format!(r#"{{"alipay_trade_precreate_response":"{content}","sign":"{signature}"}}"#);
    let server = answering(body.replace('/', r"\/")).await;
    let mut config = config(&server.uri());
    config.encrypt_key = Some(Secret::new("MDEyMzQ1Njc4OWFiY2RlZg=="));
    let alipay = Alipay::new(config).unwrap();
    let content = alipay.prepare_place(&place_request()).unwrap();
    let placed = alipay.place(&content).await.unwrap();
    assert_eq!(placed.code_url, "https://qr.alipay.com/aes");
}

#[tokio::test]
async fn an_encrypted_answer_that_cannot_be_opened_is_not_believed() {
    let (content, signature) = (vector("sealed.content"), vector("sealed.signature"));
    let body = format!(r#"{{"alipay_trade_precreate_response":"{content}","sign":"{signature}"}}"#);
    for (key, kind, advice) in [
        (
            Some("ZmVkY2JhOTg3NjU0MzIxMA=="),
            Kind::Unverifiable,
            "encrypt_key",
        ),
        (None, Kind::Nonsense, "encrypt_key"),
    ] {
        let server = answering(body.clone()).await;
        let mut config = config(&server.uri());
        config.encrypt_key = key.map(Secret::new);
        let alipay = Alipay::new(config).unwrap();
        let content = alipay.prepare_place(&place_request()).unwrap();
        let error = alipay.place(&content).await.unwrap_err();
        is(&error, Unknown, kind);
        assert!(error.to_string().contains(advice), "{error}");
        assert!(!error.to_string().contains("ZmVkY2Jh"), "{error}");
    }
    // The signature is over the sealed text with its quotes: without them, or over what is inside, it is none.
    let inside = format!(
        r#"{{"code":"10000","msg":"Success","out_trade_no":"{TRADING}","qr_code":"https://qr.alipay.com/aes"}}"#
    );
    for signature in [sign(content.as_bytes()), sign(inside.as_bytes())] {
        let server = answering(format!(
            r#"{{"alipay_trade_precreate_response":"{content}","sign":"{signature}"}}"#
        ))
        .await;
        let mut config = config(&server.uri());
        config.encrypt_key = Some(Secret::new("MDEyMzQ1Njc4OWFiY2RlZg=="));
        let alipay = Alipay::new(config).unwrap();
        let place = alipay.prepare_place(&place_request()).unwrap();
        is(
            &alipay.place(&place).await.unwrap_err(),
            Unknown,
            Kind::Unverifiable,
        );
    }
}

#[test]
fn a_key_pasted_into_the_field_of_a_url_is_not_repeated() {
    let key = std::fs::read_to_string(crate::support::key_file("key_pkcs8.pem")).unwrap();
    let letters: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    for pasted in [&key, &letters] {
        for gateway in [true, false] {
            let mut config = config("http://127.0.0.1:1");
            let field = if gateway {
                &mut config.gateway_url
            } else {
                &mut config.notify_url
            };
            pasted.clone_into(field);
            let error = Alipay::new(config).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(error.field.ends_with("_url"), "{}", error.field);
            assert!(!shown.contains(&letters[100..140]), "{shown}");
        }
    }
}
