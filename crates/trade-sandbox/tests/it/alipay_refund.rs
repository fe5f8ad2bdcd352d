//! Refunds.

use std::time::Duration;

use serde_json::json;
use trade_sandbox::{
    Channel::Alipay,
    faults::{Fault, FaultKind},
    ledger::RefundOutcome,
};

use crate::{
    alipay_client::{AlipayClient, CANCEL, REFUND, REFUND_QUERY, order},
    support::sandbox,
};

#[tokio::test]
async fn a_request_number_refunds_once() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    client.paid(&sandbox, "T1", None).await;
    let first = client.refund("T1", "R1", "3.00").await;
    assert_eq!(first["code"], "10000");
    assert_eq!(
        (&first["fund_change"], &first["refund_fee"]),
        (&json!("Y"), &json!("3.00"))
    );
    assert_eq!(first["gmt_refund_pay"], "2026-11-20 12:00:00");
    let again = client.refund("T1", "R1", "3.00").await;
    assert_eq!(
        (&again["fund_change"], &again["refund_fee"]),
        (&json!("N"), &json!("3.00"))
    );
    let other = client.refund("T1", "R1", "3.01").await;
    assert_eq!(other["sub_code"], "ACQ.DISCORDANT_REPEAT_REQUEST");
    assert_eq!(other["refund_fee"], "0.00");

    let too_much = client.refund("T1", "R2", "7.01").await;
    assert_eq!(too_much["sub_code"], "ACQ.REASON_TRADE_REFUND_FEE_ERR");
    assert_eq!(client.state("T1").await, "TRADE_SUCCESS");
    let rest = client.refund("T1", "R2", "7.00").await;
    assert_eq!(
        (&rest["fund_change"], &rest["refund_fee"]),
        (&json!("Y"), &json!("10.00"))
    );
    assert_eq!(client.state("T1").await, "TRADE_CLOSED");
    let repeated = client.refund("T1", "R2", "7.00").await;
    assert_eq!(
        (&repeated["fund_change"], &repeated["refund_fee"]),
        (&json!("N"), &json!("10.00"))
    );
    let more = client.refund("T1", "R3", "0.01").await;
    assert_eq!(more["sub_code"], "ACQ.TRADE_HAS_CLOSE");
    assert_eq!(sandbox.ledger().refunded_fen(Alipay), 1_000);
}

#[tokio::test]
async fn only_a_whole_refund_needs_no_number() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    client.paid(&sandbox, "T1", None).await;
    let part = json!({ "out_trade_no": "T1", "refund_amount": "9.99" });
    assert_eq!(
        client.refused(REFUND, &part).await,
        "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    );
    let whole = json!({
        "out_trade_no": "T1", "refund_amount": "10.00", "query_options": ["refund_detail_item_list"],
    });
    let answer = client.call(REFUND, &whole).await;
    assert_eq!(answer["fund_change"], "Y");
    assert_eq!(answer["send_back_fee"], "10.00");
    assert_eq!(
        answer["refund_detail_item_list"],
        json!([{ "fund_channel": "ALIPAYACCOUNT", "amount": "10.00" }])
    );
    assert_eq!(client.call(REFUND, &whole).await["fund_change"], "N");
    let found = client
        .call(
            REFUND_QUERY,
            &json!({ "out_trade_no": "T1", "out_request_no": "T1" }),
        )
        .await;
    assert_eq!(found["refund_amount"], "10.00");
}

#[tokio::test]
async fn what_is_not_paid_or_too_old_is_not_refunded() {
    let sandbox = sandbox().await;
    let mut client = AlipayClient::of(&sandbox);
    client.precreate(&order("T1", "10.00"), None).await;
    let refund = async |client: &AlipayClient| client.refund("T1", "R1", "1.00").await["sub_code"].clone();
    assert_eq!(refund(&client).await, "ACQ.TRADE_NOT_EXIST");
    sandbox.scan(Alipay, "T1").unwrap();
    assert_eq!(refund(&client).await, "ACQ.TRADE_STATUS_ERROR");
    sandbox.pay(Alipay, "T1").unwrap();
    sandbox.advance(Duration::from_secs(365 * 86_400));
    client.now_ms = sandbox.now_ms();
    assert_eq!(refund(&client).await, "ACQ.TRADE_HAS_FINISHED");
    assert_eq!(client.state("T1").await, "TRADE_FINISHED");
    let cancel = json!({ "out_trade_no": "T1" });
    assert_eq!(client.refused(CANCEL, &cancel).await, "ACQ.TRADE_HAS_FINISHED");
    for content in [
        json!({ "out_trade_no": "T1", "out_request_no": "R1" }),
        json!({ "out_request_no": "R1", "refund_amount": "1.00" }),
        json!({ "out_trade_no": "T1", "refund_amount": "0.00" }),
        json!({ "out_trade_no": "T1", "refund_amount": "1.00", "notify_url": "http://a/" }),
    ] {
        assert_eq!(client.refused(REFUND, &content).await, "ACQ.INVALID_PARAMETER");
    }
}

