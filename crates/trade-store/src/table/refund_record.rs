//! The table `refund_record`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use trade_core::{
    Amount, EnterpriseId, ProductAppId, ProductOrderNo, ProductRefundNo, Refund, RefundNo, RefundOrigin,
    RefundState, Timestamp, TradingOrderNo, handler::RequestContent,
};

use crate::legible::Numbered;

use super::{BadColumn, answer, checked, known, ms, time};

/// A row. `out_refund_no` and `send_at` are empty where a program of before they were there wrote it;
/// `is_stuck` is computed by the database.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refund_record")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub product_app_id: String,
    pub trading_order_no: i64,
    pub product_order_no: i64,
    pub refund_no: i64,
    pub origin: String,
    pub product_refund_no: Option<String>,
    pub out_refund_no: Option<String>,
    pub refund_id: Option<String>,
    pub enterprise_id: i64,
    pub trading_channel: String,
    pub refund_status: i32,
    pub state_key: String,
    pub version: i64,
    pub refund_code: String,
    pub refund_msg: String,
    pub refund_json: String,
    pub refund_request_id: Option<String>,
    pub memo: String,
    pub request_content: String,
    pub refund_amount: i64,
    pub total: i64,
    pub send_at: Option<i64>,
    pub create_time: i64,
    pub update_time: i64,
    pub next_check_at: Option<i64>,
    pub checks: i64,
    pub stuck: Option<String>,
    pub is_stuck: i32,
}

/// No joins: every query is about one table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Numbered for Model {
    const TABLE: &'static str = "refund_record";

    fn number(&self) -> i64 {
        self.refund_no
    }
}

/// The whole row of a new refund. Its numbers, its origin and its turn are never changed.
pub(crate) fn new_row(refund: &Refund) -> ActiveModel {
    let product_refund_no = refund.product_refund_no.as_ref();
    ActiveModel {
        product_app_id: Set(refund.product_app_id.as_str().to_owned()),
        trading_order_no: Set(refund.trading_order_no.get()),
        product_order_no: Set(refund.product_order_no.get()),
        refund_no: Set(refund.refund_no.get()),
        origin: Set(refund.origin.key().to_owned()),
        product_refund_no: Set(product_refund_no.map(|number| number.as_str().to_owned())),
        out_refund_no: Set(Some(refund.out_refund_no.clone())),
        enterprise_id: Set(refund.enterprise_id.get()),
        trading_channel: Set(refund.channel.code().to_owned()),
        memo: Set(refund.memo.clone()),
        request_content: Set(refund.content.as_str().to_owned()),
        refund_amount: Set(refund.amount.get()),
        total: Set(refund.total.get()),
        send_at: Set(Some(refund.send_at.ms())),
        create_time: Set(refund.created_at.ms()),
        ..changed_columns(refund)
    }
}

/// What a transition may change; all else is frozen at the insert.
pub(crate) fn changed_columns(after: &Refund) -> ActiveModel {
    ActiveModel {
        refund_id: Set(after.refund_id.clone()),
        refund_status: Set(i32::from(after.state.code())),
        state_key: Set(after.state.key().to_owned()),
        version: Set(after.version),
        refund_code: Set(after.answer.code.clone()),
        refund_msg: Set(after.answer.message.clone()),
        refund_json: Set(after.answer.body.clone()),
        refund_request_id: Set(after.answer.request_id.clone()),
        update_time: Set(after.updated_at.ms()),
        next_check_at: Set(ms(after.next_check_at)),
        checks: Set(i64::from(after.checks)),
        stuck: Set(after.stuck.clone()),
        ..Default::default()
    }
}

impl TryFrom<Model> for Refund {
    type Error = BadColumn;

    fn try_from(row: Model) -> Result<Self, BadColumn> {
        let product_refund_no = row.product_refund_no.map(ProductRefundNo::new).transpose();
        Ok(Self {
            refund_no: checked("refund_no", RefundNo::new(row.refund_no))?,
            origin: known("origin", RefundOrigin::from_key(&row.origin))?,
            product_refund_no: checked("product_refund_no", product_refund_no)?,
            out_refund_no: row.out_refund_no.unwrap_or_else(|| row.refund_no.to_string()),
            trading_order_no: checked("trading_order_no", TradingOrderNo::new(row.trading_order_no))?,
            product_app_id: checked("product_app_id", ProductAppId::new(row.product_app_id))?,
            product_order_no: checked("product_order_no", ProductOrderNo::new(row.product_order_no))?,
            enterprise_id: checked("enterprise_id", EnterpriseId::new(row.enterprise_id))?,
            channel: checked("trading_channel", row.trading_channel.parse())?,
            amount: checked("refund_amount", Amount::new(row.refund_amount))?,
            total: checked("total", Amount::new(row.total))?,
            memo: row.memo,
            state: known("state_key", RefundState::from_key(&row.state_key))?,
            version: row.version,
            content: RequestContent::new(row.request_content),
            refund_id: row.refund_id,
            answer: answer(
                row.refund_code,
                row.refund_msg,
                row.refund_json,
                row.refund_request_id,
            ),
            send_at: Timestamp::from_ms(row.send_at.unwrap_or(row.create_time)),
            created_at: Timestamp::from_ms(row.create_time),
            updated_at: Timestamp::from_ms(row.update_time),
            next_check_at: time(row.next_check_at),
            checks: checked("checks", u32::try_from(row.checks))?,
            stuck: row.stuck,
        })
    }
}
