//! What the trade server says, applied once: inbox and effect are one transaction.

use sea_orm::{ActiveValue::Set, DatabaseTransaction, DbErr, EntityTrait};
use trade_core::{Timestamp, TradeStatusMsg};
use trade_mq::{Judgement, judge};

use super::{
    Store, is_duplicate,
    paid::{Paid, Payment, locked, pay_success, remember_seq},
    refunds::{RefundResult, keep_returned, refund_result},
    table::{Order, Returned, inbox},
};
use crate::status::{PayStatus, RefundStatus};

/// What to do when an earlier event of the same order is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gap {
    /// It is on its way: wait for it.
    Wait,
    /// The source keeps the order, so it will not come any more.
    GoOn,
}

/// What a message did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// Something changed.
    Changed,
    /// Nothing was to change.
    Nothing,
    /// It was applied before.
    Before,
    /// An earlier one is missing; nothing was written.
    Early,
    /// Money came for a cancelled order: it has to go back.
    Late,
    /// No order has that number; nothing was written.
    NoOrder,
    /// It says something that cannot be; nothing was written.
    Contradiction,
}

impl Store {
    /// Applies a message.
    pub(crate) async fn apply(
        &self,
        message: &TradeStatusMsg,
        gap: Gap,
        now: Timestamp,
    ) -> Result<Applied, DbErr> {
        let tx = self.begin().await?;
        match apply(&tx, message, gap, now).await {
            Ok(applied @ (Applied::Early | Applied::NoOrder | Applied::Contradiction)) => {
                tx.rollback().await?;
                Ok(applied)
            }
            Ok(applied) => {
                tx.commit().await?;
                Ok(applied)
            }
            Err(error) => {
                let rolled_back = tx.rollback().await;
                // Another delivery of the same event was at work at the same time.
                if is_duplicate(&error) && rolled_back.is_ok() && message.event_id.is_some() {
                    return self.known(message).await?.ok_or(error);
                }
                Err(error)
            }
        }
    }

    async fn known(&self, message: &TradeStatusMsg) -> Result<Option<Applied>, DbErr> {
        let Some(event_id) = message.event_id else {
            return Ok(None);
        };
        let seen = inbox::Entity::find_by_id(event_id.get()).one(&self.db).await?;
        Ok(seen.map(|_| Applied::Before))
    }
}

async fn apply(
    tx: &DatabaseTransaction,
    message: &TradeStatusMsg,
    gap: Gap,
    now: Timestamp,
) -> Result<Applied, DbErr> {
    let id = message.product_order_no.get();
    let Some(order) = locked(tx, id).await? else {
        return Ok(Applied::NoOrder);
    };
    if let Some(event_id) = message.event_id {
        if inbox::Entity::find_by_id(event_id.get()).one(tx).await?.is_some() {
            return Ok(Applied::Before);
        }
        let row = inbox::ActiveModel {
            event_id: Set(event_id.get()),
            order_id: Set(id),
            at: Set(now.ms()),
        };
        inbox::Entity::insert(row).exec_without_returning(tx).await?;
    }
    if let Some(seq) = message.seq {
        match judge(order.seen_seq, seq) {
            Judgement::Duplicate | Judgement::Old => return Ok(Applied::Before),
            Judgement::Gap if gap == Gap::Wait => return Ok(Applied::Early),
            Judgement::New | Judgement::Gap => remember_seq(tx, order.clone(), seq).await?,
        }
    }
    if message.refund_no.is_some() {
        refunded(tx, &order, message, now).await
    } else {
        settled(tx, id, message, now).await
    }
}

/// A trading changed. Only a payment matters: what was closed or has failed leaves the order as it is.
async fn settled(
    tx: &DatabaseTransaction,
    id: i64,
    message: &TradeStatusMsg,
    now: Timestamp,
) -> Result<Applied, DbErr> {
    if i32::from(message.status_code) != PayStatus::Paid.code() {
        return Ok(Applied::Nothing);
    }
    let payment = Payment {
        trading_order_no: message.trading_order_no,
        channel: message.trading_channel,
        transaction_id: message.transaction_id.as_ref().map(ToString::to_string),
        paid_at: message.occurred_at.unwrap_or(now),
    };
    Ok(match pay_success(tx, id, &payment, now).await? {
        Paid::Settled => Applied::Changed,
        Paid::Known => Applied::Nothing,
        Paid::Late => Applied::Late,
        Paid::Contradiction => Applied::Contradiction,
        Paid::NoOrder => Applied::NoOrder,
    })
}

/// A refund changed: the one this system asked for, or money that went back for another reason.
async fn refunded(
    tx: &DatabaseTransaction,
    order: &Order,
    message: &TradeStatusMsg,
    now: Timestamp,
) -> Result<Applied, DbErr> {
    let code = i32::from(message.status_code);
    let (Some(refund_no), Some(status)) = (message.refund_no, RefundStatus::from_code(code)) else {
        return Ok(Applied::Contradiction);
    };
    let number = message.product_refund_no.as_ref().map(ToString::to_string);
    if number == Some(order.product_refund_no()) {
        let result = RefundResult {
            refund_no,
            refund_id: None,
            status,
        };
        let changed = refund_result(tx, order.id, &result, now).await?;
        return Ok(if changed {
            Applied::Changed
        } else {
            Applied::Nothing
        });
    }
    let row = Returned {
        refund_no: refund_no.get(),
        order_id: order.id,
        trading_order_no: message.trading_order_no.get(),
        trading_channel: message.trading_channel.code().to_owned(),
        refund_amount: message.refund_fen.map_or(0, trade_core::Fen::get),
        refund_status: status.code(),
        origin: message
            .refund_origin
            .clone()
            .unwrap_or_else(|| "CALLER".to_owned()),
        update_time: now.ms(),
    };
    keep_returned(tx, &row).await?;
    Ok(Applied::Changed)
}
