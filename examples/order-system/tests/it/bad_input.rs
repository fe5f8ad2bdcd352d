//! What cannot be: the right status, words for the person in both languages, nothing half written.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{OTHER_USER, USER, WECHAT, World};

const PLACE: &str = "/orders-manager/consumer/orders/place";
const CANCEL: &str = "/orders-manager/consumer/orders/cancel";

/// Status, Chinese and English.
async fn refusal(
    world: &World,
    method: &Method,
    path: &str,
    user: i64,
    body: &Value,
) -> (u16, String, String) {
    let mut words = Vec::new();
    let mut status = 0;
    for lang in ["zh-CN", "en"] {
        let call = world
            .http
            .request(method.clone(), format!("{}{path}", world.base));
        let call = call
            .header("x-user-id", user)
            .header("accept-language", lang)
            .json(body);
        let response = call.send().await.unwrap();
        status = response.status().as_u16();
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["data"], Value::Null, "{answer}");
        assert_eq!(answer["requestId"].as_str().unwrap().len(), 32);
        words.push(answer["msg"].as_str().unwrap().to_owned());
    }
    (status, words[0].clone(), words[1].clone())
}

#[tokio::test]
async fn a_booking_that_cannot_be_is_refused_and_nothing_is_written() {
    let world = World::new().await;
    let past = world.in_time(Duration::ZERO);
    let table = [
        ("serveId", json!("999"), 404, "服务不存在", "no such service"),
        ("serveId", json!("22"), 409, "下架", "not on sale"),
        ("serveId", json!("abc"), 400, "serveId", "whole number"),
        ("serveId", Value::Null, 400, "serveId", "required"),
        ("addressBookId", json!(999), 404, "地址不存在", "no such address"),
        ("addressBookId", json!(3), 403, "别人的地址", "somebody else"),
        ("addressBookId", json!([1]), 400, "addressBookId", "whole number"),
        ("purNum", json!(0), 400, "1 到 999", "from 1 to 999"),
        ("purNum", json!(1000), 400, "1 到 999", "from 1 to 999"),
        ("purNum", json!(-1), 400, "1 到 999", "from 1 to 999"),
        ("purNum", json!(1.5), 400, "purNum", "whole number"),
        (
            "purNum",
            json!("99999999999999999999"),
            400,
            "purNum",
            "whole number",
        ),
        ("serveStartTime", json!(past), 400, "已过", "future"),
        (
            "serveStartTime",
            json!("2020-01-01 00:00:00"),
            400,
            "已过",
            "future",
        ),
        (
            "serveStartTime",
            json!("tomorrow"),
            400,
            "yyyy-MM-dd",
            "yyyy-MM-dd",
        ),
        ("couponId", json!("7"), 400, "优惠券", "no coupons"),
    ];
    for (field, value, status, chinese, english) in table {
        let mut booking = world.booking();
        booking[field] = value.clone();
        let refused = refusal(&world, &Method::POST, PLACE, USER, &booking).await;
        assert_eq!(refused.0, status, "{field} {value}: {refused:?}");
        assert!(
            refused.1.contains(chinese) && refused.2.contains(english),
            "{field}: {refused:?}"
        );
    }
    for raw in ["", "[]", "{", "null", "\u{0}"] {
        let call = world
            .http
            .post(format!("{}{PLACE}", world.base))
            .header("x-user-id", USER);
        let call = call.header("content-type", "application/json").body(raw);
        assert_eq!(call.send().await.unwrap().status().as_u16(), 400, "{raw}");
    }
    let list = world.ok(Method::GET, "/operation/orders/page", None).await;
    assert_eq!(list, json!([]), "nothing was written");
}

#[tokio::test]
async fn an_order_is_its_customers_alone() {
    let world = World::new().await;
    let id = world.place().await;
    let none = json!({});
    let pay = json!({"tradingChannel": WECHAT});
    let cancel = json!({"id": id, "cancelReason": "x"});
    let base = "/orders-manager/consumer/orders";
    for (method, path, body) in [
        (Method::GET, format!("{base}/{id}"), &none),
        (Method::GET, format!("{base}/pay/{id}/result"), &none),
        (Method::PUT, format!("{base}/pay/{id}"), &pay),
        (Method::PUT, CANCEL.to_owned(), &cancel),
        (Method::PUT, format!("{base}/evaluate/{id}"), &none),
    ] {
        let (status, chinese, english) = refusal(&world, &method, &path, OTHER_USER, body).await;
        assert_eq!(status, 403, "{path}");
        assert!(
            chinese.contains("别人的订单") && english.contains("somebody else"),
            "{chinese} {english}"
        );
        let (status, answer) = world.call(method, &path, None, Some(body)).await;
        assert_eq!(
            (status.as_u16(), &answer["code"]),
            (401, &json!(401)),
            "nobody is signed in: {path}"
        );
    }
    assert_eq!(world.status(&id).await, 0);
    assert!(world.sandbox.ledger().orders.is_empty(), "no code was made");
}

