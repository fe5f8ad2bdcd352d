//! `Idempotency-Key` over HTTP: once, and then the same answer.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use trade_sandbox::faults::{Fault, FaultKind};

use crate::world::{World, bank, payment};

const NATIVE: &str = "/trade/inner/native";
const REFUNDS: &str = "/trade/inner/refunds";

/// An answer with everything that a repeat must give again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    status: StatusCode,
    body: String,
    content_type: String,
    inner_error: Option<HeaderValue>,
    replayed: bool,
    retry_after: bool,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// Whether this is `first` once more.
    fn repeats(&self, first: &Self) -> bool {
        let again = Self {
            replayed: true,
            ..first.clone()
        };
        *self == again
    }
}

async fn send(world: &World, path: &str, keys: &[&[u8]], body: impl Into<reqwest::Body>) -> Answer {
    let mut request = world
        .http
        .post(format!("{}{path}", world.base))
        .header("content-type", "application/json")
        .body(body);
    for key in keys {
        request = request.header("Idempotency-Key", HeaderValue::from_bytes(key).unwrap());
    }
    let response = request.send().await.unwrap();
    let headers: HeaderMap = response.headers().clone();
    Answer {
        status: response.status(),
        content_type: headers["content-type"].to_str().unwrap().to_owned(),
        inner_error: headers.get("inner-error").cloned(),
        replayed: headers
            .get("idempotency-replayed")
            .is_some_and(|value| value == "true"),
        retry_after: headers.contains_key("retry-after"),
        body: response.text().await.unwrap(),
    }
}

async fn keyed(world: &World, path: &str, key: &str, body: &Value) -> Answer {
    send(world, path, &[key.as_bytes()], body.to_string()).await
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_however_it_is_spelled() {
    let world = World::new().await;
    let first = keyed(&world, NATIVE, "k-1", &payment("ALI_PAY", 1)).await;
    assert_eq!(
        (first.status, first.replayed),
        (StatusCode::OK, false),
        "{first:?}"
    );
    let spellings = [
        r#"{"enterpriseId":"1001","productAppId":"jzo2o.orders","productOrderNo":"1","tradingChannel":"ALI_PAY","tradingAmount":"19.90","memo":"日常保洁"}"#,
        r#"{"memo":"日常保洁","tradingAmount":19.9,"tradingChannel":"ALI_PAY","productOrderNo":1,"productAppId":"jzo2o.orders","enterpriseId":1001}"#,
        r#"{ "memo": "\u65e5常保洁", "tradingAmount": 19.90, "changeChannel": false, "tradingChannel": "ALI_PAY",
             "productOrderNo": "1", "productAppId": "jzo2o.orders", "enterpriseId": 1001, "more": null }"#,
    ];
    for spelling in spellings {
        let again = send(&world, NATIVE, &[b"k-1"], spelling).await;
        assert!(again.repeats(&first), "{spelling}: {again:?}");
    }
    // The answer is that of the first time, whatever has become of the trading.
    let number = first.json()["tradingOrderNo"].as_str().unwrap().to_owned();
    world.pay("ALI_PAY", &number);
    world.until_state(&number, "settled").await;
    assert!(
        keyed(&world, NATIVE, "k-1", &payment("ALI_PAY", 1))
            .await
            .repeats(&first)
    );
    let other_key = keyed(&world, NATIVE, "k-2", &payment("ALI_PAY", 1)).await;
    assert_eq!(other_key.status, StatusCode::CONFLICT, "{other_key:?}");
}

