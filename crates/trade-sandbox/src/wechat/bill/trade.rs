//! The trade bill (交易账单).

use super::table::{self, fee_fen, fee_yuan, yuan};
use crate::{
    Channel,
    beijing::{self, DAY_MS},
    ledger::{Book, Order, Payment, Refund, RefundState},
};

/// Which lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Payments and refunds.
    All,
    /// Payments only, without the columns of refunds.
    Success,
    /// Refunds only, with their times.
    Refund,
}

const COLUMNS: [&str; 27] = [
    "交易时间",
    "公众账号ID",
    "商户号",
    "特约商户号",
    "设备号",
    "微信订单号",
    "商户订单号",
    "用户标识",
    "交易类型",
    "交易状态",
    "付款银行",
    "货币种类",
    "应结订单金额",
    "代金券金额",
    "微信退款单号",
    "商户退款单号",
    "退款金额",
    "充值券退款金额",
    "退款类型",
    "退款状态",
    "商品名称",
    "商户数据包",
    "手续费",
    "费率",
    "订单金额",
    "申请退款金额",
    "费率备注",
];
/// Where `SUCCESS` bills leave columns out: six of refunds, and 申请退款金额.
const REFUND_COLUMNS: std::ops::Range<usize> = 14..20;
const REQUESTED_COLUMN: usize = 25;
/// What `REFUND` bills put before 微信退款单号.
const REFUND_TIMES: [&str; 2] = ["退款申请时间", "退款成功时间"];

const SUMMARY: [&str; 7] = [
    "总交易单数",
    "应结订单总金额",
    "退款总金额",
    "充值券退款总金额",
    "手续费总金额",
    "订单总金额",
    "申请退款总金额",
];
/// The summary fields of a `SUCCESS` bill.
const SUCCESS_SUMMARY: [usize; 4] = [0, 1, 4, 5];

/// The bill of the day that starts at `day_ms`; `None` when nothing happened on it.
pub(super) fn write(book: &Book, kind: Kind, day_ms: i64, mchid: &str) -> Option<String> {
    let day = day_ms..day_ms.saturating_add(DAY_MS);
    let mut lines: Vec<Line> = Vec::new();
    if kind != Kind::Refund {
        lines.extend(book.orders().filter_map(|order| {
            let payment = order.payment.as_ref()?;
            let wanted = order.key.channel == Channel::Wechat && day.contains(&payment.paid_ms);
            wanted.then(|| Line::of_payment(order, payment, mchid))
        }));
    }
    if kind != Kind::Success {
        lines.extend(book.refunds().filter_map(|refund| {
            // A refund that came to nothing is not on the bill.
            let wanted = refund.key.channel == Channel::Wechat
                && refund.state != RefundState::Closed
                && day.contains(&refund.created_ms);
            let order = book.order(&refund.order)?;
            wanted.then(|| Line::of_refund(order, refund, order.payment.as_ref(), mchid))
        }));
    }
    if lines.is_empty() {
        return None;
    }
    lines.sort_by_key(|line| line.at_ms);
    let header = shape(
        kind,
        COLUMNS.map(str::to_owned).to_vec(),
        &REFUND_TIMES.map(str::to_owned),
    );
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let (summary_header, summary) = summarize(kind, &lines);
    let lines: Vec<Vec<String>> = lines
        .into_iter()
        .map(|line| shape(kind, line.fields, &line.refund_times))
        .collect();
    Some(table::write(&header, &lines, &summary_header, &summary))
}

/// Leaves out or adds the columns that the kind of bill does not, or alone, has.
fn shape(kind: Kind, mut fields: Vec<String>, refund_times: &[String; 2]) -> Vec<String> {
    match kind {
        Kind::All => {}
        Kind::Success => {
            fields.remove(REQUESTED_COLUMN);
            fields.drain(REFUND_COLUMNS);
        }
        Kind::Refund => {
            fields.splice(REFUND_COLUMNS.start..REFUND_COLUMNS.start, refund_times.clone());
        }
    }
    fields
}

