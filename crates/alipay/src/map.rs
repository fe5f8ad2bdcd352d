//! Between the channel's words and the domain's.

use serde::de::DeserializeOwned;
use trade_core::{
    ChannelError, Fen, Timestamp, TransactionId,
    handler::{ChannelAnswer, Payment, PaymentStatus, RefundStatus},
};

use crate::{client::RawReply, error::nonsense, wire::QueryReply};

pub(crate) fn answer_of(reply: &RawReply, code: &str) -> ChannelAnswer {
    ChannelAnswer::new(code, "", &reply.body, reply.request_id.clone())
}

pub(crate) fn parse<T: DeserializeOwned>(
    operation: &'static str,
    reply: &RawReply,
) -> Result<T, ChannelError> {
    serde_json::from_str(&reply.body)
        .map_err(|error| nonsense(operation, error.to_string(), reply.request_id.clone()))
}

/// Alipay may leave a number out; one that is there must be the one asked about.
pub(crate) fn same_number(
    operation: &'static str,
    told: Option<&str>,
    asked: &str,
    reply: &RawReply,
) -> Result<(), ChannelError> {
    match told.filter(|told| !told.is_empty()) {
        Some(told) if told != asked => Err(nonsense(
            operation,
            format!("the reply is about {told} instead of {asked}"),
            reply.request_id.clone(),
        )),
        Some(_) | None => Ok(()),
    }
}

/// What a query's answer says of the payment.
pub(crate) fn payment_status(
    operation: &'static str,
    trade: &QueryReply,
    reply: &RawReply,
) -> Result<PaymentStatus, ChannelError> {
    match trade.trade_status.as_str() {
        "WAIT_BUYER_PAY" => Ok(PaymentStatus::Waiting),
        "TRADE_SUCCESS" | "TRADE_FINISHED" => payment(operation, trade, reply),
        // Closed unpaid, or paid and wholly refunded since: the latter has facts of a payment.
        "TRADE_CLOSED" if was_paid(trade) => payment(operation, trade, reply),
        "TRADE_CLOSED" => Ok(PaymentStatus::Closed),
        other => {
            let why = format!("unknown trade_status `{other}`");
            Err(nonsense(operation, why, reply.request_id.clone()))
        }
    }
}

/// A time of payment, or money of the buyer's. An unpaid trade shows `0.00` in these fields.
fn was_paid(trade: &QueryReply) -> bool {
    let paid_at = trade.send_pay_date.as_deref();
    let sums = [
        &trade.buyer_pay_amount,
        &trade.receipt_amount,
        &trade.point_amount,
    ];
    paid_at.is_some_and(|date| !date.is_empty())
        || sums
            .into_iter()
            .any(|sum| yuan(sum.as_deref()).is_some_and(|fen| fen > Fen::ZERO))
}

fn payment(
    operation: &'static str,
    trade: &QueryReply,
    reply: &RawReply,
) -> Result<PaymentStatus, ChannelError> {
    let trade_no = trade.trade_no.clone().filter(|number| !number.is_empty());
    let (Some(total), Some(trade_no)) = (yuan(trade.total_amount.as_deref()), trade_no) else {
        let why = "a paid trade without trade_no or total_amount";
        return Err(nonsense(operation, why, reply.request_id.clone()));
    };
    let told = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Ok(PaymentStatus::Paid(Payment {
        transaction_id: TransactionId::new(trade_no),
        total,
        currency: told(&trade.trans_currency).unwrap_or_else(|| "CNY".to_owned()),
        payer_total: yuan(trade.buyer_pay_amount.as_deref()),
        paid_at: trade
            .send_pay_date
            .as_deref()
            .and_then(Timestamp::from_beijing_text),
        payer_id: told(&trade.buyer_user_id).or_else(|| told(&trade.buyer_open_id)),
    }))
}

/// What a refund query's `refund_status` says; without one, a refund that is known is on its way.
pub(crate) fn refund_status(
    operation: &'static str,
    told: &str,
    reply: &RawReply,
) -> Result<RefundStatus, ChannelError> {
    match told {
        "REFUND_SUCCESS" => Ok(RefundStatus::Success),
        "REFUND_PROCESSING" | "" => Ok(RefundStatus::Processing),
        "REFUND_FAIL" => Ok(RefundStatus::Closed),
        other => {
            let why = format!("unknown refund_status `{other}`");
            Err(nonsense(operation, why, reply.request_id.clone()))
        }
    }
}

fn yuan(text: Option<&str>) -> Option<Fen> {
    text.and_then(|text| Fen::from_yuan(text).ok())
}