#[tokio::test]
async fn every_value_counts() {
    let world = World::new().await;
    let number = world.paid("ALI_PAY", 9).await;
    let payment = payment("ALI_PAY", 1);
    let part = World::part("r-1", &number, "5.00");
    for (path, first, changes) in [
        (
            NATIVE,
            &payment,
            vec![
                ("enterpriseId", json!(1002)),
                ("productOrderNo", json!(2)),
                ("tradingChannel", json!("WECHAT_PAY")),
                ("tradingAmount", json!("19.91")),
                ("memo", json!("日常保洁 ")),
                ("changeChannel", json!(true)),
            ],
        ),
        (
            REFUNDS,
            &part,
            vec![
                ("productRefundNo", json!("r-2")),
                ("tradingOrderNo", json!("5")),
                ("refundAmount", json!("5.01")),
                ("reason", json!("退一部份")),
                ("reason", json!(null)),
            ],
        ),
    ] {
        let answer = keyed(&world, path, "k-1", first).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        for (field, value) in changes {
            let mut changed = first.clone();
            changed[field] = value.clone();
            let refused = keyed(&world, path, "k-1", &changed).await;
            assert_eq!(
                (refused.status, refused.replayed),
                (StatusCode::UNPROCESSABLE_ENTITY, false),
                "{field}={value}: {refused:?}"
            );
            assert_eq!(refused.json()["code"], 1003);
        }
        assert!(keyed(&world, path, "k-1", first).await.repeats(&answer));
    }
    let by_query = |yuan: &str| {
        let path = format!("/trade/inner/refund-record/refund?tradingOrderNo={number}&refundAmount={yuan}");
        let world = &world;
        async move { send(world, &path, &[b"k-1"], "").await }
    };
    let first = by_query("1.00").await;
    assert_eq!(first.status, StatusCode::OK, "{first:?}");
    assert!(by_query("1").await.repeats(&first));
    assert_eq!(by_query("1.01").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(world.sandbox.ledger().orders.len(), 2, "nothing else was placed");
}

#[tokio::test]
async fn a_key_counts_for_one_order_system_and_one_route() {
    let world = World::new().await;
    let first = keyed(&world, NATIVE, "k-1", &payment("ALI_PAY", 1)).await;
    let mut of_other = payment("ALI_PAY", 1);
    of_other["productAppId"] = json!("someone.else");
    let other = keyed(&world, NATIVE, "k-1", &of_other).await;
    assert_eq!(
        (other.status, other.replayed),
        (StatusCode::OK, false),
        "{other:?}"
    );
    assert_ne!(first.json()["tradingOrderNo"], other.json()["tradingOrderNo"]);
    let on_other = keyed(&world, REFUNDS, "k-1", &World::part("r-1", "5", "1.00")).await;
    assert_eq!(
        (on_other.status, on_other.replayed),
        (StatusCode::NOT_FOUND, false),
        "{on_other:?}"
    );
}

#[tokio::test]
async fn of_two_at_once_one_works_and_the_other_is_told_to_wait() {
    let world = World::new().await;
    let slow = FaultKind::Delay { delay_ms: 2000 };
    world
        .sandbox
        .fault(Fault::new(slow).at(bank("WECHAT_PAY")).on("native"));
    let payment = payment("WECHAT_PAY", 1);
    let (one, two) = futures_util::future::join(
        keyed(&world, NATIVE, "k-1", &payment),
        keyed(&world, NATIVE, "k-1", &payment),
    )
    .await;
    let (done, refused) = if one.status == StatusCode::OK {
        (one, two)
    } else {
        (two, one)
    };
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    assert_eq!(
        (refused.status, refused.retry_after, &refused.json()["code"]),
        (StatusCode::CONFLICT, true, &json!(1004)),
        "{refused:?}"
    );
    assert_eq!(refused.json()["retryable"], true);
    assert!(keyed(&world, NATIVE, "k-1", &payment).await.repeats(&done));
    assert_eq!(world.sandbox.ledger().orders.len(), 1);
}

#[tokio::test]
async fn a_failure_leaves_the_key_and_its_retry_ends_the_work() {
    let world = World::new().await;
    world.sandbox.fault(
        Fault::new(FaultKind::DropAfter)
            .at(bank("WECHAT_PAY"))
            .on("native")
            .times(9),
    );
    let payment = payment("WECHAT_PAY", 1);
    let failed = keyed(&world, NATIVE, "k-1", &payment).await;
    assert_eq!(
        (failed.status, failed.retry_after),
        (StatusCode::SERVICE_UNAVAILABLE, true),
        "{failed:?}"
    );
    world.sandbox.withdraw_faults();
    // The row is the first request's for the time of its claim.
    world.advance(Duration::from_secs(31));
    let retried = keyed(&world, NATIVE, "k-1", &payment).await;
    assert_eq!(
        (retried.status, retried.replayed),
        (StatusCode::OK, false),
        "{retried:?}"
    );
    assert!(keyed(&world, NATIVE, "k-1", &payment).await.repeats(&retried));
    assert_eq!(
        world.sandbox.ledger().orders.len(),
        1,
        "the same order all the time"
    );
}

#[tokio::test]
async fn a_refusal_is_an_answer_too() {
    let world = World::new().await;
    let created = world.create("ALI_PAY", 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap();
    let part = World::part("r-1", number, "5.00");
    let refused = keyed(&world, REFUNDS, "k-1", &part).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{refused:?}");
    assert!(refused.content_type == "application/problem+json" && refused.inner_error.is_some());
    world.pay("ALI_PAY", number);
    world.until_state(number, "settled").await;
    let again = keyed(&world, REFUNDS, "k-1", &part).await;
    assert!(again.repeats(&refused), "{again:?}");
    assert_eq!(
        keyed(&world, REFUNDS, "k-2", &part).await.status,
        StatusCode::OK,
        "a new key is a new request"
    );
}

#[tokio::test]
async fn a_request_that_cannot_be_read_uses_up_no_key() {
    let world = World::new().await;
    let right = payment("WECHAT_PAY", 1);
    for (field, value) in [
        ("tradingAmount", json!("1.001")),
        ("memo", json!(null)),
        ("tradingChannel", json!("CASH_PAY")),
    ] {
        let mut wrong = right.clone();
        wrong[field] = value;
        let refused = keyed(&world, NATIVE, "k-1", &wrong).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
    }
    let answer = keyed(&world, NATIVE, "k-1", &right).await;
    assert_eq!(
        (answer.status, answer.replayed),
        (StatusCode::OK, false),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_caller_that_hangs_up_finds_the_answer_later() {
    let world = World::new().await;
    let slow = FaultKind::Delay { delay_ms: 1500 };
    world
        .sandbox
        .fault(Fault::new(slow).at(bank("ALI_PAY")).on("precreate"));
    let payment = payment("ALI_PAY", 1);
    let hung_up = world
        .http
        .post(format!("{}{NATIVE}", world.base))
        .header("Idempotency-Key", "k-1")
        .json(&payment)
        .timeout(Duration::from_millis(300))
        .send()
        .await;
    assert!(hung_up.is_err_and(|error| error.is_timeout()));
    let mut answer = keyed(&world, NATIVE, "k-1", &payment).await;
    for _ in 0..500 {
        if answer.status != StatusCode::CONFLICT {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer = keyed(&world, NATIVE, "k-1", &payment).await;
    }
    assert_eq!(
        (answer.status, answer.replayed),
        (StatusCode::OK, true),
        "{answer:?}"
    );
    assert_eq!(world.sandbox.ledger().orders.len(), 1);
}

#[tokio::test]
async fn a_lease_that_ended_is_taken_over() {
    let world = World::new().await;
    let number = world.paid("WECHAT_PAY", 1).await;
    let slow = FaultKind::Delay { delay_ms: 3000 };
    world
        .sandbox
        .fault(Fault::new(slow).at(bank("WECHAT_PAY")).on("refund"));
    let part = World::part("r-1", &number, "5.00");
    let first = keyed(&world, REFUNDS, "k-1", &part);
    let second = async {
        // Once the first is at work, a minute passes as if its process were gone.
        world
            .until("/trade/inner/refunds?productAppId=jzo2o.orders", Value::is_array)
            .await;
        let waiting = keyed(&world, REFUNDS, "k-1", &part).await;
        world.advance(Duration::from_secs(61));
        (waiting, keyed(&world, REFUNDS, "k-1", &part).await)
    };
    let (first, (waiting, second)) = futures_util::future::join(first, second).await;
    assert_eq!(waiting.status, StatusCode::CONFLICT, "{waiting:?}");
    assert_eq!(
        (second.status, second.replayed),
        (StatusCode::OK, false),
        "{second:?}"
    );
    assert_eq!(first.json()["refundNo"], second.json()["refundNo"], "{first:?}");
    assert_eq!(world.sandbox.ledger().refunds.len(), 1);
}

#[tokio::test]
async fn keys_are_forgotten_after_thirty_days() {
    let world = World::new().await;
    let day = Duration::from_secs(24 * 3600);
    let first = keyed(&world, NATIVE, "k-1", &payment("ALI_PAY", 1)).await;
    assert_eq!(first.status, StatusCode::OK, "{first:?}");
    world.advance(day * 29);
    // As long as the job needs for a round; the key is still there.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let other = payment("ALI_PAY", 2);
    let refused = keyed(&world, NATIVE, "k-1", &other).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused:?}");
    world.advance(day + Duration::from_secs(1));
    let mut answer = refused;
    for _ in 0..1000 {
        if answer.status != StatusCode::UNPROCESSABLE_ENTITY {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer = keyed(&world, NATIVE, "k-1", &other).await;
    }
    assert_eq!(
        (answer.status, answer.replayed),
        (StatusCode::OK, false),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_before_anything_happens() {
    let world = World::new().await;
    let long = vec![b'k'; 256];
    let body = payment("ALI_PAY", 1).to_string();
    let cases: [&[&[u8]]; 6] = [
        &[b""],
        &[b"a b"],
        &[b"a\tb"],
        &["订单".as_bytes()],
        &[&long],
        &[b"k-1", b"k-2"],
    ];
    for keys in cases {
        let refused = send(&world, NATIVE, keys, body.clone()).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{keys:?}: {refused:?}");
        assert_eq!(refused.json()["field"], "Idempotency-Key", "{refused:?}");
    }
    assert!(world.sandbox.ledger().orders.is_empty());
    let longest = send(&world, NATIVE, &[&long[..255]], body).await;
    assert_eq!(longest.status, StatusCode::OK, "{longest:?}");
}
