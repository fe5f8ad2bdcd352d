//! Orders and refunds as WeChat Pay shows them.

use serde_json::{Value, json};

use crate::{
    beijing,
    ledger::{Book, Order, OrderState, Payment, Refund, RefundState},
};

/// The `trade_state` and its description.
pub(super) fn trade_state(book: &Book, order: &Order) -> (&'static str, &'static str) {
    match order.state {
        OrderState::Created | OrderState::Scanned => ("NOTPAY", "订单未支付"),
        OrderState::Closed => ("CLOSED", "订单已关闭"),
        OrderState::Paid | OrderState::Finished => {
            // Any refund, however small and however it ended, turns the state for good.
            if book.refunds_of(&order.key).next().is_some() {
                ("REFUND", "订单发生过退款，退款详情请查询退款单")
            } else {
                ("SUCCESS", "支付成功")
            }
        }
    }
}

/// The transaction object of queries and notices. `wrong_fen` is a fault's addition to the amount.
pub(super) fn transaction(book: &Book, order: &Order, wrong_fen: i64) -> Value {
    let (state, description) = trade_state(book, order);
    let mut view = json!({
        "appid": order.app_id,
        "mchid": order.key.merchant,
        "out_trade_no": order.key.out_trade_no,
        "trade_state": state,
        "trade_state_desc": description,
        "attach": order.attach.as_deref().unwrap_or(""),
        "promotion_detail": [],
        "payer": {},
    });
    if let (Some(view), Some(payment)) = (view.as_object_mut(), &order.payment) {
        view.insert("transaction_id".to_owned(), json!(order.transaction_id));
        view.insert("trade_type".to_owned(), json!(order.trade_type));
        view.insert("bank_type".to_owned(), json!(payment.bank_type));
        view.insert(
            "success_time".to_owned(),
            json!(beijing::rfc3339(payment.paid_ms)),
        );
        view.insert("payer".to_owned(), json!({ "openid": payment.payer }));
        view.insert("promotion_detail".to_owned(), promotion(order, payment));
        let amount = json!({
            "total": order.amount_fen.saturating_add(wrong_fen),
            "payer_total": payment.payer_total_fen,
            "currency": "CNY",
            "payer_currency": "CNY",
        });
        view.insert("amount".to_owned(), amount);
    }
    view
}

fn promotion(order: &Order, payment: &Payment) -> Value {
    let coupon_fen = order.amount_fen.saturating_sub(payment.payer_total_fen);
    if coupon_fen == 0 {
        return json!([]);
    }
    json!([{
        "coupon_id": "109519",
        "name": "沙箱代金券",
        "scope": "GLOBAL",
        "type": "CASH",
        "amount": coupon_fen,
        "stock_id": "931386",
        "wechatpay_contribute": coupon_fen,
        "merchant_contribute": 0,
        "other_contribute": 0,
        "currency": "CNY",
        "goods_detail": [],
    }])
}

/// What the payer paid: the amount of the order, less coupons.
pub(super) fn payer_total_fen(order: &Order) -> i64 {
    let payment = order.payment.as_ref();
    payment.map_or(order.amount_fen, |payment| payment.payer_total_fen)
}

/// What the payer gets back of a refund, when a coupon had paid a part of the order.
pub(super) fn payer_refund_fen(order: &Order, refund_fen: i64) -> i64 {
    let share = i128::from(refund_fen).saturating_mul(i128::from(payer_total_fen(order)));
    let share = share.checked_div(i128::from(order.amount_fen)).unwrap_or(0);
    i64::try_from(share).unwrap_or(refund_fen)
}

/// The refund object of the refund API.
pub(super) fn refund(order: &Order, refund: &Refund, wrong_fen: i64) -> Value {
    let payer_refund_fen = payer_refund_fen(order, refund.amount_fen);
    let payer_total_fen = payer_total_fen(order);
    let mut view = json!({
        "refund_id": refund.refund_id,
        "out_refund_no": refund.key.number,
        "transaction_id": order.transaction_id,
        "out_trade_no": order.key.out_trade_no,
        "channel": "ORIGINAL",
        "user_received_account": received_account(order),
        "create_time": beijing::rfc3339(refund.created_ms),
        "status": status(refund.state),
        "funds_account": "AVAILABLE",
        "amount": {
            "total": order.amount_fen,
            "refund": refund.amount_fen.saturating_add(wrong_fen),
            "from": [],
            "payer_total": payer_total_fen,
            "payer_refund": payer_refund_fen,
            "settlement_refund": payer_refund_fen,
            "settlement_total": payer_total_fen,
            "discount_refund": refund.amount_fen.saturating_sub(payer_refund_fen),
            "currency": "CNY",
            "refund_fee": 0,
        },
        "promotion_detail": [],
    });
    if let (Some(view), Some(success_ms)) = (view.as_object_mut(), refund.success_ms) {
        view.insert("success_time".to_owned(), json!(beijing::rfc3339(success_ms)));
    }
    view
}

/// Where the payer gets the money.
pub(super) fn received_account(order: &Order) -> &'static str {
    match &order.payment {
        Some(payment) if payment.bank_type != super::BALANCE => "招商银行信用卡0403",
        Some(_) | None => "支付用户零钱",
    }
}

/// The `status`, or in a notice the `refund_status`.
pub(super) fn status(state: RefundState) -> &'static str {
    match state {
        RefundState::Processing => "PROCESSING",
        RefundState::Success => "SUCCESS",
        RefundState::Abnormal => "ABNORMAL",
        RefundState::Closed => "CLOSED",
    }
}
