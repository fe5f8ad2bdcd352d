//! A genuine notice, changed in every way somebody may think of: never believed, and told apart.

use serde_json::{Value, json};
use trade_core::{
    Secret,
    handler::{NoticeError, PayHandler, RawNotice},
};
use trade_wechat::WechatPay;

use crate::support::{
    MERCHANT_SERIAL, NOW, PLATFORM_SERIAL, Seal, alone, config, envelope, notice, raw, stranger_key,
    transaction,
};

const EVENT: &str = "TRANSACTION.SUCCESS";
const HEADERS: [&str; 4] = [
    "Wechatpay-Timestamp",
    "Wechatpay-Nonce",
    "Wechatpay-Signature",
    "Wechatpay-Serial",
];

type Pairs = Vec<(String, String)>;

fn genuine() -> (Pairs, Vec<u8>) {
    let body = envelope(EVENT, &transaction()).to_string().into_bytes();
    (Seal::default().headers(&body), body)
}

fn changed(name: &str, change: impl FnOnce(&mut String)) -> RawNotice {
    let (mut headers, body) = genuine();
    change(&mut headers.iter_mut().find(|(key, _)| key == name).unwrap().1);
    raw(headers, &body)
}

fn sealed(seal: &Seal, body: &Value) -> RawNotice {
    let body = body.to_string();
    raw(seal.headers(body.as_bytes()), body.as_bytes())
}

async fn refused(what: &str, notice: &RawNotice, label: &str) -> NoticeError {
    let error = alone().verify_notice(notice).await.expect_err(what);
    assert_eq!(error.label(), label, "{what}: {error}");
    assert_eq!(error.is_transient(), label == "unknown_key", "{what}");
    error
}

#[tokio::test]
async fn the_base_of_the_mutations_is_genuine() {
    let (headers, body) = genuine();
    alone().verify_notice(&raw(headers.clone(), &body)).await.unwrap();
    let lower = headers
        .into_iter()
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    alone().verify_notice(&raw(lower, &body)).await.unwrap();
}

#[tokio::test]
async fn headers_dropped_emptied_or_there_twice() {
    for name in HEADERS {
        let (headers, body) = genuine();
        let without = headers.iter().filter(|(key, _)| key != name).cloned().collect();
        let error = refused(name, &raw(without, &body), "bad_signature").await;
        assert!(error.to_string().contains(name), "{error}");
        refused(name, &changed(name, String::clear), "bad_signature").await;

        let own = headers.iter().find(|(key, _)| key == name).unwrap().clone();
        for second in [own.1.clone(), "other".to_owned()] {
            let mut twice = headers.clone();
            twice.push((name.to_uppercase(), second.clone()));
            refused(name, &raw(twice, &body), "bad_signature").await;
            let mut twice = headers.clone();
            twice.insert(0, (name.to_owned(), second));
            refused(name, &raw(twice, &body), "bad_signature").await;
        }
    }
    refused(
        "no headers at all",
        &raw(Vec::new(), &genuine().1),
        "bad_signature",
    )
    .await;
}

#[tokio::test]
async fn headers_changed() {
    for time in [
        format!("+{NOW}"),
        format!("0{NOW}"),
        format!("{NOW}.0"),
        format!("{NOW}000000000000"),
        format!("{}", NOW + 1),
        format!("{}", NOW - 1),
        "now".to_owned(),
        "2026-09-21T22:13:20+08:00".to_owned(),
    ] {
        refused(
            &time,
            &changed(HEADERS[0], |value| value.clone_from(&time)),
            "bad_signature",
        )
        .await;
    }
    for time in [NOW - 301, NOW + 301, NOW * 1_000, 0, -NOW, i64::MIN, i64::MAX] {
        let label = "stale";
        refused(
            "time",
            &changed(HEADERS[0], |value| *value = time.to_string()),
            label,
        )
        .await;
    }
    refused(
        "nonce",
        &changed(HEADERS[1], |value| value.push('0')),
        "bad_signature",
    )
    .await;
    refused(
        "nonce in capitals",
        &changed(HEADERS[1], |value| *value = value.to_uppercase()),
        "bad_signature",
    )
    .await;
    let probe = "WECHATPAY/SIGNTEST/";
    for (what, change) in [
        (
            "probe",
            &(|value: &mut String| value.insert_str(0, probe)) as &dyn Fn(&mut String),
        ),
        ("nothing but the probe", &|value| *value = probe.to_owned()),
        ("cut", &|value| value.truncate(340)),
        ("one letter off", &|value| {
            let other = if value.starts_with('A') { "B" } else { "A" };
            value.replace_range(0..1, other);
        }),
        ("twice", &|value| *value = format!("{value}{value}")),
        ("no Base64", &|value| *value = "签名".to_owned()),
        ("hexadecimal", &|value| *value = "ab".repeat(256)),
    ] {
        refused(what, &changed(HEADERS[2], change), "bad_signature").await;
    }
}

#[tokio::test]
async fn a_key_that_is_not_ours_to_trust() {
    for serial in [
        PLATFORM_SERIAL,
        MERCHANT_SERIAL,
        "PUB_KEY_ID_0",
        "0",
        "../../etc/passwd",
        "键",
    ] {
        let error = refused(
            serial,
            &changed(HEADERS[3], |value| *value = serial.to_owned()),
            "unknown_key",
        )
        .await;
        assert!(error.to_string().contains(serial), "{error}");
    }
    let long = changed(HEADERS[3], |value| *value = "9".repeat(10_000));
    assert!(refused("long", &long, "unknown_key").await.to_string().len() < 300);

    let stranger = Seal {
        key: stranger_key(),
        ..Seal::default()
    };
    refused(
        "stranger",
        &sealed(&stranger, &envelope(EVENT, &transaction())),
        "bad_signature",
    )
    .await;
}

