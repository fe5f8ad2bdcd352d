//! Positions in the stream of events: given after the commit, in one line, so that nobody who reads on from
//! a position ever passes an event.

use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, ExprTrait,
    QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Query},
};

use crate::{
    fault::Fault,
    table::trade_outbox::{ActiveModel, Column, Entity},
    transaction::{Verdict, Write},
};

/// So many are given at once.
const BATCH: u64 = 500;

/// Gives the next positions to committed events that have none, in the order of their rows.
#[derive(Debug)]
pub(super) struct Give;

#[async_trait]
impl Write for Give {
    type Outcome = ();
    const OPERATION: &'static str = "give events their positions";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<()>, Fault> {
        // Whoever else gives positions waits for this row, and then sees what was given.
        let hold = Query::update()
            .table("trade_position")
            .value("last_position", Expr::col("last_position"))
            .and_where(Expr::col("id").eq(1))
            .take();
        tx.execute(&hold).await?;
        let reached = Query::select()
            .column("last_position")
            .from("trade_position")
            .take();
        let Some(reached) = tx.query_one(&reached).await? else {
            return Err(Fault::Broken(
                "the row that counts the positions of events is gone",
            ));
        };
        let mut last: i64 = reached.try_get_by_index(0)?;
        let new: Vec<i64> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Position.is_null())
            .order_by_asc(Column::Id)
            .limit(BATCH)
            .into_tuple()
            .all(tx)
            .await?;
        for id in new {
            last = last.saturating_add(1);
            let given = ActiveModel {
                position: Set(Some(last)),
                ..Default::default()
            };
            Entity::update_many()
                .set(given)
                .filter(Column::Id.eq(id))
                .exec(tx)
                .await?;
        }
        let keep = Query::update()
            .table("trade_position")
            .value("last_position", last)
            .take();
        tx.execute(&keep).await?;
        Ok(Verdict::Commit(()))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<()>, Fault> {
        Ok(None)
    }
}
