//! Booking, paying and being told: the rows of the contract, one after the other.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ALIPAY, USER, WECHAT, World, number};

#[tokio::test]
async fn a_placed_order_has_the_platforms_number_and_columns() {
    let world = World::new().await;
    let id = world.place().await;
    let today: String = world.now().to_beijing_text()[2..10].replace('-', "");
    assert_eq!((id.len(), &id[..6]), (19, today.as_str()), "{id}");
    assert_eq!(&id[6..], "0000000000001", "the first of the sequence");

    let order = world.detail(&id).await;
    let expected = json!({
        "id": id, "userId": "1001", "serveTypeId": "1", "serveTypeName": "保洁清洗",
        "serveItemId": "101", "serveItemName": "日常保洁", "serveItemImg": "", "unit": 1, "serveId": "11",
        "ordersStatus": 0, "payStatus": 2, "refundStatus": null, "price": "39.90", "purNum": 2,
        "totalAmount": "79.80", "realPayAmount": "79.80", "discountAmount": "0.00", "cityCode": "010",
        "serveAddress": "北京市昌平区回龙观街道1号楼101", "contactsPhone": "13800000001",
        "contactsName": "李明", "lon": "116.337400", "lat": "40.060200", "payTime": null,
        "evaluationTime": null, "tradingOrderNo": null, "transactionId": null, "refundNo": null,
        "refundId": null, "tradingChannel": null, "display": 1,
        "serveStartTime": world.in_time(Duration::from_secs(24 * 3600)),
        "createTime": world.now().to_beijing_text(),
        "payDeadline": world.in_time(Duration::from_secs(15 * 60)),
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&order[name], value, "{name}");
    }
    // The start in milliseconds, and the last five digits of the number.
    let start = trade_core::Timestamp::from_beijing_text(order["serveStartTime"].as_str().unwrap()).unwrap();
    assert_eq!(order["sortBy"], (start.ms() + 1).to_string());
    assert_eq!(order["history"][0]["event"], "PLACE");
}

