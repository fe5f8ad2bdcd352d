//! A transition of a trading.

use async_trait::async_trait;
use sea_orm::{ColumnTrait, Condition, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter};
use trade_core::{Role, TradingChange, port::Commit};

use super::{find, winner_of};
use crate::{
    fault::Fault,
    outbox, refund,
    table::{
        trade_journal,
        trading::{Column, Entity, changed_columns},
    },
    transaction::{Verdict, Write},
};

#[derive(Debug)]
pub(super) struct Transition(pub(super) TradingChange);

impl Transition {
    fn is_this(&self) -> sea_orm::sea_query::SimpleExpr {
        Column::TradingOrderNo.eq(self.0.after.trading_order_no.get())
    }
}

#[async_trait]
impl Write for Transition {
    type Outcome = Commit;
    const OPERATION: &'static str = "commit a transition";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<Commit>, Fault> {
        let Self(change) = self;
        let updated = Entity::update_many()
            .set(changed_columns(&change.after))
            .filter(self.is_this())
            .filter(Column::Version.eq(change.from_version))
            .exec(tx)
            .await?;
        if updated.rows_affected == 0 {
            let exists = find(tx, self.is_this()).await?.is_some();
            return if exists {
                Ok(Verdict::RollBack(Commit::Stale))
            } else {
                Err(Fault::Broken("there is no trading of that number"))
            };
        }
        trade_journal::Entity::insert(trade_journal::new_row(&change.journal))
            .exec_without_returning(tx)
            .await?;
        if let Some(event) = &change.event {
            outbox::put(tx, event).await?;
        }
        if let Some(new) = &change.refund {
            refund::put_of_surplus(tx, new).await?;
        }
        Ok(Verdict::Commit(Commit::Done))
    }

    async fn explain(&self, connection: &DatabaseConnection) -> Result<Option<Commit>, Fault> {
        let after = &self.0.after;
        if after.role == Some(Role::Winner) {
            let winner = winner_of(connection, after).await?;
            if winner.is_some_and(|winner| winner.trading_order_no != after.trading_order_no) {
                return Ok(Some(Commit::WinnerExists));
            }
        }
        let Some(transaction_id) = &after.transaction_id else {
            return Ok(None);
        };
        let taken = Condition::all()
            .add(Column::TradingChannel.eq(after.channel.code()))
            .add(Column::TransactionId.eq(transaction_id.as_str()));
        let owner = Entity::find().filter(taken).one(connection).await?;
        let by_another = owner.is_some_and(|owner| owner.trading_order_no != after.trading_order_no.get());
        Ok(by_another.then_some(Commit::TransactionTaken))
    }
}
