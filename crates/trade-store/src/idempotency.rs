//! Idempotency keys.

use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, DatabaseConnection, DatabaseTransaction, EntityTrait,
    QueryFilter,
};
use trade_core::{
    Timestamp,
    port::{Begun, IdempotencyKey, IdempotencyStore, StoreError, StoredAnswer},
};

use crate::{
    fault::Fault,
    prune::Prune,
    store::SqlStore,
    table::idempotency_key::{ActiveModel, Column, Entity, new_row},
    transaction::{Verdict, Write, execute},
};

fn is(key: &IdempotencyKey) -> Condition {
    Condition::all()
        .add(Column::Scope.eq(key.scope.as_str()))
        .add(Column::Key.eq(key.key.as_str()))
}

#[derive(Debug)]
struct Begin {
    key: IdempotencyKey,
    fingerprint: String,
    now: Timestamp,
    lease_until: Timestamp,
}

#[async_trait]
impl Write for Begin {
    type Outcome = Begun;
    const OPERATION: &'static str = "claim an idempotency key";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<Begun>, Fault> {
        // Of two first claims at once, the unique index refuses one.
        let Some(row) = Entity::find().filter(is(&self.key)).one(tx).await? else {
            let row = new_row(&self.key, &self.fingerprint, self.now, self.lease_until);
            Entity::insert(row).exec_without_returning(tx).await?;
            return Ok(Verdict::Commit(Begun::Yours));
        };
        let ended = row.lease_until;
        if let Some(found) = row.found(&self.fingerprint, self.now)? {
            return Ok(Verdict::RollBack(found));
        }
        // Of two that take over at once, one finds the lease as it was.
        let taken_over = Entity::update_many()
            .set(ActiveModel {
                lease_until: Set(self.lease_until.ms()),
                ..Default::default()
            })
            .filter(is(&self.key))
            .filter(Column::LeaseUntil.eq(ended))
            .filter(Column::Status.is_null())
            .exec(tx)
            .await?;
        match taken_over.rows_affected {
            0 => Ok(Verdict::RollBack(Begun::InFlight(self.lease_until))),
            _ => Ok(Verdict::Commit(Begun::Yours)),
        }
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<Begun>, Fault> {
        // Another request was first with it: look what it is doing.
        Ok(None)
    }
}

/// The end of the work under a key, unless it has an answer already.
#[derive(Debug)]
enum End {
    Answered(IdempotencyKey, StoredAnswer),
    Released(IdempotencyKey, Timestamp),
}

#[async_trait]
impl Write for End {
    type Outcome = ();
    const OPERATION: &'static str = "keep the answer of an idempotency key";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<()>, Fault> {
        let unanswered = Entity::update_many().filter(Column::Status.is_null());
        let update = match self {
            Self::Answered(key, answer) => unanswered.filter(is(key)).set(ActiveModel {
                status: Set(Some(i64::from(answer.status))),
                body: Set(Some(answer.body.clone())),
                ..Default::default()
            }),
            Self::Released(key, lease_until) => unanswered
                .filter(is(key))
                .filter(Column::LeaseUntil.eq(lease_until.ms()))
                .set(ActiveModel {
                    lease_until: Set(i64::MIN),
                    ..Default::default()
                }),
        };
        update.exec(tx).await?;
        Ok(Verdict::Commit(()))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<()>, Fault> {
        Ok(None)
    }
}

#[async_trait]
impl IdempotencyStore for SqlStore {
    async fn begin(
        &self,
        key: &IdempotencyKey,
        fingerprint: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Begun, StoreError> {
        let begin = Begin {
            key: key.clone(),
            fingerprint: fingerprint.to_owned(),
            now,
            lease_until,
        };
        execute(self.writer(), begin).await
    }

    async fn finish(&self, key: &IdempotencyKey, answer: &StoredAnswer) -> Result<(), StoreError> {
        execute(self.writer(), End::Answered(key.clone(), answer.clone())).await
    }

    async fn release(&self, key: &IdempotencyKey, lease_until: Timestamp) -> Result<(), StoreError> {
        execute(self.writer(), End::Released(key.clone(), lease_until)).await
    }

    async fn prune_keys(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let prune = Prune {
            table: "idempotency_key",
            time: "created_at",
            before,
            limit,
        };
        execute(self.writer(), prune).await
    }
}