#[tokio::test]
async fn a_refund_nobody_knows_is_a_success_without_data() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    client.paid(&sandbox, "T1", None).await;
    let query = |number: &str| json!({ "out_trade_no": "T1", "out_request_no": number });
    let empty = json!({ "code": "10000", "msg": "Success" });
    assert_eq!(client.call(REFUND_QUERY, &query("R1")).await, empty);
    client.refund("T1", "R1", "3.00").await;
    let found = client.call(REFUND_QUERY, &query("R1")).await;
    assert_eq!(found["refund_status"], "REFUND_SUCCESS");
    assert_eq!(found["refund_amount"], "3.00");
    assert_eq!(found["total_amount"], "10.00");
    assert_eq!(found["out_request_no"], "R1");
    assert_eq!(found.get("gmt_refund_pay"), None);
    let mut with_time = query("R1");
    with_time["query_options"] = json!(["gmt_refund_pay"]);
    let found = client.call(REFUND_QUERY, &with_time).await;
    assert_eq!(found["gmt_refund_pay"], "2026-11-20 12:00:00");
    let unknown = json!({ "out_trade_no": "T9", "out_request_no": "R1" });
    assert_eq!(client.refused(REFUND_QUERY, &unknown).await, "TRADE_NOT_EXIST");
    let missing = json!({ "out_trade_no": "T1" });
    assert_eq!(
        client.refused(REFUND_QUERY, &missing).await,
        "ACQ.INVALID_PARAMETER"
    );
}

#[tokio::test]
async fn a_seller_without_money_may_try_again_with_the_same_number() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    client.paid(&sandbox, "T1", None).await;
    let poor = FaultKind::Refund {
        outcome: RefundOutcome::NotEnough,
    };
    sandbox.fault(Fault::new(poor).at(Alipay));
    let refused = client.refund("T1", "R1", "3.00").await;
    assert_eq!(refused["sub_code"], "ACQ.SELLER_BALANCE_NOT_ENOUGH");
    assert_eq!(client.refund("T1", "R1", "3.00").await["fund_change"], "Y");
    sandbox.fault(Fault::new(poor).at(Alipay).on("cancel"));
    let refused = client.call(CANCEL, &json!({ "out_trade_no": "T1" })).await;
    assert_eq!(refused["sub_code"], "ACQ.SELLER_BALANCE_NOT_ENOUGH");
    assert_eq!(refused["retry_flag"], "Y");
    let cancelled = client.call(CANCEL, &json!({ "out_trade_no": "T1" })).await;
    assert_eq!(cancelled["action"], "refund");
    assert_eq!(sandbox.ledger().net_fen(Alipay, "T1"), 0);
}

#[tokio::test]
async fn success_does_not_mean_that_money_moved() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    client.paid(&sandbox, "T1", None).await;
    let left = |outcome| Fault::new(FaultKind::Refund { outcome }).at(Alipay);
    sandbox.fault(left(RefundOutcome::Processing));
    let accepted = client.refund("T1", "R1", "3.00").await;
    assert_eq!(accepted["code"], "10000");
    assert_eq!(
        (&accepted["fund_change"], &accepted["refund_fee"]),
        (&json!("N"), &json!("0.00"))
    );
    let query = json!({ "out_trade_no": "T1", "out_request_no": "R1" });
    assert_eq!(client.call(REFUND_QUERY, &query).await.get("refund_status"), None);
    assert_eq!(sandbox.ledger().refunded_fen(Alipay), 0);
    // The same request does it.
    assert_eq!(client.refund("T1", "R1", "3.00").await["fund_change"], "Y");
    assert_eq!(
        client.call(REFUND_QUERY, &query).await["refund_status"],
        "REFUND_SUCCESS"
    );

    // One that is settled by hand may end the trade.
    sandbox.fault(left(RefundOutcome::Processing));
    assert_eq!(client.refund("T1", "R2", "7.00").await["fund_change"], "N");
    assert_eq!(client.state("T1").await, "TRADE_SUCCESS");
    sandbox
        .settle_refund(Alipay, "R2", RefundOutcome::Success)
        .unwrap();
    assert_eq!(client.state("T1").await, "TRADE_CLOSED");
    let repeated = client.refund("T1", "R2", "7.00").await;
    assert_eq!(
        (&repeated["fund_change"], &repeated["refund_fee"]),
        (&json!("N"), &json!("10.00"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_refunds_at_once_never_exceed_the_payment() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    client.paid(&sandbox, "T1", None).await;
    let numbers: Vec<String> = (0..12).map(|number| format!("R{number}")).collect();
    // Each number twice, at the same time: ten yuan are three times three, and one is left.
    let refund_all = async || {
        let mut moved = 0;
        for number in &numbers {
            moved += u32::from(client.refund("T1", number, "3.00").await["fund_change"] == "Y");
        }
        moved
    };
    let (first, second) = tokio::join!(refund_all(), refund_all());
    assert_eq!(first + second, 3);
    assert_eq!(sandbox.ledger().refunded_fen(Alipay), 900);
}