#[tokio::test]
async fn the_tables_have_the_platforms_columns() {
    use sea_orm::{ConnectionTrait, Database};
    let world = World::new().await;
    world.place().await;
    let tables = [
        (
            "orders",
            "id, user_id, serve_type_id, serve_type_name, serve_item_id, serve_item_name, serve_item_img, unit, \
             serve_id, orders_status, pay_status, refund_status, price, pur_num, total_amount, real_pay_amount, \
             discount_amount, city_code, serve_address, contacts_phone, contacts_name, serve_start_time, lon, lat, \
             pay_time, evaluation_time, trading_order_no, transaction_id, refund_no, refund_id, trading_channel, \
             display, sort_by, create_time, update_time",
        ),
        (
            "orders_canceled",
            "id, canceller_id, canceler_name, canceller_type, cancel_reason, cancel_time",
        ),
        (
            "orders_refund",
            "id, trading_order_no, real_pay_amount, create_time",
        ),
    ];
    let url = world.settings.database_url.expose();
    let db = Database::connect(url).await.unwrap();
    for (table, columns) in tables {
        let read = db
            .execute_unprepared(&format!("SELECT {columns} FROM {table}"))
            .await;
        assert!(read.is_ok(), "{table}: {read:?}");
    }
    let fen = sea_orm::Statement::from_string(
        db.get_database_backend(),
        "SELECT price, real_pay_amount FROM orders",
    );
    let row = db.query_one_raw(fen).await.unwrap().unwrap();
    let sums: (i64, i64) = (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
    assert_eq!(sums, (3990, 7980), "whole fen");
}

#[tokio::test]
async fn the_quantity_is_one_unless_said_and_numbers_may_be_text() {
    let world = World::new().await;
    let mut booking = world.booking();
    booking.as_object_mut().unwrap().remove("purNum");
    booking["addressBookId"] = json!("2");
    booking["serveId"] = json!(12);
    let order = world.detail(&world.place_as(&booking).await).await;
    assert_eq!(
        (&order["purNum"], &order["realPayAmount"]),
        (&json!(1), &json!("12.50"))
    );
    assert_eq!(order["serveAddress"], "北京市海淀区中关村大街27号");
}

#[tokio::test]
async fn a_paid_order_is_known_by_its_event_alone() {
    let world = World::new().await;
    for channel in [WECHAT, ALIPAY] {
        let id = world.place().await;
        let code = world.code(&id, channel).await;
        let expected = (id.as_str(), channel, 2);
        let shown = (
            code["productOrderNo"].as_str().unwrap(),
            code["tradingChannel"].as_str().unwrap(),
            code["payStatus"].as_i64().unwrap(),
        );
        assert_eq!(shown, expected);
        assert!(
            code["qrCode"]
                .as_str()
                .unwrap()
                .starts_with("data:image/png;base64,")
        );
        let trading = world.trading(&number(&code)).await;
        assert_eq!(
            (
                &trading["memo"],
                &trading["tradingAmount"],
                &trading["productAppId"]
            ),
            (&json!("日常保洁"), &json!("79.80"), &json!("jzo2o.orders"))
        );
        assert_eq!(
            trading["expiresAt"],
            world.detail(&id).await["payDeadline"],
            "the order's own expiry"
        );

        world.pay(&code);
        // Nobody asks for the result and nobody looks at the order: only the list is read.
        let path = "/consumer/orders/consumerQueryList?ordersStatus=100";
        let mut found = Value::Null;
        for _ in 0..1200 {
            found = world.ok(Method::GET, path, None).await;
            if found.as_array().unwrap().iter().any(|order| order["id"] == *id) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let order = found
            .as_array()
            .unwrap()
            .iter()
            .find(|order| order["id"] == *id)
            .unwrap()
            .clone();
        assert_eq!(
            (&order["ordersStatus"], &order["payStatus"]),
            (&json!(100), &json!(4))
        );
        assert_eq!(order["tradingOrderNo"], code["tradingOrderNo"]);
        assert_eq!(order["tradingChannel"], channel);
        let trading = world.trading(&number(&code)).await;
        assert_eq!(order["transactionId"], trading["transactionId"]);
        assert!(order["transactionId"].is_string() && order["payTime"].is_string());
        let again = world.code(&id, channel).await;
        assert_eq!(
            (&again["payStatus"], &again["tradingOrderNo"]),
            (&json!(4), &code["tradingOrderNo"])
        );
        assert_eq!(again["qrCode"], Value::Null, "a paid order has no code");
    }
}

#[tokio::test]
async fn the_result_asks_until_it_is_paid() {
    let world = World::new().await;
    let id = world.place().await;
    let path = format!("/consumer/orders/pay/{id}/result");
    let before = world.ok(Method::GET, &path, None).await;
    assert_eq!(
        (&before["payStatus"], &before["tradingOrderNo"]),
        (&json!(2), &Value::Null)
    );
    let code = world.code(&id, WECHAT).await;
    let waiting = world.ok(Method::GET, &path, None).await;
    assert_eq!(waiting["payStatus"], 2);
    assert_eq!(waiting["qrCode"], code["qrCode"], "the code can still be scanned");
    // The channel's notice cannot come through while the clock's events are not read: the result asks.
    world.pay(&code);
    let result = world.ok(Method::GET, &path, None).await;
    assert_eq!(
        (
            &result["payStatus"],
            &result["tradingOrderNo"],
            &result["tradingChannel"]
        ),
        (&json!(4), &code["tradingOrderNo"], &json!(WECHAT))
    );
    assert_eq!(world.status(&id).await, 100);
    let history = world.detail(&id).await["history"].clone();
    let paid = history
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["event"] == "PAYED")
        .count();
    assert_eq!(paid, 1, "event and result are applied once: {history}");
}

#[tokio::test]
async fn repeated_clicks_give_the_same_code_even_all_at_once() {
    let world = World::new().await;
    let id = world.place().await;
    let clicks = (0..8).map(|_| world.code(&id, ALIPAY));
    let codes = futures_util::future::join_all(clicks).await;
    for code in &codes {
        assert_eq!(
            (&code["qrCode"], number(code)),
            (&codes[0]["qrCode"], number(&codes[0]))
        );
    }
    assert_eq!(world.sandbox.ledger().orders.len(), 1);
    // In the last minute a code that is there is still shown, although no other could be made.
    world.advance(Duration::from_secs(14 * 60 + 30));
    assert_eq!(world.code(&id, ALIPAY).await["qrCode"], codes[0]["qrCode"]);
}

#[tokio::test]
async fn the_list_is_scrolled_by_sort_by_and_filtered_by_status() {
    let world = World::new().await;
    let mut expected = Vec::new();
    for hour in 1..=23 {
        let mut booking = world.booking();
        // Two at a time begin in the same hour.
        booking["serveStartTime"] = json!(world.in_time(Duration::from_secs(3600 * (2 + hour / 2))));
        expected.push(world.place_as(&booking).await);
    }
    expected.reverse();
    let mut seen = Vec::new();
    let mut path = "/consumer/orders/consumerQueryList?ordersStatus=0".to_owned();
    loop {
        let page = world.ok(Method::GET, &path, None).await;
        let page = page.as_array().unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 11, "{}", page.len());
        path = format!(
            "/consumer/orders/consumerQueryList?ordersStatus=0&sortBy={}",
            last["sortBy"].as_str().unwrap()
        );
        seen.extend(page.iter().map(|order| order["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(seen, expected, "each once, the latest start first");
    let none = world
        .ok(
            Method::GET,
            "/consumer/orders/consumerQueryList?ordersStatus=500",
            None,
        )
        .await;
    assert_eq!(none, json!([]));
    let (_, of_other) = world
        .call(
            Method::GET,
            "/orders-manager/consumer/orders/consumerQueryList",
            Some(USER + 1),
            None,
        )
        .await;
    assert_eq!(of_other["data"], json!([]));
}
