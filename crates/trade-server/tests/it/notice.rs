//! Notices over HTTP: taken once, and nothing forged is believed.

use axum::http::{HeaderMap, HeaderValue, StatusCode};

use crate::world::{Tapped, World};

/// Creates and pays with the notices held back, and returns the number and the genuine notice.
async fn genuine(world: &World, channel: &str) -> (String, Tapped) {
    world.hold_notices();
    let created = world.create(channel, 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap().to_owned();
    world.pay(channel, &number);
    (number, world.tapped().await)
}

#[tokio::test]
async fn fifty_at_once_are_one_transition_and_one_event() {
    for channel in ["WECHAT_PAY", "ALI_PAY"] {
        let world = World::new().await;
        let (number, notice) = genuine(&world, channel).await;
        let sends = (0..50).map(|_| world.send(&notice));
        let answers = futures_util::future::join_all(sends).await;
        assert!(answers.iter().all(StatusCode::is_success), "{answers:?}");
        assert_eq!(world.row(&number).await["tradingState"], 4);
        let (_, history) = world
            .get(&format!("/trade/inner/tradings/{number}/history"))
            .await;
        assert_eq!(history.as_array().unwrap().len(), 3);
        assert_eq!(world.announced().await.len(), 1);
    }
}

#[tokio::test]
async fn forty_mutations_change_nothing() {
    for channel in ["WECHAT_PAY", "ALI_PAY"] {
        let world = World::new().await;
        let (number, notice) = genuine(&world, channel).await;
        // The poll would settle it rightly; only the notices are judged here.
        let mutations = mutations(&notice);
        assert!(mutations.len() >= 40, "{}", mutations.len());
        let before = world.row(&number).await["state"].clone();
        for (name, mutation) in mutations {
            let status = world.send(&mutation).await;
            assert!(status.is_client_error(), "{channel} {name}: {status}");
        }
        if before != "settled" {
            let (_, history) = world
                .get(&format!("/trade/inner/tradings/{number}/history"))
                .await;
            let causes: Vec<_> = history
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| entry["cause"].clone())
                .collect();
            assert!(!causes.contains(&serde_json::json!("notice")), "{causes:?}");
        }
        assert_eq!(
            world.send(&notice).await,
            StatusCode::OK,
            "the genuine one is still taken"
        );
    }
}

/// Forty-odd ways to tamper with a genuine notice.
fn mutations(notice: &Tapped) -> Vec<(String, Tapped)> {
    let mut all = header_mutations(notice);
    let length = notice.body.len();
    for part in 0..24 {
        let mut bent = notice.clone();
        let at = length * part / 24;
        bent.body[at] = if bent.body[at] == b'7' { b'8' } else { b'7' };
        all.push((format!("byte {at}"), bent));
    }
    for (name, body) in [
        ("empty", Vec::new()),
        ("half", notice.body[..length / 2].to_vec()),
        ("one byte less", notice.body[..length - 1].to_vec()),
        ("a byte more", [notice.body.as_slice(), b" "].concat()),
        ("twice", [notice.body.as_slice(), notice.body.as_slice()].concat()),
        ("no text", vec![0xff; 64]),
        ("other", br#"{"id":"EV-1"}"#.to_vec()),
        (
            "form",
            b"out_trade_no=1&total_amount=19.90&trade_status=TRADE_SUCCESS".to_vec(),
        ),
        ("xml", b"<xml><return_code>SUCCESS</return_code></xml>".to_vec()),
        ("reversed", notice.body.iter().rev().copied().collect()),
    ] {
        all.push((
            name.into(),
            Tapped {
                body,
                ..notice.clone()
            },
        ));
    }
    all
}

fn header_mutations(notice: &Tapped) -> Vec<(String, Tapped)> {
    let mut all = Vec::new();
    let signed = [
        "wechatpay-timestamp",
        "wechatpay-nonce",
        "wechatpay-signature",
        "wechatpay-serial",
    ];
    if !notice.headers.contains_key(signed[0]) {
        // Alipay signs the body only; its fields are mutated instead.
        let text = String::from_utf8(notice.body.clone()).unwrap();
        for (from, to) in [
            ("total_amount=19.90", "total_amount=0.01"),
            ("trade_status=TRADE_SUCCESS", "trade_status=TRADE_FINISHED"),
            ("sign_type=RSA2", "sign_type=RSA"),
            ("&sign=", "&unsigned="),
            ("app_id=", "app_id=1"),
            ("out_trade_no=", "out_trade_no=1"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from} is in the notice: {text}");
            all.push((
                from.to_owned(),
                Tapped {
                    body: changed.into_bytes(),
                    ..notice.clone()
                },
            ));
        }
        return all;
    }
    for name in signed {
        let mut dropped = notice.headers.clone();
        dropped.remove(name);
        all.push((format!("without {name}"), with(notice, dropped)));
        let mut doubled = notice.headers.clone();
        doubled.append(name, HeaderValue::from_static("1"));
        all.push((format!("{name} twice"), with(notice, doubled)));
    }
    for (name, value) in [
        ("wechatpay-signature", "WECHATPAY/SIGNTEST/abcdef"),
        ("wechatpay-signature", "AAAA"),
        ("wechatpay-timestamp", "1"),
        ("wechatpay-timestamp", "x"),
        ("wechatpay-nonce", "other"),
    ] {
        let mut changed = notice.headers.clone();
        changed.insert(name, HeaderValue::from_static(value));
        all.push((format!("{name}: {value}"), with(notice, changed)));
    }
    all
}

fn with(notice: &Tapped, headers: HeaderMap) -> Tapped {
    Tapped {
        headers,
        ..notice.clone()
    }
}

#[tokio::test]
async fn a_notice_for_the_wrong_merchant_or_route_is_refused() {
    let world = World::new().await;
    let (_, notice) = genuine(&world, "WECHAT_PAY").await;
    for path in [
        "/trade/open/notify/wx/7",
        "/trade/open/notify/wx/x",
        "/trade/open/notify/alipay/1001",
    ] {
        let status = world
            .send(&Tapped {
                path: path.into(),
                ..notice.clone()
            })
            .await;
        assert!(status.is_client_error(), "{path}: {status}");
    }
}
