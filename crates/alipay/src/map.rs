//! Between the channel's words and the domain's.

use trade_core::{
    ChannelError, Fen, Timestamp, TransactionId,
    handler::{ChannelAnswer, Payment, PaymentStatus},
};

use crate::{client::RawReply, error::nonsense, wire::QueryReply};

pub(crate) fn answer_of(reply: &RawReply, code: &str) -> ChannelAnswer {
    ChannelAnswer::new(code, "", &reply.body, reply.request_id.clone())
}

/// What a query's answer says of the payment.
pub(crate) fn payment_status(
    operation: &'static str,
    trade: &QueryReply,
    request_id: Option<String>,
) -> Result<PaymentStatus, ChannelError> {
    let was_paid = trade
        .send_pay_date
        .as_deref()
        .is_some_and(|date| !date.is_empty());
    match trade.trade_status.as_str() {
        "WAIT_BUYER_PAY" => Ok(PaymentStatus::Waiting),
        "TRADE_SUCCESS" | "TRADE_FINISHED" => payment(operation, trade, request_id),
        // Closed unpaid, or paid and wholly refunded: only the former has no time of payment.
        "TRADE_CLOSED" if was_paid => payment(operation, trade, request_id),
        "TRADE_CLOSED" => Ok(PaymentStatus::Closed),
        other => Err(nonsense(
            operation,
            format!("unknown trade_status `{other}`"),
            request_id,
        )),
    }
}

fn payment(
    operation: &'static str,
    trade: &QueryReply,
    request_id: Option<String>,
) -> Result<PaymentStatus, ChannelError> {
    let total = trade
        .total_amount
        .as_deref()
        .and_then(|text| Fen::from_yuan(text).ok());
    let trade_no = trade.trade_no.clone().filter(|number| !number.is_empty());
    let (Some(total), Some(trade_no)) = (total, trade_no) else {
        return Err(nonsense(
            operation,
            "a paid trade without trade_no or total_amount",
            request_id,
        ));
    };
    Ok(PaymentStatus::Paid(Payment {
        transaction_id: TransactionId::new(trade_no),
        total,
        currency: trade.trans_currency.clone().unwrap_or_else(|| "CNY".to_owned()),
        payer_total: trade
            .buyer_pay_amount
            .as_deref()
            .and_then(|text| Fen::from_yuan(text).ok()),
        paid_at: trade
            .send_pay_date
            .as_deref()
            .and_then(Timestamp::from_beijing_text),
        payer_id: trade
            .buyer_user_id
            .clone()
            .or_else(|| trade.buyer_open_id.clone()),
    }))
}
