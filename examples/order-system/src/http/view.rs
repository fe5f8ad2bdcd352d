//! The JSON of answers: longs as strings, money as yuan text, times in Beijing time.

use sea_orm::DbErr;
use serde::Serialize;
use trade_core::{Channel, Timestamp, TradingOrderNo};

use crate::{
    service::pay::Payable,
    store::table::{Canceled, History, Order, Returned, order::fen},
};

/// The number of a new order.
#[derive(Debug, Serialize)]
pub(super) struct PlacedRes {
    pub(super) id: String,
}

/// How an order can be paid, or was.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PayRes {
    qr_code: Option<String>,
    code_url: Option<String>,
    product_order_no: String,
    trading_order_no: Option<String>,
    trading_channel: Option<Channel>,
    pay_status: i32,
}

impl From<Payable> for PayRes {
    fn from(payable: Payable) -> Self {
        let (qr_code, code_url) = payable.code.map(|code| (code.qr_code, code.code_url)).unzip();
        Self {
            qr_code,
            code_url,
            product_order_no: payable.order_id.to_string(),
            trading_order_no: payable.trading_order_no.as_ref().map(TradingOrderNo::to_string),
            trading_channel: payable.channel,
            pay_status: payable.status.code(),
        }
    }
}

/// An order, as the platform's table has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderRes {
    id: String,
    user_id: String,
    serve_type_id: String,
    serve_type_name: String,
    serve_item_id: String,
    serve_item_name: String,
    serve_item_img: String,
    unit: i32,
    serve_id: String,
    orders_status: i32,
    pay_status: i32,
    refund_status: Option<i32>,
    price: String,
    pur_num: i32,
    total_amount: String,
    real_pay_amount: String,
    discount_amount: String,
    city_code: String,
    serve_address: String,
    contacts_phone: String,
    contacts_name: String,
    serve_start_time: String,
    lon: String,
    lat: String,
    pay_time: Option<String>,
    evaluation_time: Option<String>,
    trading_order_no: Option<String>,
    transaction_id: Option<String>,
    refund_no: Option<String>,
    refund_id: Option<String>,
    trading_channel: Option<String>,
    display: i32,
    sort_by: String,
    create_time: String,
    update_time: String,
    /// When the order stops being payable.
    pay_deadline: String,
}

fn time(ms: i64) -> String {
    Timestamp::from_ms(ms).to_beijing_text()
}

fn long(number: i64) -> String {
    number.to_string()
}

impl TryFrom<Order> for OrderRes {
    type Error = DbErr;

    fn try_from(order: Order) -> Result<Self, DbErr> {
        Ok(Self {
            id: order.id.to_string(),
            user_id: order.user_id.to_string(),
            serve_type_id: order.serve_type_id.to_string(),
            serve_type_name: order.serve_type_name,
            serve_item_id: order.serve_item_id.to_string(),
            serve_item_name: order.serve_item_name,
            serve_item_img: order.serve_item_img,
            unit: order.unit,
            serve_id: order.serve_id.to_string(),
            orders_status: order.orders_status,
            pay_status: order.pay_status,
            refund_status: order.refund_status,
            price: fen(order.price)?.to_yuan(),
            pur_num: order.pur_num,
            total_amount: fen(order.total_amount)?.to_yuan(),
            real_pay_amount: fen(order.real_pay_amount)?.to_yuan(),
            discount_amount: fen(order.discount_amount)?.to_yuan(),
            city_code: order.city_code,
            serve_address: order.serve_address,
            contacts_phone: order.contacts_phone,
            contacts_name: order.contacts_name,
            serve_start_time: time(order.serve_start_time),
            lon: order.lon,
            lat: order.lat,
            pay_time: order.pay_time.map(time),
            evaluation_time: order.evaluation_time.map(time),
            trading_order_no: order.trading_order_no.map(long),
            transaction_id: order.transaction_id,
            refund_no: order.refund_no.map(long),
            refund_id: order.refund_id,
            trading_channel: order.trading_channel,
            display: order.display,
            sort_by: order.sort_by.to_string(),
            create_time: time(order.create_time),
            update_time: time(order.update_time),
            pay_deadline: time(order.pay_deadline),
        })
    }
}

/// One order with what happened to it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DetailRes {
    #[serde(flatten)]
    pub(super) order: OrderRes,
    pub(super) canceled: Option<CanceledRes>,
    pub(super) returned: Vec<ReturnedRes>,
    pub(super) history: Vec<HistoryRes>,
}

/// Who ended an order, and why.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CanceledRes {
    canceller_id: Option<String>,
    canceler_name: String,
    canceller_type: i32,
    cancel_reason: String,
    cancel_time: String,
}

impl From<Canceled> for CanceledRes {
    fn from(row: Canceled) -> Self {
        Self {
            canceller_id: row.canceller_id.map(long),
            canceler_name: row.canceler_name,
            canceller_type: row.canceller_type,
            cancel_reason: row.cancel_reason,
            cancel_time: time(row.cancel_time),
        }
    }
}

/// Money that went back without this system asking: a second payment (`SURPLUS`), a refund made at the
/// channel (`CONSOLE`) or by another program (`CALLER`).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReturnedRes {
    refund_no: String,
    trading_order_no: String,
    trading_channel: String,
    refund_amount: String,
    refund_status: i32,
    origin: String,
}

impl TryFrom<Returned> for ReturnedRes {
    type Error = DbErr;

    fn try_from(row: Returned) -> Result<Self, DbErr> {
        Ok(Self {
            refund_no: row.refund_no.to_string(),
            trading_order_no: row.trading_order_no.to_string(),
            trading_channel: row.trading_channel,
            refund_amount: fen(row.refund_amount)?.to_yuan(),
            refund_status: row.refund_status,
            origin: row.origin,
        })
    }
}

/// One line of the history.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoryRes {
    event: String,
    from_status: Option<i32>,
    to_status: i32,
    actor_type: i32,
    actor_id: Option<String>,
    detail: String,
    at: String,
}

impl From<History> for HistoryRes {
    fn from(row: History) -> Self {
        Self {
            event: row.event,
            from_status: row.from_status,
            to_status: row.to_status,
            actor_type: row.actor_type,
            actor_id: row.actor_id.map(long),
            detail: row.detail,
            at: time(row.at),
        }
    }
}
