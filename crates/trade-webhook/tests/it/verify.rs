//! What a receiver believes.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use trade_core::{memory::ManualClock, port::EventSink};
use trade_testkit::fixture::{self, at};
use trade_webhook::{Rejected, SIGNATURE, TIMESTAMP, WebhookSecret, verify};

use crate::receiver::{Receiver, SECRET};

/// A request as it was sent at second 1000.
async fn request() -> (HeaderMap, Vec<u8>) {
    let receiver = Receiver::start().await;
    let sink = receiver.sink(Arc::new(ManualClock::new(at(1000))));
    sink.publish(&fixture::paid_event(1, 1, 7)).await.unwrap();
    let request = receiver.came().remove(0);
    (request.headers, request.body.into_bytes())
}

#[tokio::test]
async fn a_request_is_believed_for_five_minutes() {
    let (headers, body) = request().await;
    let secrets = [WebhookSecret::new(SECRET).unwrap()];
    for (second, is_good) in [
        (699, false),
        (700, true),
        (1000, true),
        (1300, true),
        (1301, false),
    ] {
        let answer = verify(&headers, &body, &secrets, at(second));
        assert_eq!(answer.is_ok(), is_good, "{second}");
        if let Err(error) = answer {
            assert!(matches!(error, Rejected::Stale { secs: 301 }), "{error}");
        }
    }
}

#[tokio::test]
async fn a_change_anywhere_is_noticed() {
    let (headers, body) = request().await;
    let secrets = [WebhookSecret::new(SECRET).unwrap()];
    verify(&headers, &body, &secrets, at(1000)).unwrap();
    for place in 0..body.len() {
        let mut other = body.clone();
        other[place] ^= 1;
        let error = verify(&headers, &other, &secrets, at(1000)).unwrap_err();
        assert!(matches!(error, Rejected::Signature), "{place}: {error}");
    }
    for other in [
        &body[..body.len() - 1],
        &[body.clone(), b" ".to_vec()].concat(),
        b"",
    ] {
        let error = verify(&headers, other, &secrets, at(1000)).unwrap_err();
        assert!(matches!(error, Rejected::Signature), "{error}");
    }
    for (name, value) in [("webhook-id", "8"), ("webhook-timestamp", "1795396601")] {
        let mut other = headers.clone();
        other.insert(name, HeaderValue::from_static(value));
        let error = verify(&other, &body, &secrets, at(1000)).unwrap_err();
        assert!(matches!(error, Rejected::Signature), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_header_that_is_missing_doubled_or_nonsense_is_named() {
    let (headers, body) = request().await;
    let secrets = [WebhookSecret::new(SECRET).unwrap()];
    let named = |headers: &HeaderMap| match verify(headers, &body, &secrets, at(1000)) {
        Err(Rejected::Header(name)) => name,
        other => panic!("{other:?}"),
    };
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut other = headers.clone();
        other.remove(name);
        assert_eq!(named(&other), name);
        other.insert(name, HeaderValue::from_static(""));
        assert_eq!(named(&other), name);
        other.insert(name, HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(named(&other), name);
        let mut twice = headers.clone();
        twice.append(name, headers[name].clone());
        assert_eq!(named(&twice), name);
    }
    for time in ["now", "1795396600.0", "99999999999999999999", "-"] {
        let mut other = headers.clone();
        other.insert(TIMESTAMP, HeaderValue::from_static(time));
        assert_eq!(named(&other), TIMESTAMP);
    }
}

#[tokio::test]
async fn one_good_signature_among_others_is_enough() {
    let (headers, body) = request().await;
    let secrets = [WebhookSecret::new(SECRET).unwrap()];
    let good = headers[SIGNATURE].to_str().unwrap();
    for (several, is_good) in [
        (format!("v1,AAAA {good}"), true),
        (format!("v1a,xyz v2 {good} "), true),
        (good.replace("v1,", "v2,"), false),
        (good.replace('=', ""), false),
        (format!("{good}x"), false),
    ] {
        let mut other = headers.clone();
        other.insert(SIGNATURE, HeaderValue::from_str(&several).unwrap());
        let answer = verify(&other, &body, &secrets, at(1000));
        assert_eq!(answer.is_ok(), is_good, "{several}");
    }
}
