//! The table `notice_inbox`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sha2::{Digest, Sha256};
use trade_core::{
    EnterpriseId, Timestamp, TradingOrderNo,
    port::{NoticeRecord, NoticeSeen},
};

use super::{BadColumn, checked};

/// A row: one notice, however often it was delivered. `verdict` is of the first delivery. The digest stands for the id in the unique index,
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
    pub trading_order_no: Option<i64>,
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
pub(crate) fn delivery(notice: &NoticeRecord) -> ActiveModel {
    ActiveModel {
        trading_order_no: Set(notice.trading_order_no.map(TradingOrderNo::get)),
        last_verdict: Set(notice.verdict.clone()),
        last_at: Set(notice.at.ms()),
        ..Default::default()
    }
}

/// The row of a first delivery.
pub(crate) fn new_row(notice: &NoticeRecord) -> ActiveModel {
    ActiveModel {
        channel: Set(notice.channel.code().to_owned()),
        enterprise_id: Set(notice.enterprise_id.get()),
        notice_id: Set(notice.notice_id.clone()),
        notice_digest: Set(digest(&notice.notice_id)),
        verdict: Set(notice.verdict.clone()),
        deliveries: Set(1),
        first_at: Set(notice.at.ms()),
        ..delivery(notice)
    }
}

impl TryFrom<Model> for NoticeSeen {
    type Error = BadColumn;

    fn try_from(row: Model) -> Result<Self, BadColumn> {
        let trading_order_no = row.trading_order_no.map(TradingOrderNo::new).transpose();
        let notice = NoticeRecord {
            channel: checked("channel", row.channel.parse())?,
            enterprise_id: checked("enterprise_id", EnterpriseId::new(row.enterprise_id))?,
            notice_id: row.notice_id,
            trading_order_no: checked("trading_order_no", trading_order_no)?,
            verdict: row.last_verdict,
            at: Timestamp::from_ms(row.first_at),
        };
        Ok(Self {
            notice,
            last_at: Timestamp::from_ms(row.last_at),
            deliveries: checked("deliveries", u32::try_from(row.deliveries))?,
        })
    }
}
