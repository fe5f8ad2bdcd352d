//! The notice inbox.

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    sea_query::Expr,
};
use trade_core::{
    TradingOrderNo,
    port::{NoticeInbox, NoticeRecord, NoticeSeen, Recorded, StoreError},
};

use crate::{
    fault::Fault,
    store::SqlStore,
    table::{
        BadColumn,
        notice_inbox::{Column, Entity, delivery, digest, new_row},
    },
    transaction::{Verdict, Write, execute},
};

#[derive(Debug)]
struct Record(NoticeRecord);

impl Record {
    /// Counts one more delivery of a notice that is there; how many rows that were.
    async fn count(&self, tx: &DatabaseTransaction) -> Result<u64, Fault> {
        let Self(notice) = self;
        let updated = Entity::update_many()
            .set(delivery(notice))
            .col_expr(Column::Deliveries, Expr::col(Column::Deliveries).add(1))
            .filter(Column::Channel.eq(notice.channel.code()))
            .filter(Column::EnterpriseId.eq(notice.enterprise_id.get()))
            .filter(Column::NoticeDigest.eq(digest(&notice.notice_id)))
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
        if self.count(tx).await? > 0 {
            return Ok(Verdict::Commit(Recorded::Again));
        }
        Entity::insert(new_row(&self.0))
            .exec_without_returning(tx)
            .await?;
        Ok(Verdict::Commit(Recorded::New))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<Recorded>, Fault> {
        // Another process recorded the first delivery at the same time: count this one.
        Ok(None)
    }
}

impl SqlStore {
    async fn read_notices(&self, trading_order_no: TradingOrderNo) -> Result<Vec<NoticeSeen>, Fault> {
        let rows = Entity::find()
            .filter(Column::TradingOrderNo.eq(trading_order_no.get()))
            .order_by_asc(Column::FirstAt)
            .order_by_asc(Column::Id)
            .all(self.reader())
            .await?;
        let seen: Result<_, BadColumn> = rows.into_iter().map(NoticeSeen::try_from).collect();
        Ok(seen?)
    }
}

#[async_trait]
impl NoticeInbox for SqlStore {
    async fn record_notice(&self, notice: &NoticeRecord) -> Result<Recorded, StoreError> {
        execute(self.writer(), Record(notice.clone())).await
    }

    async fn notices_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<NoticeSeen>, StoreError> {
        let seen = self.read_notices(trading_order_no).await;
        seen.map_err(|fault| fault.during("read the notices about a trading"))
    }
}
