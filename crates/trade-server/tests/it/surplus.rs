//! Money nobody asked to give back: a second payment of an order, and refunds made by hand.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use trade_sandbox::{
    Channel as Bank,
    faults::{Fault, FaultKind},
    ledger::RefundOutcome,
};

use crate::world::{World, bank, payment};

/// Creates at one channel, switches to the other, and returns both numbers.
async fn switched(world: &World, from: &str, to: &str) -> (String, String) {
    let old = world.create(from, 1).await["tradingOrderNo"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut request = payment(to, 1);
    request["changeChannel"] = json!(true);
    let (status, new) = world.post("/trade/inner/native", &request).await;
    assert_eq!(status, StatusCode::OK, "{new}");
    (old, new["tradingOrderNo"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_second_payment_of_an_order_goes_back_by_itself() {
    let world = World::new().await;
    let (old, new) = switched(&world, "ALI_PAY", "WECHAT_PAY").await;
    world.pay("WECHAT_PAY", &new);
    let winner = world.until_state(&new, "settled").await;
    assert_eq!(winner["role"], "WINNER");
    // The old code was on somebody's screen all the time.
    world.pay("ALI_PAY", &old);
    let surplus = world.until_state(&old, "settled").await;
    assert_eq!(
        (&surplus["role"], &surplus["surplus"]),
        (&json!("SURPLUS"), &json!(true))
    );

    let records = world
        .until(&format!("/trade/inner/refunds?tradingOrderNo={old}"), |list| {
            list[0]["refundStatus"] == 2
        })
        .await;
    assert_eq!(records.as_array().unwrap().len(), 1);
    assert_eq!(
        (
            &records[0]["origin"],
            &records[0]["refundAmount"],
            &records[0]["refundNo"]
        ),
        (&json!("SURPLUS"), &json!("19.90"), &json!(old)),
        "its number is the trading's, so there is never a second"
    );
    let ledger = world.sandbox.ledger();
    assert_eq!(
        (
            ledger.net_fen(Bank::Alipay, &old),
            ledger.net_fen(Bank::Wechat, &new)
        ),
        (0, 1990)
    );
    what_is_said_of_it(&world, &old).await;
    // Asking for it as well is refused with the reason.
    let path = format!("/trade/inner/refund-record/refund?tradingOrderNo={old}&refundAmount=19.90");
    let (status, problem) = world.post_empty(&path).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!(1016)),
        "{problem}"
    );
}

/// Nothing is left to a person, and the order stays paid for its order system.
async fn what_is_said_of_it(world: &World, surplus: &str) {
    let (_, stuck) = world.get("/trade/admin/stuck").await;
    assert_eq!(stuck, json!({"events": [], "tradings": [], "refunds": []}));
    let announced = world.announced().await;
    let said: Vec<_> = announced
        .iter()
        .map(|event| {
            (
                event.message.status_name.as_str(),
                event.message.refund_origin.as_deref(),
            )
        })
        .collect();
    assert!(said.contains(&("SUCCESS", Some("SURPLUS"))), "{said:?}");
    assert_eq!(
        said.iter().filter(|(name, _)| *name == "YJS").count(),
        1,
        "{said:?}"
    );
    let path = format!("/trade/inner/tradings/{surplus}/timeline");
    let timeline = world.get(&path).await.1;
    let text = timeline.to_string();
    for told in [
        "the order was paid twice",
        "REFUND_UPDATE_STATUS SUCCESS",
        "-> settled (notice)",
    ] {
        assert!(text.contains(told), "no {told} in {timeline:#}");
    }
}

#[tokio::test]
async fn a_payment_after_its_caller_closed_it_goes_back() {
    let world = World::new().await;
    let created = world.create("ALI_PAY", 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap();
    let (_, closed) = world
        .post_empty(&format!("/trade/inner/tradings/{number}/close"))
        .await;
    assert_eq!(closed["withdrawn"], true, "{closed}");
    world.pay("ALI_PAY", number);
    world
        .until(&format!("/trade/inner/refunds?tradingOrderNo={number}"), |list| {
            list[0]["refundStatus"] == 2
        })
        .await;
    assert_eq!(world.sandbox.ledger().net_fen(Bank::Alipay, number), 0);
}

#[tokio::test]
async fn a_refund_made_in_the_merchant_console_counts() {
    let world = World::new().await;
    let number = world.paid("ALI_PAY", 1).await;
    let url = format!("{}/sandbox/console-refund/alipay/{number}", world.sandbox.url());
    let made = world
        .http
        .post(url)
        .json(&json!({"amount_fen": 500}))
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), StatusCode::OK);
    let list = world
        .until(&format!("/trade/inner/refunds?tradingOrderNo={number}"), |list| {
            list[0]["origin"] == "CONSOLE"
        })
        .await;
    assert_eq!(
        (&list[0]["refundAmount"], &list[0]["refundStatus"]),
        (&json!("5.00"), &json!(2))
    );
    assert!(
        list[0]["outRefundNo"].as_str().unwrap().starts_with("CONSOLE"),
        "{list}"
    );
    let row = world.row(&number).await;
    assert_eq!(row["refunded"], "5.00");
    // What it gave back cannot be given back again.
    let (status, problem) = world
        .post("/trade/inner/refunds", &World::part("r-1", &number, "14.91"))
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!(1024)),
        "{problem}"
    );
    world.advance(Duration::from_secs(4));
    let (status, rest) = world
        .post("/trade/inner/refunds", &World::part("r-1", &number, "14.90"))
        .await;
    assert_eq!(status, StatusCode::OK, "{rest}");
    assert_eq!(world.sandbox.ledger().net_fen(Bank::Alipay, &number), 0);
}

#[tokio::test]
async fn a_short_balance_is_shown_and_ends_after_the_top_up() {
    let world = World::new().await;
    for (channel, order) in ["WECHAT_PAY", "ALI_PAY"].into_iter().zip(1..) {
        let number = world.paid(channel, order).await;
        let short = FaultKind::Refund {
            outcome: RefundOutcome::NotEnough,
        };
        world.sandbox.fault(Fault::new(short).at(bank(channel)));
        let name = format!("r-{order}");
        let (status, refund) = world
            .post("/trade/inner/refunds", &World::part(&name, &number, "19.90"))
            .await;
        assert_eq!(
            (status, &refund["state"], &refund["refundStatus"]),
            (StatusCode::OK, &json!("sending.unfunded"), &json!(1)),
            "{refund}"
        );
        let action = refund["action"].as_str().unwrap();
        let retry = format!(
            "/trade/admin/refunds/{}/retry",
            refund["refundNo"].as_str().unwrap()
        );
        assert!(
            action.contains("top it up") && action.contains(&retry),
            "{action}"
        );
        assert_eq!(world.sandbox.ledger().refunded_fen(bank(channel)), 0);
        // Topped up, as the fault is used up.
        let (status, _) = world.post_empty(&retry).await;
        assert_eq!(status, StatusCode::OK);
        let path = format!(
            "/trade/inner/refund-record/{}",
            refund["refundNo"].as_str().unwrap()
        );
        world
            .until(&path, |row: &Value| {
                row["state"] == "sending.accepted" || row["refundStatus"] == 2
            })
            .await;
        world.advance(Duration::from_secs(31));
        world.until(&path, |row: &Value| row["refundStatus"] == 2).await;
        let ledger = world.sandbox.ledger();
        assert_eq!(
            (
                ledger.net_fen(bank(channel), &number),
                ledger.refunded_fen(bank(channel))
            ),
            (0, 1990)
        );
    }
}
