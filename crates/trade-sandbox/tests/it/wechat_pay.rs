//! The life of an order: prepay, pay, query, close, expire.

use std::time::Duration;

use serde_json::json;
use trade_sandbox::{Channel::Wechat, ledger::LedgerError};

use crate::support::{WechatClient, sandbox, sandbox_with};

const MINUTE: Duration = Duration::from_secs(60);
const NATIVE: &str = "/v3/pay/transactions/native";

fn refused(result: Result<trade_sandbox::ledger::Order, trade_sandbox::SandboxError>) -> LedgerError {
    match result.unwrap_err() {
        trade_sandbox::SandboxError::Ledger { source } => source,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_order_is_created_paid_and_found_by_both_numbers() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let mut order = client.order("PAY00001", 8_888);
    order["attach"] = json!("cart 7");
    let code_url = client.create(&order).await;
    assert!(
        code_url.starts_with(&format!("{}/pay/", sandbox.public_url())),
        "{code_url}"
    );

    let unpaid = client.query("PAY00001").await;
    assert_eq!(unpaid["trade_state"], "NOTPAY");
    assert_eq!(unpaid["attach"], "cart 7");
    assert!(unpaid.get("transaction_id").is_none() && unpaid.get("amount").is_none());

    sandbox.advance(MINUTE);
    sandbox.pay(Wechat, "PAY00001").unwrap();
    let paid = client.query("PAY00001").await;
    assert_eq!(paid["trade_state"], "SUCCESS");
    assert_eq!(paid["trade_type"], "NATIVE");
    assert_eq!(paid["amount"]["total"], 8_888);
    assert_eq!(paid["amount"]["payer_total"], 8_888);
    assert_eq!(paid["success_time"], "2026-11-20T12:01:00+08:00");
    assert_eq!(paid["bank_type"], "OTHERS");
    let transaction_id = paid["transaction_id"].as_str().unwrap();
    assert_eq!(transaction_id.len(), 28);
    let target = format!(
        "/v3/pay/transactions/id/{transaction_id}?mchid={}",
        client.kit.mchid
    );
    assert_eq!(client.get(&target).await.json(), paid);

    assert_eq!(
        refused(sandbox.pay(Wechat, "PAY00001")),
        LedgerError::AlreadyPaid("PAY00001".into())
    );
    assert_eq!(sandbox.ledger().paid_fen(Wechat), 8_888);
    let again = client.post(NATIVE, &order).await;
    assert_eq!(again.refusal(), (400, "ORDERPAID".to_owned()));
    assert_eq!(again.number(), "268449538");
    assert_eq!(
        client.close("PAY00001").await.refusal(),
        (400, "ORDERPAID".to_owned())
    );
}

#[tokio::test]
async fn unknown_orders_are_not_found() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let by_number = "/v3/pay/transactions/out-trade-no/NOBODY01?mchid=1900000001";
    let by_id = "/v3/pay/transactions/id/4200000000000000000000000000?mchid=1900000001";
    for target in [by_number, by_id] {
        let reply = client.get(target).await;
        assert_eq!(reply.refusal(), (404, "ORDER_NOT_EXIST".to_owned()));
        assert_eq!(reply.number(), "268512771");
    }
    assert_eq!(client.close("NOBODY01").await.status, 404);
    // Numbers are case-sensitive, and paths are decoded.
    client.create(&client.order("Case|*-_", 1)).await;
    let target = "/v3/pay/transactions/out-trade-no/Case%7C%2A-_?mchid=1900000001";
    assert_eq!(client.get(target).await.status, 200);
    assert_eq!(client.get(&target.to_lowercase()).await.status, 404);
}

#[tokio::test]
async fn re_entry_gives_a_new_code_and_kills_the_old_one() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let order = client.order("PAY00002", 500);
    let first = client.create(&order).await;
    let second = client.create(&order).await;
    assert_ne!(first, second);
    let snapshot = sandbox.ledger();
    let code = &snapshot.order(Wechat, "PAY00002").unwrap().code_token;
    assert!(second.ends_with(code.as_str()) && !first.ends_with(code.as_str()));

    let mut changed = order.clone();
    changed["amount"]["total"] = json!(501);
    let reply = client.post(NATIVE, &changed).await;
    assert_eq!(reply.refusal(), (400, "INVALID_REQUEST".to_owned()));
    assert_eq!(reply.number(), "268498688");
    let mut other_type = order.clone();
    other_type["payer"] = json!({ "openid": "o1" });
    let reply = client.post("/v3/pay/transactions/jsapi", &other_type).await;
    assert_eq!(reply.refusal(), (400, "INVALID_REQUEST".to_owned()));

    // The order of the fields does not matter.
    let text = order.to_string();
    let inner = text.trim_start_matches('{').trim_end_matches('}');
    assert!(
        inner.starts_with("\"amount\":{") && text.contains("},\"appid\""),
        "{text}"
    );
    let (amount, rest) = inner.split_once("},").unwrap();
    let turned = format!("{{{rest},{amount}}}}}");
    assert_eq!(client.call("POST", NATIVE, &turned).await.status, 200, "{turned}");
}

