//! The table `idempotency_key`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use trade_core::{
    Timestamp,
    port::{Begun, IdempotencyKey, StoredAnswer},
};

use super::{BadColumn, checked};

/// A row. `status` and `body` are empty until there is an answer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_key")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub scope: String,
    pub key: String,
    pub fingerprint: String,
    pub lease_until: i64,
    pub status: Option<i64>,
    pub body: Option<String>,
    pub created_at: i64,
}

/// No joins: every query is about one table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The row of a key that is claimed for the first time.
pub(crate) fn new_row(
    key: &IdempotencyKey,
    fingerprint: &str,
    now: Timestamp,
    lease_until: Timestamp,
) -> ActiveModel {
    ActiveModel {
        scope: Set(key.scope.clone()),
        key: Set(key.key.clone()),
        fingerprint: Set(fingerprint.to_owned()),
        lease_until: Set(lease_until.ms()),
        created_at: Set(now.ms()),
        ..Default::default()
    }
}

impl Model {
    /// What a request with this fingerprint finds now; `None` when the claim on the key has ended.
    ///
    /// # Errors
    /// A status that is none.
    pub(crate) fn found(self, fingerprint: &str, now: Timestamp) -> Result<Option<Begun>, BadColumn> {
        if self.fingerprint != fingerprint {
            return Ok(Some(Begun::Other));
        }
        if let Some(status) = self.status {
            return Ok(Some(Begun::Done(StoredAnswer {
                status: checked("status", u16::try_from(status))?,
                body: self.body.unwrap_or_default(),
            })));
        }
        let lease_until = Timestamp::from_ms(self.lease_until);
        Ok((lease_until > now).then_some(Begun::InFlight(lease_until)))
    }
}