/// One line, before its kind of bill shapes it.
struct Line {
    at_ms: i64,
    settled_fen: i64,
    order_fen: i64,
    refund_fen: i64,
    fee_fen: i64,
    fields: Vec<String>,
    refund_times: [String; 2],
}

impl Line {
    fn of_payment(order: &Order, payment: &Payment, mchid: &str) -> Self {
        let fee = fee_fen(order.amount_fen);
        let mut fields = common(payment.paid_ms, order, Some(payment), "SUCCESS", mchid);
        fields.extend([
            yuan(order.amount_fen),
            yuan(0),
            "0".to_owned(),
            "0".to_owned(),
            yuan(0),
            yuan(0),
            String::new(),
            String::new(),
        ]);
        fields.extend(tail(order, fee, order.amount_fen, 0));
        Self {
            at_ms: payment.paid_ms,
            settled_fen: order.amount_fen,
            order_fen: order.amount_fen,
            refund_fen: 0,
            fee_fen: fee,
            fields,
            refund_times: [String::new(), String::new()],
        }
    }

    fn of_refund(order: &Order, refund: &Refund, payment: Option<&Payment>, mchid: &str) -> Self {
        let fee = fee_fen(refund.amount_fen).saturating_neg();
        let status = match refund.state {
            RefundState::Success => "SUCCESS",
            RefundState::Processing | RefundState::Abnormal => "PROCESSING",
            RefundState::Closed => "FAIL",
        };
        let mut fields = common(refund.created_ms, order, payment, "REFUND", mchid);
        fields.extend([
            yuan(0),
            yuan(0),
            refund.refund_id.clone(),
            refund.key.number.clone(),
            yuan(refund.amount_fen),
            yuan(0),
            "ORIGINAL".to_owned(),
            status.to_owned(),
        ]);
        fields.extend(tail(order, fee, 0, refund.amount_fen));
        Self {
            at_ms: refund.created_ms,
            settled_fen: 0,
            order_fen: 0,
            refund_fen: refund.amount_fen,
            fee_fen: fee,
            fields,
            refund_times: [
                beijing::wall(refund.created_ms),
                refund.success_ms.map_or_else(String::new, beijing::wall),
            ],
        }
    }
}

/// The columns up to 货币种类.
fn common(at_ms: i64, order: &Order, payment: Option<&Payment>, state: &str, mchid: &str) -> Vec<String> {
    let payer = payment.map_or("", |payment| payment.payer.as_str());
    let bank = payment.map_or("", |payment| payment.bank_type.as_str());
    vec![
        beijing::wall(at_ms),
        order.app_id.clone(),
        mchid.to_owned(),
        // There is no sub-merchant in direct mode.
        "0".to_owned(),
        String::new(),
        order.transaction_id.clone().unwrap_or_default(),
        order.key.out_trade_no.clone(),
        payer.to_owned(),
        order.trade_type.clone(),
        state.to_owned(),
        bank.to_owned(),
        "CNY".to_owned(),
    ]
}

/// The columns from 商品名称 on.
fn tail(order: &Order, fee: i64, order_fen: i64, requested_fen: i64) -> [String; 7] {
    [
        order.description.clone(),
        order.attach.clone().unwrap_or_default(),
        fee_yuan(fee),
        table::RATE_TEXT.to_owned(),
        yuan(order_fen),
        yuan(requested_fen),
        String::new(),
    ]
}

fn summarize(kind: Kind, lines: &[Line]) -> (Vec<&'static str>, Vec<String>) {
    let total = |of: fn(&Line) -> i64| lines.iter().map(of).fold(0_i64, i64::saturating_add);
    let refunded = total(|line| line.refund_fen);
    let values = [
        lines.len().to_string(),
        yuan(total(|line| line.settled_fen)),
        yuan(refunded),
        yuan(0),
        fee_yuan(total(|line| line.fee_fen)),
        yuan(total(|line| line.order_fen)),
        yuan(refunded),
    ];
    SUMMARY
        .into_iter()
        .zip(values)
        .enumerate()
        .filter(|(index, _)| kind != Kind::Success || SUCCESS_SUMMARY.contains(index))
        .map(|(_, field)| field)
        .unzip()
}
