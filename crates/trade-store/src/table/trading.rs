//! The table `trading`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use trade_core::{
    Amount, EnterpriseId, Fen, ProductAppId, ProductOrderNo, Role, Timestamp, Trading, TradingOrderNo,
    TradingState, TransactionId, handler::RequestContent,
};

use crate::legible::Numbered;

use super::{BadColumn, answer, checked, known, ms, slot, time};

/// A row; `close_at` is computed by the database. The table has more columns that nothing here reads or writes
/// (see `migration/README.md`).
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trading")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub product_app_id: String,
    pub product_order_no: i64,
    pub trading_order_no: i64,
    pub transaction_id: Option<String>,
    pub trading_channel: String,
    pub trading_state: i32,
    pub state_key: String,
    pub version: i64,
    pub payer_id: Option<String>,
    pub payer_total: Option<i64>,
    pub paid_at: Option<i64>,
    pub role: Option<String>,
    pub withdrawn: i32,
    pub trading_amount: i64,
    pub refund: i64,
    pub refund_reserved: i64,
    pub is_refund: String,
    pub result_code: String,
    pub result_msg: String,
    pub result_json: String,
    pub result_request_id: Option<String>,
    pub place_order_code: String,
    pub place_order_msg: String,
    pub place_order_json: String,
    pub place_order_request_id: Option<String>,
    pub enterprise_id: i64,
    pub memo: String,
    pub request_content: String,
    pub qr_code: Option<String>,
    pub create_time: i64,
    pub update_time: i64,
    pub expires_at: i64,
    pub next_check_at: Option<i64>,
    pub close_at: Option<i64>,
    pub checks: i64,
    pub stuck: Option<String>,
    pub is_stuck: i32,
    pub live_slot: Option<String>,
    pub winner_slot: Option<String>,
}

/// No joins: every query is about one table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Numbered for Model {
    const TABLE: &'static str = "trading";

    fn number(&self) -> i64 {
        self.trading_order_no
    }
}

/// The whole row of a new trading.
pub(crate) fn new_row(trading: &Trading) -> ActiveModel {
    ActiveModel {
        product_app_id: Set(trading.product_app_id.as_str().to_owned()),
        product_order_no: Set(trading.product_order_no.get()),
        trading_order_no: Set(trading.trading_order_no.get()),
        trading_channel: Set(trading.channel.code().to_owned()),
        trading_amount: Set(trading.amount.get()),
        refund: Set(trading.refunded.get()),
        refund_reserved: Set(trading.refund_reserved.get()),
        is_refund: Set(yes_no(trading.refund_reserved > Fen::ZERO)),
        enterprise_id: Set(trading.enterprise_id.get()),
        memo: Set(trading.memo.clone()),
        request_content: Set(trading.content.as_str().to_owned()),
        create_time: Set(trading.created_at.ms()),
        expires_at: Set(trading.expires_at.ms()),
        ..changed_columns(trading)
    }
}

/// What a transition may change. All else is frozen at the insert, and the refund sums move with the
/// refunds: a transition decided before a refund was reserved must not take its reserve back.
pub(crate) fn changed_columns(after: &Trading) -> ActiveModel {
    let order = slot(&after.product_app_id, after.product_order_no);
    ActiveModel {
        transaction_id: Set(after.transaction_id.as_ref().map(|id| id.as_str().to_owned())),
        trading_state: Set(i32::from(after.state.code())),
        state_key: Set(after.state.key().to_owned()),
        version: Set(after.version),
        payer_id: Set(after.payer_id.clone()),
        payer_total: Set(after.payer_total.map(Fen::get)),
        paid_at: Set(ms(after.paid_at)),
        role: Set(after.role.map(|role| role.key().to_owned())),
        withdrawn: Set(i32::from(after.withdrawn)),
        result_code: Set(after.result_answer.code.clone()),
        result_msg: Set(after.result_answer.message.clone()),
        result_json: Set(after.result_answer.body.clone()),
        result_request_id: Set(after.result_answer.request_id.clone()),
        place_order_code: Set(after.place_answer.code.clone()),
        place_order_msg: Set(after.place_answer.message.clone()),
        place_order_json: Set(after.place_answer.body.clone()),
        place_order_request_id: Set(after.place_answer.request_id.clone()),
        qr_code: Set(after.code_url.clone()),
        update_time: Set(after.updated_at.ms()),
        next_check_at: Set(ms(after.next_check_at)),
        checks: Set(i64::from(after.checks)),
        stuck: Set(after.stuck.clone()),
        is_stuck: Set(i32::from(after.stuck.is_some())),
        live_slot: Set(after.state.is_live().then(|| order.clone())),
        winner_slot: Set((after.role == Some(Role::Winner)).then_some(order)),
        ..Default::default()
    }
}

/// The values of `is_refund`, as the platform writes them.
pub(crate) fn yes_no(yes: bool) -> String {
    if yes { "YES" } else { "NO" }.to_owned()
}

impl TryFrom<Model> for Trading {
    type Error = BadColumn;

    fn try_from(row: Model) -> Result<Self, BadColumn> {
        let role = |key: String| known("role", Role::from_key(&key));
        Ok(Self {
            trading_order_no: checked("trading_order_no", TradingOrderNo::new(row.trading_order_no))?,
            product_app_id: checked("product_app_id", ProductAppId::new(row.product_app_id))?,
            product_order_no: checked("product_order_no", ProductOrderNo::new(row.product_order_no))?,
            enterprise_id: checked("enterprise_id", EnterpriseId::new(row.enterprise_id))?,
            channel: checked("trading_channel", row.trading_channel.parse())?,
            amount: checked("trading_amount", Amount::new(row.trading_amount))?,
            memo: row.memo,
            state: known("state_key", TradingState::from_key(&row.state_key))?,
            version: row.version,
            content: RequestContent::new(row.request_content),
            code_url: row.qr_code,
            transaction_id: row.transaction_id.map(TransactionId::new),
            payer_id: row.payer_id,
            payer_total: checked("payer_total", row.payer_total.map(Fen::new).transpose())?,
            paid_at: time(row.paid_at),
            role: row.role.map(role).transpose()?,
            withdrawn: row.withdrawn != 0,
            refund_reserved: checked("refund_reserved", Fen::new(row.refund_reserved))?,
            refunded: checked("refund", Fen::new(row.refund))?,
            place_answer: answer(
                row.place_order_code,
                row.place_order_msg,
                row.place_order_json,
                row.place_order_request_id,
            ),
            result_answer: answer(
                row.result_code,
                row.result_msg,
                row.result_json,
                row.result_request_id,
            ),
            created_at: Timestamp::from_ms(row.create_time),
            updated_at: Timestamp::from_ms(row.update_time),
            expires_at: Timestamp::from_ms(row.expires_at),
            next_check_at: time(row.next_check_at),
            checks: checked("checks", u32::try_from(row.checks))?,
            stuck: row.stuck,
        })
    }
}
