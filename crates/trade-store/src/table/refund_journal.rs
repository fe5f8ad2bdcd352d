//! The table `refund_journal`: only ever added to.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use trade_core::{Cause, RefundEntry, RefundNo, RefundState, Timestamp};

use super::{BadColumn, checked, known};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refund_journal")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub refund_no: i64,
    pub version: i64,
    pub at: i64,
    pub from_state: Option<String>,
    pub to_state: String,
    pub cause: String,
    pub detail: String,
    pub request_id: Option<String>,
}

/// No joins: every query is about one table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The row of an entry.
pub(crate) fn new_row(entry: &RefundEntry) -> ActiveModel {
    ActiveModel {
        refund_no: Set(entry.refund_no.get()),
        version: Set(entry.version),
        at: Set(entry.at.ms()),
        from_state: Set(entry.from_state.map(|state| state.key().to_owned())),
        to_state: Set(entry.to_state.key().to_owned()),
        cause: Set(entry.cause.key().to_owned()),
        detail: Set(entry.detail.clone()),
        request_id: Set(entry.request_id.clone()),
        ..Default::default()
    }
}

impl TryFrom<Model> for RefundEntry {
    type Error = BadColumn;

    fn try_from(row: Model) -> Result<Self, BadColumn> {
        let from_state = |key: String| known("from_state", RefundState::from_key(&key));
        Ok(Self {
            refund_no: checked("refund_no", RefundNo::new(row.refund_no))?,
            version: row.version,
            at: Timestamp::from_ms(row.at),
            from_state: row.from_state.map(from_state).transpose()?,
            to_state: known("to_state", RefundState::from_key(&row.to_state))?,
            cause: known("cause", Cause::from_key(&row.cause))?,
            detail: row.detail,
            request_id: row.request_id,
        })
    }
}
