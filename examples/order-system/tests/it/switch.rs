//! Switching channels: one live code at a time, and whoever pays an old one as well gets it back.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Json, Router, routing::post};
use serde_json::{Value, json};

use crate::{
    parts::Place,
    world::{ALIPAY, WECHAT, With, World, number},
};

#[tokio::test]
async fn a_switch_closes_the_other_channel_by_itself() {
    let world = World::new().await;
    let id = world.place().await;
    let wechat = world.code(&id, WECHAT).await;
    let alipay = world.code(&id, ALIPAY).await;
    assert_ne!(number(&wechat), number(&alipay));
    assert_eq!(world.trading(&number(&wechat)).await["tradingState"], 5);
    let order = world.detail(&id).await;
    assert_eq!(order["tradingOrderNo"], alipay["tradingOrderNo"]);
    assert_eq!(order["tradingChannel"], ALIPAY);
    let again = world.code(&id, ALIPAY).await;
    assert_eq!(again["qrCode"], alipay["qrCode"]);
}

/// A trade server that writes down what it is asked for, and gives a code for it.
async fn clerk() -> (String, Arc<Mutex<Vec<Value>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let native = move |Json(body): Json<Value>| {
        let mut heard = heard.lock().unwrap();
        heard.push(body.clone());
        let number = (100 + heard.len()).to_string();
        let answer = json!({
            "qrCode": "data:,", "codeUrl": "weixin://x", "productOrderNo": body["productOrderNo"],
            "tradingOrderNo": number, "tradingChannel": body["tradingChannel"], "expiresAt": body["expiresAt"],
        });
        async { Json(answer) }
    };
    let router = Router::new().route("/trade/inner/native", post(native));
    (Place::start(router).await.url, asked)
}

#[tokio::test]
async fn the_trade_server_is_asked_for_exactly_what_the_contract_says() {
    let (url, asked) = clerk().await;
    let world = World::with(With {
        trade_url: Some(url),
        ..With::default()
    });
    let world = world.await;
    let id = world.place().await;
    let deadline = world.in_time(Duration::from_secs(15 * 60));
    for channel in [WECHAT, WECHAT, ALIPAY, WECHAT] {
        world.code(&id, channel).await;
    }
    let expected =
        [(WECHAT, false), (WECHAT, false), (ALIPAY, true), (WECHAT, true)].map(|(channel, change)| {
            json!({
                "enterpriseId": "1001", "productAppId": "jzo2o.orders", "productOrderNo": id,
                "tradingChannel": channel, "tradingAmount": "79.80", "memo": "日常保洁",
                "changeChannel": change, "expiresAt": deadline,
            })
        });
    assert_eq!(*asked.lock().unwrap(), expected);
    let order = world.detail(&id).await;
    assert_eq!(
        (&order["tradingOrderNo"], &order["tradingChannel"]),
        (&json!("104"), &json!(WECHAT))
    );
}

#[tokio::test]
async fn both_old_codes_paid_settle_the_order_once_and_one_goes_back() {
    let world = World::new().await;
    let id = world.place().await;
    let first = world.code(&id, WECHAT).await;
    let second = world.code(&id, ALIPAY).await;
    let third = world.code(&id, WECHAT).await;
    assert_ne!(
        number(&first),
        number(&third),
        "a new trading after the switch back"
    );

    // An Alipay code that nobody had scanned stays payable after it was closed; so both are paid.
    world.pay(&second);
    world.pay(&third);
    let order = world.until_in_time(&id, Duration::from_secs(10), |order| {
        order["ordersStatus"] == 100 && order["returned"][0]["refundStatus"] == 2
    });
    let order = order.await;
    let (winner, surplus) = if order["tradingOrderNo"] == third["tradingOrderNo"] {
        (&third, &second)
    } else {
        (&second, &third)
    };
    assert_eq!(order["tradingOrderNo"], winner["tradingOrderNo"]);
    assert_eq!(order["tradingChannel"], winner["tradingChannel"]);
    let net = |code: &Value| world.net_fen(code["tradingChannel"].as_str().unwrap(), &number(code));
    assert_eq!((net(winner), net(surplus)), (7980, 0));
    let returned = order["returned"].as_array().unwrap();
    assert_eq!(returned.len(), 1, "{order}");
    assert_eq!(
        (
            &returned[0]["origin"],
            &returned[0]["refundAmount"],
            &returned[0]["tradingOrderNo"]
        ),
        (&json!("SURPLUS"), &json!("79.80"), &surplus["tradingOrderNo"])
    );
    assert_eq!(order["refundStatus"], Value::Null, "the order itself stays paid");

    // Its cancellation gives back what settled it.
    world.cancel(&id).await;
    let closed = world.until_in_time(&id, Duration::from_secs(10), |order| order["refundStatus"] == 2);
    assert_eq!(closed.await["ordersStatus"], 700);
    assert_eq!((net(winner), net(surplus)), (0, 0));
}

#[tokio::test]
async fn a_trading_that_the_order_does_not_know_of_is_no_obstacle() {
    let world = World::new().await;
    let id = world.place().await;
    let deadline = world.detail(&id).await["payDeadline"].clone();
    let lost = world.unknown_trading(&id, &deadline).await;
    let code = world.code(&id, ALIPAY).await;
    assert_eq!(world.trading(&number(&lost)).await["tradingState"], 5);
    world.pay(&code);
    world.until_status(&id, 100).await;
}