#[tokio::test]
async fn a_closed_order_stays_closed() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let order = client.order("PAY00003", 500);
    client.create(&order).await;
    for _ in 0..2 {
        let closed = client.close("PAY00003").await;
        assert_eq!((closed.status, closed.body.len()), (204, 0));
        assert!(closed.is_signed());
    }
    assert_eq!(client.query("PAY00003").await["trade_state"], "CLOSED");
    assert_eq!(
        refused(sandbox.pay(Wechat, "PAY00003")),
        LedgerError::Closed("PAY00003".into())
    );
    let reply = client.post(NATIVE, &order).await;
    assert_eq!(reply.refusal(), (400, "ORDER_CLOSED".to_owned()));
    let reply = client
        .post("/v3/pay/transactions/out-trade-no/PAY00003/close", &json!({}))
        .await;
    assert_eq!(reply.refusal(), (400, "PARAM_ERROR".to_owned()));
}

#[tokio::test]
async fn codes_die_after_two_hours_deadlines_pass_and_orders_close_after_a_week() {
    let sandbox = sandbox().await;
    let mut client = WechatClient::of(&sandbox);
    client.create(&client.order("PAY00004", 1)).await;
    let mut short = client.order("PAY00005", 1);
    // Raised to a minute from now.
    short["time_expire"] = json!("2026-11-20T12:00:01+08:00");
    client.create(&short).await;
    sandbox.advance(MINUTE - Duration::from_millis(1));
    assert_eq!(
        sandbox
            .ledger()
            .order(Wechat, "PAY00005")
            .unwrap()
            .payable_until_ms,
        sandbox.now_ms() + 1
    );
    sandbox.advance(Duration::from_millis(1));
    assert_eq!(
        refused(sandbox.pay(Wechat, "PAY00005")),
        LedgerError::Expired("PAY00005".into())
    );
    assert_eq!(client.query("PAY00005").await["trade_state"], "NOTPAY");

    sandbox.advance(119 * MINUTE);
    assert_eq!(
        refused(sandbox.pay(Wechat, "PAY00004")),
        LedgerError::CodeDead("PAY00004".into())
    );
    client.now_s += 7_200;
    client.create(&client.order("PAY00004", 1)).await;
    sandbox.pay(Wechat, "PAY00004").unwrap();

    sandbox.advance(7 * 24 * 60 * MINUTE);
    client.now_s += 7 * 24 * 3_600;
    assert_eq!(client.query("PAY00005").await["trade_state"], "CLOSED");
    assert_eq!(client.query("PAY00004").await["trade_state"], "SUCCESS");
}

#[tokio::test]
async fn every_trade_type_answers_in_its_own_shape() {
    let sandbox = sandbox_with(|config| config.real_qr_shape = true).await;
    let client = WechatClient::of(&sandbox);
    let code_url = client.create(&client.order("PAY00006", 1)).await;
    assert!(code_url.starts_with("weixin://wxpay/bizpayurl?pr="), "{code_url}");

    let mut jsapi = client.order("PAY00007", 1);
    let missing = client.post("/v3/pay/transactions/jsapi", &jsapi).await;
    assert_eq!(missing.json()["detail"]["field"], "/payer");
    jsapi["payer"] = json!({ "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" });
    let reply = client.post("/v3/pay/transactions/jsapi", &jsapi).await;
    assert!(reply.json()["prepay_id"].as_str().unwrap().starts_with("wx"));

    let reply = client
        .post("/v3/pay/transactions/app", &client.order("PAY00008", 1))
        .await;
    assert!(reply.json()["prepay_id"].is_string());

    let mut h5 = client.order("PAY00009", 1);
    h5["scene_info"] = json!({ "payer_client_ip": "127.0.0.1", "h5_info": { "type": "Wap" } });
    let reply = client.post("/v3/pay/transactions/h5", &h5).await;
    assert!(reply.json()["h5_url"].as_str().unwrap().contains("/pay/"));
    sandbox.pay(Wechat, "PAY00009").unwrap();
    assert_eq!(client.query("PAY00009").await["trade_type"], "MWEB");
}

#[tokio::test]
async fn of_many_who_pay_at_once_one_pays() {
    let sandbox = std::sync::Arc::new(sandbox().await);
    let client = WechatClient::of(&sandbox);
    client.create(&client.order("PAY00010", 700)).await;
    let tries: Vec<_> = (0..16)
        .map(|_| {
            let sandbox = std::sync::Arc::clone(&sandbox);
            tokio::task::spawn_blocking(move || sandbox.pay(Wechat, "PAY00010").is_ok())
        })
        .collect();
    let mut paid = 0;
    for attempt in tries {
        paid += usize::from(attempt.await.unwrap());
    }
    assert_eq!((paid, sandbox.ledger().paid_fen(Wechat)), (1, 700));
}

#[tokio::test]
async fn a_running_clock_can_be_advanced_and_clients_keep_the_machines_time() {
    let sandbox = sandbox_with(|config| {
        config.start_ms = None;
        config.frozen_clock = false;
    })
    .await;
    let machine_s = || {
        let now = std::time::SystemTime::now();
        i64::try_from(now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap()
    };
    let mut client = WechatClient::of(&sandbox);
    client.now_s = machine_s();
    client.create(&client.order("PAY00011", 1)).await;
    sandbox.advance(Duration::from_secs(8 * 86_400));
    let reply = client
        .get("/v3/pay/transactions/out-trade-no/PAY00011?mchid=1900000001")
        .await;
    assert_eq!(reply.json()["trade_state"], "CLOSED");
    let signed_s: i64 = reply.header("Wechatpay-Timestamp").parse().unwrap();
    assert!(signed_s.abs_diff(machine_s()) < 60);
    assert!(sandbox.now_ms() / 1_000 - machine_s() > 7 * 86_400);
}