#[tokio::test]
async fn body_changed_by_a_byte_anywhere() {
    let (headers, body) = genuine();
    for position in (0..body.len()).step_by(11) {
        let mut flipped = body.clone();
        flipped[position] ^= 1;
        refused(
            &format!("byte {position}"),
            &raw(headers.clone(), &flipped),
            "bad_signature",
        )
        .await;
    }
    let pretty = serde_json::to_vec_pretty(&serde_json::from_slice::<Value>(&body).unwrap()).unwrap();
    let text = String::from_utf8(body.clone()).unwrap();
    for (what, other) in [
        ("line feed after", format!("{text}\n").into_bytes()),
        ("blank before", format!(" {text}").into_bytes()),
        ("byte order mark", format!("\u{feff}{text}").into_bytes()),
        ("cut", body[..body.len() - 1].to_vec()),
        ("written anew", pretty),
        (
            "other event",
            text.replace("TRANSACTION.SUCCESS", "REFUND.SUCCESS").into_bytes(),
        ),
        ("other id", text.replace("EV-2026", "EV-2027").into_bytes()),
        ("empty", Vec::new()),
    ] {
        refused(what, &raw(headers.clone(), &other), "bad_signature").await;
    }
    let other = notice("REFUND.SUCCESS", &json!({}));
    refused(
        "another notice's headers",
        &raw(headers, &other.body),
        "bad_signature",
    )
    .await;
    let huge = vec![b' '; 1024 * 1024 + 1];
    refused("huge", &raw(Seal::default().headers(&huge), &huge), "malformed").await;
}

#[tokio::test]
async fn authentic_but_for_another_merchant() {
    for (pointer, value) in [
        ("mchid", "1900000002"),
        ("mchid", ""),
        ("appid", "wx0000000000000002"),
        ("appid", ""),
    ] {
        let mut plain = transaction();
        plain[pointer] = json!(value);
        let error = refused(pointer, &notice(EVENT, &plain), "wrong_merchant").await;
        assert!(error.to_string().contains(pointer), "{error}");
    }
    let refund = json!({"mchid": "1900000002", "out_trade_no": "1", "out_refund_no": "2", "refund_id": "3",
        "refund_status": "SUCCESS", "amount": {"refund": 1}});
    refused("refund", &notice("REFUND.SUCCESS", &refund), "wrong_merchant").await;
}

#[tokio::test]
async fn authentic_but_unreadable() {
    let seal = Seal::default();
    for (pointer, value, label) in [
        ("/resource/algorithm", json!("AEAD_SM4_GCM"), "malformed"),
        ("/resource/ciphertext", json!("AAAA"), "undecryptable"),
        ("/resource/ciphertext", json!("不是"), "undecryptable"),
        ("/resource/ciphertext", json!(null), "malformed"),
        ("/resource/associated_data", json!("refund"), "undecryptable"),
        ("/resource/associated_data", json!(""), "undecryptable"),
        ("/resource/nonce", json!("short"), "undecryptable"),
        ("/resource/nonce", json!("abcdefghijkL"), "undecryptable"),
        ("/resource/nonce", json!(""), "undecryptable"),
        ("/resource", json!("x"), "malformed"),
        ("/id", json!(7), "malformed"),
        ("/event_type", json!(null), "malformed"),
    ] {
        let mut body = envelope(EVENT, &transaction());
        *body.pointer_mut(pointer).unwrap() = value;
        refused(pointer, &sealed(&seal, &body), label).await;
    }
    for body in [json!(null), json!([]), json!({}), json!("text")] {
        refused("other JSON", &sealed(&seal, &body), "malformed").await;
    }
}

#[tokio::test]
async fn authentic_but_senseless_inside() {
    for (name, value) in [
        ("trade_state", json!("SETTLED")),
        ("trade_state", json!(null)),
        ("appid", json!(null)),
        ("mchid", json!(null)),
        ("out_trade_no", json!(null)),
        ("amount", json!(null)),
        ("amount", json!({"total": -1})),
        ("transaction_id", json!("")),
    ] {
        let mut plain = transaction();
        plain[name] = value;
        refused(name, &notice(EVENT, &plain), "malformed").await;
    }
    refused("empty", &notice(EVENT, &json!({})), "malformed").await;
    refused(
        "status for refund_status",
        &notice("REFUND.SUCCESS", &json!({"status": "SUCCESS"})),
        "malformed",
    )
    .await;
}

#[tokio::test]
async fn a_wrong_apiv3_key_is_named_as_the_cause() {
    let mut config = config("http://127.0.0.1:1");
    config.apiv3_key = Secret::new("ffffffffffffffffffffffffffffffff");
    let wechat = WechatPay::new(config).unwrap();
    let error = wechat
        .verify_notice(&notice(EVENT, &transaction()))
        .await
        .unwrap_err();
    assert_eq!(error.label(), "undecryptable");
    assert!(error.to_string().contains("APIv3 key"), "{error}");
    assert!(
        !crate::support::chain(&error).contains("ffff"),
        "no key in errors"
    );
}
