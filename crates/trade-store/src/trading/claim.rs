//! A claim on a trading.

use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter,
};
use trade_core::{Timestamp, TradingOrderNo, port::Claim};

use crate::{
    fault::Fault,
    table::{
        ms,
        trading::{ActiveModel, Column, Entity},
    },
    transaction::{Verdict, Write},
};

#[derive(Debug)]
pub(super) struct ClaimTrading {
    pub(super) trading_order_no: TradingOrderNo,
    pub(super) claim: Claim,
}

#[async_trait]
impl Write for ClaimTrading {
    type Outcome = bool;
    const OPERATION: &'static str = "claim a trading";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<bool>, Fault> {
        let Self { claim, .. } = self;
        let claimed = ActiveModel {
            next_check_at: Set(ms(claim.next_check_at)),
            checks: Set(i64::from(claim.checks)),
            stuck: Set(claim.stuck.clone()),
            is_stuck: Set(i32::from(claim.stuck.is_some())),
            ..Default::default()
        };
        let seen = match claim.seen.map(Timestamp::ms) {
            Some(seen) => Column::NextCheckAt.eq(seen),
            None => Column::NextCheckAt.is_null(),
        };
        let updated = Entity::update_many()
            .set(claimed)
            .filter(Column::TradingOrderNo.eq(self.trading_order_no.get()))
            .filter(Column::Version.eq(claim.version))
            .filter(seen)
            .exec(tx)
            .await?;
        Ok(Verdict::Commit(updated.rows_affected == 1))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<bool>, Fault> {
        Ok(None)
    }
}
