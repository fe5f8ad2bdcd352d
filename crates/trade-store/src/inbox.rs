//! The notice inbox.

use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, ExprTrait,
    QueryFilter, sea_query::Expr,
};
use trade_core::{
    Channel, EnterpriseId, Timestamp,
    port::{NoticeInbox, Recorded, StoreError},
};

use crate::{
    fault::Fault,
    store::SqlStore,
    table::notice_inbox::{ActiveModel, Column, Entity, delivery, digest},
    transaction::{Verdict, Write, execute},
};

#[derive(Debug)]
struct Record {
    channel: Channel,
    enterprise_id: EnterpriseId,
    notice_id: String,
    verdict: String,
    at: Timestamp,
}

impl Record {
    /// Counts one more delivery of a notice that is there; how many rows that were.
    async fn count(&self, tx: &DatabaseTransaction, digest: &str) -> Result<u64, Fault> {
        let updated = Entity::update_many()
            .set(delivery(&self.verdict, self.at.ms()))
            .col_expr(Column::Deliveries, Expr::col(Column::Deliveries).add(1))
            .filter(Column::Channel.eq(self.channel.code()))
            .filter(Column::EnterpriseId.eq(self.enterprise_id.get()))
            .filter(Column::NoticeDigest.eq(digest))
            .exec(tx)
            .await?;
        Ok(updated.rows_affected)
    }
}

#[async_trait]
impl Write for Record {
    type Outcome = Recorded;
    const OPERATION: &'static str = "record a notice";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<Recorded>, Fault> {
        let digest = digest(&self.notice_id);
        if self.count(tx, &digest).await? > 0 {
            return Ok(Verdict::Commit(Recorded::Again));
        }
        let row = ActiveModel {
            channel: Set(self.channel.code().to_owned()),
            enterprise_id: Set(self.enterprise_id.get()),
            notice_id: Set(self.notice_id.clone()),
            notice_digest: Set(digest),
            verdict: Set(self.verdict.clone()),
            deliveries: Set(1),
            first_at: Set(self.at.ms()),
            ..delivery(&self.verdict, self.at.ms())
        };
        Entity::insert(row).exec_without_returning(tx).await?;
        Ok(Verdict::Commit(Recorded::New))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<Recorded>, Fault> {
        // Another process recorded the first delivery at the same time: count this one.
        Ok(None)
    }
}

#[async_trait]
impl NoticeInbox for SqlStore {
    async fn record_notice(
        &self,
        channel: Channel,
        enterprise_id: EnterpriseId,
        notice_id: &str,
        verdict: &str,
        at: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let record = Record {
            channel,
            enterprise_id,
            notice_id: notice_id.to_owned(),
            verdict: verdict.to_owned(),
            at,
        };
        execute(self.writer(), record).await
    }
}
