//! Tradings: one file a write, and the reads.

mod commit;
mod insert;
mod read;

use async_trait::async_trait;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use trade_core::{
    JournalEntry, Trading, TradingChange, TradingOrderNo,
    port::{Claim, Commit, Due, Inserted, OrderKey, Page, Pick, StoreError, TradingFilter, TradingStore},
};

use crate::{
    claim::{ClaimRow, Row},
    fault::Fault,
    store::SqlStore,
    table::{
        slot,
        trading::{Column, Entity},
    },
    transaction::execute,
};

#[async_trait]
impl TradingStore for SqlStore {
    async fn insert_trading(
        &self,
        trading: &Trading,
        journal: &JournalEntry,
    ) -> Result<Inserted, StoreError> {
        let insert = insert::Insert {
            trading: trading.clone(),
            journal: journal.clone(),
        };
        execute(self.writer(), insert).await
    }

    async fn trading(&self, trading_order_no: TradingOrderNo) -> Result<Option<Trading>, StoreError> {
        let row = find(self.reader(), Column::TradingOrderNo.eq(trading_order_no.get())).await;
        row.map_err(|fault| fault.during("read a trading"))
    }

    async fn tradings_of(&self, order: &OrderKey) -> Result<Vec<Trading>, StoreError> {
        let rows = read::of_order(self.reader(), order).await;
        rows.map_err(|fault| fault.during("read the tradings of an order"))
    }

    async fn list_tradings(&self, filter: &TradingFilter, page: Page) -> Result<Vec<Trading>, StoreError> {
        let rows = read::list(self.reader(), filter, page).await;
        rows.map_err(|fault| fault.during("list tradings"))
    }

    async fn commit_trading(&self, change: &TradingChange) -> Result<Commit, StoreError> {
        execute(self.writer(), commit::Transition(change.clone())).await
    }

    async fn claim_trading(
        &self,
        trading_order_no: TradingOrderNo,
        claim: Claim,
    ) -> Result<bool, StoreError> {
        let row = Row::Trading(trading_order_no);
        execute(self.writer(), ClaimRow { row, claim }).await
    }

    async fn due_tradings(&self, due: Due, pick: Pick) -> Result<Vec<Trading>, StoreError> {
        let rows = read::due(self.reader(), due, pick).await;
        rows.map_err(|fault| fault.during("read the tradings that are due"))
    }

    async fn journal(&self, trading_order_no: TradingOrderNo) -> Result<Vec<JournalEntry>, StoreError> {
        let entries = read::journal(self.reader(), trading_order_no).await;
        entries.map_err(|fault| fault.during("read a journal"))
    }
}

/// The one trading that a unique column names.
async fn find(
    connection: &impl ConnectionTrait,
    by: sea_orm::sea_query::SimpleExpr,
) -> Result<Option<Trading>, Fault> {
    let row = Entity::find().filter(by).one(connection).await?;
    Ok(row.map(Trading::try_from).transpose()?)
}

/// The trading that settles an order, if one does.
async fn winner_of(connection: &impl ConnectionTrait, trading: &Trading) -> Result<Option<Trading>, Fault> {
    find(connection, Column::WinnerSlot.eq(slot_of(trading))).await
}

fn slot_of(trading: &Trading) -> String {
    slot(&trading.product_app_id, trading.product_order_no)
}
