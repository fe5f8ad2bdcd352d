//! The table `notice_inbox`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sha2::{Digest, Sha256};

/// A row: one notice, however often it was delivered. The digest stands for the id in the unique index,
/// since an id may be longer than an index of some engines allows.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notice_inbox")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub channel: String,
    pub enterprise_id: i64,
    pub notice_id: String,
    pub notice_digest: String,
    pub verdict: String,
    pub last_verdict: String,
    pub deliveries: i64,
    pub first_at: i64,
    pub last_at: i64,
}

/// No joins: every query is about one table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What stands for a notice's id in the unique index: SHA-256 in lower-case hexadecimal digits.
pub(crate) fn digest(notice_id: &str) -> String {
    let digest = Sha256::digest(notice_id.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The columns that each delivery writes.
pub(crate) fn delivery(verdict: &str, at_ms: i64) -> ActiveModel {
    ActiveModel {
        last_verdict: Set(verdict.to_owned()),
        last_at: Set(at_ms),
        ..Default::default()
    }
}
