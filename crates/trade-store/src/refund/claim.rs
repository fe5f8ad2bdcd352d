//! A claim on a refund.

use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter,
};
use trade_core::{RefundNo, Timestamp, port::Claim};

use crate::{
    fault::Fault,
    table::{
        ms,
        refund_record::{ActiveModel, Column, Entity},
    },
    transaction::{Verdict, Write},
};

#[derive(Debug)]
pub(super) struct ClaimRefund {
    pub(super) refund_no: RefundNo,
    pub(super) claim: Claim,
}

#[async_trait]
impl Write for ClaimRefund {
    type Outcome = bool;
    const OPERATION: &'static str = "claim a refund";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<bool>, Fault> {
        let Self { claim, .. } = self;
        let claimed = ActiveModel {
            next_check_at: Set(ms(claim.next_check_at)),
            checks: Set(i64::from(claim.checks)),
            stuck: Set(claim.stuck.clone()),
            ..Default::default()
        };
        let seen = match claim.seen.map(Timestamp::ms) {
            Some(seen) => Column::NextCheckAt.eq(seen),
            None => Column::NextCheckAt.is_null(),
        };
        let updated = Entity::update_many()
            .set(claimed)
            .filter(Column::RefundNo.eq(self.refund_no.get()))
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
