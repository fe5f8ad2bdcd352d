//! A new trading.

use async_trait::async_trait;
use sea_orm::{ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait};
use trade_core::{JournalEntry, Trading, port::Inserted};

use super::{find, slot_of, winner_of};
use crate::{
    fault::Fault,
    table::{
        trade_journal,
        trading::{Column, Entity, new_row},
    },
    transaction::{Verdict, Write},
};

#[derive(Debug)]
pub(super) struct Insert {
    pub(super) trading: Trading,
    pub(super) journal: JournalEntry,
}

#[async_trait]
impl Write for Insert {
    type Outcome = Inserted;
    const OPERATION: &'static str = "insert a trading";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<Inserted>, Fault> {
        if let Some(winner) = winner_of(tx, &self.trading).await? {
            return Ok(Verdict::RollBack(Inserted::OrderPaid(Box::new(winner))));
        }
        Entity::insert(new_row(&self.trading))
            .exec_without_returning(tx)
            .await?;
        trade_journal::Entity::insert(trade_journal::new_row(&self.journal))
            .exec_without_returning(tx)
            .await?;
        Ok(Verdict::Commit(Inserted::Done))
    }

    async fn explain(&self, connection: &DatabaseConnection) -> Result<Option<Inserted>, Fault> {
        if !self.trading.state.is_live() {
            return Ok(None);
        }
        let live = find(connection, Column::LiveSlot.eq(slot_of(&self.trading))).await?;
        Ok(live.map(|live| Inserted::LiveExists(Box::new(live))))
    }
}
