//! Between the channel's words and the domain's.

use trade_core::{
    ChannelError, Fen, Timestamp, TransactionId,
    handler::{ChannelAnswer, Payment, PaymentStatus, RefundStatus},
};

use crate::{client::RawReply, error::nonsense, wire::Transaction};

pub(crate) fn answer_of(reply: &RawReply, code: &str, message: &str) -> ChannelAnswer {
    ChannelAnswer::new(code, message, reply.text(), reply.request_id.clone())
}

/// What a transaction says of the payment.
pub(crate) fn payment_status(
    operation: &'static str,
    transaction: &Transaction,
    request_id: Option<String>,
) -> Result<PaymentStatus, ChannelError> {
    match transaction.trade_state.as_str() {
        // REFUND: paid, and some of it is going back.
        "SUCCESS" | "REFUND" => payment(operation, transaction, request_id.as_ref()).map(PaymentStatus::Paid),
        "NOTPAY" | "USERPAYING" | "ACCEPT" => Ok(PaymentStatus::Waiting),
        "CLOSED" | "REVOKED" => Ok(PaymentStatus::Closed),
        "PAYERROR" => Ok(PaymentStatus::Failed),
        other => Err(nonsense(
            operation,
            format!("unknown trade_state `{other}`"),
            request_id,
        )),
    }
}

fn payment(
    operation: &'static str,
    transaction: &Transaction,
    request_id: Option<&String>,
) -> Result<Payment, ChannelError> {
    let missing = |what: &str| {
        nonsense(
            operation,
            format!("a paid transaction without {what}"),
            request_id.cloned(),
        )
    };
    let amount = transaction.amount.as_ref().ok_or_else(|| missing("amount"))?;
    let total = amount
        .total
        .and_then(|total| Fen::new(total).ok())
        .ok_or_else(|| missing("amount.total"))?;
    let transaction_id = transaction.transaction_id.clone().filter(|id| !id.is_empty());
    Ok(Payment {
        transaction_id: TransactionId::new(transaction_id.ok_or_else(|| missing("transaction_id"))?),
        total,
        // Left out only by old interfaces, where nothing but CNY exists.
        currency: amount.currency.clone().unwrap_or_else(|| "CNY".to_owned()),
        payer_total: amount.payer_total.and_then(|total| Fen::new(total).ok()),
        paid_at: transaction
            .success_time
            .as_deref()
            .and_then(Timestamp::from_rfc3339),
        payer_id: transaction.payer.as_ref().and_then(|payer| payer.openid.clone()),
    })
}

/// What a refund's status word says.
pub(crate) fn refund_status(
    operation: &'static str,
    status: &str,
    request_id: Option<String>,
) -> Result<RefundStatus, ChannelError> {
    match status {
        "SUCCESS" => Ok(RefundStatus::Success),
        "PROCESSING" => Ok(RefundStatus::Processing),
        "ABNORMAL" => Ok(RefundStatus::Abnormal),
        "CLOSED" => Ok(RefundStatus::Closed),
        other => Err(nonsense(
            operation,
            format!("unknown refund status `{other}`"),
            request_id,
        )),
    }
}
