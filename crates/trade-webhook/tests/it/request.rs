//! What a request looks like: the bytes, the headers, the signatures.

use std::{slice, sync::Arc};

use http::{HeaderMap, HeaderValue};
use trade_core::{memory::ManualClock, port::EventSink};
use trade_testkit::fixture::{self, at};
use trade_webhook::{Rejected, WebhookSecret, WebhookSettings, WebhookSink, verify};

use crate::receiver::{Receiver, SECRET};

const NEW_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// The example that comes with the specification. `openssl dgst -sha256 -mac HMAC` makes the same of it.
#[test]
fn the_example_of_the_specification_is_believed_and_nothing_else() {
    let headers = |signature: &str| -> HeaderMap {
        let values = [
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", signature),
        ];
        let header = |(name, value)| {
            let name = http::HeaderName::from_static(name);
            (name, HeaderValue::from_str(value).unwrap())
        };
        values.into_iter().map(header).collect()
    };
    let now = trade_core::Timestamp::from_ms(1_614_265_330_000);
    let secrets = [WebhookSecret::new(SECRET).unwrap()];
    let body = br#"{"test": 2432232314}"#;
    let good = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    // It is genuine, and then it turns out to be no message of ours.
    let genuine = verify(&headers(good), body, &secrets, now).unwrap_err();
    assert!(matches!(genuine, Rejected::Body(_)), "{genuine}");
    for bad in [
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=",
        "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1,",
        "v1,g0hM9SsE",
    ] {
        let forged = verify(&headers(bad), body, &secrets, now).unwrap_err();
        assert!(matches!(forged, Rejected::Signature), "{bad}: {forged}");
    }
}

#[tokio::test]
async fn a_request_is_what_a_broker_gets_with_three_headers() {
    let receiver = Receiver::start().await;
    let sink = receiver.sink(Arc::new(ManualClock::new(at(5))));
    let event = fixture::paid_event(1, 3, 7);
    sink.publish(&event).await.unwrap();
    let [request] = &receiver.came()[..] else {
        panic!("{:?}", receiver.came());
    };
    assert_eq!(request.line, "POST /events?shop=1 HTTP/1.1");
    assert_eq!(request.body, event.body().unwrap());
    for (name, value) in [
        ("content-type", "application/json"),
        ("webhook-id", "7"),
        ("webhook-timestamp", "1795395605"),
    ] {
        assert_eq!(request.headers[name], value, "{:?}", request.headers);
    }
    let secrets = [WebhookSecret::new(SECRET).unwrap()];
    let messages = verify(&request.headers, request.body.as_bytes(), &secrets, at(5)).unwrap();
    assert_eq!(messages, [event.message]);
}

#[tokio::test]
async fn while_a_secret_is_replaced_both_sides_know_each_other_at_any_moment() {
    let receiver = Receiver::start().await;
    let secret = |text: &str| WebhookSecret::new(text).unwrap();
    let (old, new) = (secret(SECRET), secret(NEW_SECRET));
    let sender = |secret: &WebhookSecret, previous: Option<&WebhookSecret>| {
        let settings = WebhookSettings {
            secret: secret.clone(),
            previous_secret: previous.cloned(),
            ..receiver.settings()
        };
        WebhookSink::new(settings, Arc::new(ManualClock::new(at(5)))).unwrap()
    };
    let steps = [sender(&old, None), sender(&new, Some(&old)), sender(&new, None)];
    for sink in steps {
        sink.publish(&fixture::paid_event(1, 1, 7)).await.unwrap();
    }
    let knows = |secrets: &[WebhookSecret]| -> Vec<bool> {
        let known = |request: &crate::receiver::Request| {
            verify(&request.headers, request.body.as_bytes(), secrets, at(5)).is_ok()
        };
        receiver.came().iter().map(known).collect()
    };
    assert_eq!(knows(slice::from_ref(&old)), [true, true, false]);
    assert_eq!(knows(slice::from_ref(&new)), [false, true, true]);
    assert_eq!(knows(&[new, old]), [true, true, true]);
    assert_eq!(knows(&[]), [false; 3], "without a secret nothing is believed");
}

#[tokio::test]
async fn events_of_other_order_systems_are_not_sent_there() {
    let receiver = Receiver::start().await;
    let clock = Arc::new(ManualClock::new(at(5)));
    for (apps, sent) in [
        (vec!["other"], 0),
        (vec!["other", "jzo2o.orders"], 1),
        (vec![], 2),
    ] {
        let settings = WebhookSettings {
            apps: apps.into_iter().map(fixture::app_named).collect(),
            ..receiver.settings()
        };
        let sink = WebhookSink::new(settings, clock.clone()).unwrap();
        sink.publish(&fixture::paid_event(1, 1, 7)).await.unwrap();
        assert_eq!(receiver.came().len(), sent);
    }
}