#[tokio::test]
async fn what_is_over_is_not_paid_and_not_cancelled_again() {
    let world = World::new().await;
    let base = "/orders-manager/consumer/orders";
    let pay = json!({"tradingChannel": WECHAT});

    let cancelled = world.place().await;
    world.cancel(&cancelled).await;
    let path = format!("{base}/pay/{cancelled}");
    let (status, chinese, english) = refusal(&world, &Method::PUT, &path, USER, &pay).await;
    assert_eq!(status, 409);
    assert!(
        chinese.contains("已取消") && english.contains("Cancelled"),
        "{chinese} {english}"
    );
    let again = json!({"id": cancelled, "cancelReason": "再来一次"});
    let (status, chinese, _) = refusal(&world, &Method::PUT, CANCEL, USER, &again).await;
    assert_eq!(
        (status, chinese.contains("无需再次取消")),
        (409, true),
        "{chinese}"
    );

    let finished = world.paid().await;
    for step in ["take", "start", "finish"] {
        world.step(&finished, step).await;
    }
    let body = json!({"id": finished, "cancelReason": "后悔"});
    let (status, chinese, english) = refusal(&world, &Method::PUT, CANCEL, USER, &body).await;
    assert_eq!(status, 409);
    assert!(
        chinese.contains("订单完成") && english.contains("Finished"),
        "{chinese} {english}"
    );
    assert_eq!(world.status(&finished).await, 500);
}

#[tokio::test]
async fn after_fifteen_minutes_no_code_is_given_out_whatever_the_jobs_do() {
    let mut world = World::new().await;
    let late = world.place().await;
    // Nobody can end the order now, so it is still unpaid when its time is over.
    world.trade_down().await;
    world.advance(Duration::from_secs(15 * 60));
    let path = format!("/orders-manager/consumer/orders/pay/{late}");
    let pay = json!({"tradingChannel": WECHAT});
    let (status, chinese, english) = refusal(&world, &Method::PUT, &path, USER, &pay).await;
    assert_eq!(status, 409);
    assert!(
        chinese.contains("支付时间已过") && english.contains("time to pay is over"),
        "{chinese} {english}"
    );
    assert_eq!(world.status(&late).await, 0);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let world = World::new().await;
    let base = "/orders-manager/consumer/orders";
    let unknown = "2406011000000000001";
    let none = json!({});
    let pay = json!({"tradingChannel": WECHAT});
    let cancel = json!({"id": unknown, "cancelReason": "x"});
    for (method, path, body) in [
        (Method::GET, format!("{base}/{unknown}"), &none),
        (Method::GET, format!("{base}/pay/{unknown}/result"), &none),
        (Method::PUT, format!("{base}/pay/{unknown}"), &pay),
        (Method::PUT, CANCEL.to_owned(), &cancel),
    ] {
        let (status, chinese, _) = refusal(&world, &method, &path, USER, body).await;
        assert_eq!((status, chinese.as_str()), (404, "订单不存在"), "{path}");
    }
    let id = world.place().await;
    for (body, status) in [
        (json!({"tradingChannel": "CASH_PAY"}), 400),
        (json!({"tradingChannel": 1}), 400),
        (json!({}), 400),
    ] {
        let path = format!("{base}/pay/{id}");
        let refused = refusal(&world, &Method::PUT, &path, USER, &body).await;
        assert_eq!(refused.0, status, "{body}: {refused:?}");
    }
    for reason in [json!(""), json!("长".repeat(201)), Value::Null] {
        let body = json!({"id": id, "cancelReason": reason});
        assert_eq!(
            refusal(&world, &Method::PUT, CANCEL, USER, &body).await.0,
            400,
            "{reason}"
        );
    }
    for query in ["ordersStatus=1", "ordersStatus=x", "sortBy=now"] {
        let path = format!("{base}/consumerQueryList?{query}");
        assert_eq!(
            refusal(&world, &Method::GET, &path, USER, &none).await.0,
            400,
            "{query}"
        );
    }
    assert_eq!(
        refusal(&world, &Method::GET, &format!("{base}/no-number"), USER, &none)
            .await
            .0,
        400
    );
    assert_eq!(world.status(&id).await, 0);
}
