//! The fund flow bill (资金账单) of the basic account.

use super::table::{self, fee_fen, yuan};
use crate::{
    Channel,
    beijing::{self, DAY_MS},
    ledger::{Book, Entry, EntryKind, OrderKey, RefundKey},
};

const COLUMNS: [&str; 11] = [
    "记账时间",
    "微信支付业务单号",
    "资金流水单号",
    "业务名称",
    "业务类型",
    "收支类型",
    "收支金额(元)",
    "账户结余(元)",
    "资金变更提交申请人",
    "备注",
    "业务凭证号",
];
const SUMMARY: [&str; 5] = ["资金流水总笔数", "收入笔数", "收入金额", "支出笔数", "支出金额"];

/// One movement of the merchant's account.
struct Flow<'book> {
    entry: &'book Entry,
    kind: &'static str,
    /// Positive is income.
    fen: i64,
}

/// The bill of the day that starts at `day_ms`; `None` when the account did not move.
pub(super) fn write(book: &Book, day_ms: i64) -> Option<String> {
    let end_ms = day_ms.saturating_add(DAY_MS);
    let mut balance_fen: i64 = 0;
    let mut lines = Vec::new();
    let (mut incomes, mut income_fen): (u64, i64) = (0, 0);
    let (mut expenses, mut expense_fen): (u64, i64) = (0, 0);
    let entries = book
        .entries()
        .iter()
        .filter(|entry| entry.channel == Channel::Wechat);
    for flow in entries.flat_map(flows).filter(|flow| flow.fen != 0) {
        balance_fen = balance_fen.saturating_add(flow.fen);
        if flow.entry.at_ms < day_ms || flow.entry.at_ms >= end_ms {
            continue;
        }
        if flow.fen > 0 {
            incomes = incomes.saturating_add(1);
            income_fen = income_fen.saturating_add(flow.fen);
        } else {
            expenses = expenses.saturating_add(1);
            expense_fen = expense_fen.saturating_sub(flow.fen);
        }
        lines.push(line(book, &flow, balance_fen, lines.len()));
    }
    if lines.is_empty() {
        return None;
    }
    let summary = [
        lines.len().to_string(),
        incomes.to_string(),
        yuan(income_fen),
        expenses.to_string(),
        yuan(expense_fen),
    ];
    Some(table::write(&COLUMNS, &lines, &SUMMARY, &summary))
}

/// The money itself, and its fee.
fn flows(entry: &Entry) -> [Flow<'_>; 2] {
    let fee = fee_fen(entry.amount_fen);
    let (kind, fen, fee_kind, fee) = match entry.kind {
        EntryKind::Payment => ("交易", entry.amount_fen, "扣除交易手续费", fee.saturating_neg()),
        EntryKind::Refund => ("退款", entry.amount_fen.saturating_neg(), "退还交易手续费", fee),
    };
    [
        Flow { entry, kind, fen },
        Flow {
            entry,
            kind: fee_kind,
            fen: fee,
        },
    ]
}

fn line(book: &Book, flow: &Flow<'_>, balance_fen: i64, index: usize) -> Vec<String> {
    let entry = flow.entry;
    let business_no = match &entry.refund_no {
        Some(number) => {
            let key = RefundKey {
                channel: entry.channel,
                scope: entry.merchant.clone(),
                number: number.clone(),
            };
            book.refund(&key).map(|refund| refund.refund_id.clone())
        }
        None => {
            let key = OrderKey {
                channel: entry.channel,
                merchant: entry.merchant.clone(),
                out_trade_no: entry.out_trade_no.clone(),
            };
            book.order(&key).and_then(|order| order.transaction_id.clone())
        }
    };
    let proof = entry.refund_no.as_ref().unwrap_or(&entry.out_trade_no);
    vec![
        beijing::wall(entry.at_ms),
        business_no.unwrap_or_default(),
        format!("{}{:08}{index:04}", beijing::compact_date(entry.at_ms), entry.seq),
        flow.kind.to_owned(),
        flow.kind.to_owned(),
        if flow.fen > 0 { "收入" } else { "支出" }.to_owned(),
        yuan(flow.fen.saturating_abs()),
        yuan(balance_fen),
        "system".to_owned(),
        "沙箱".to_owned(),
        proof.clone(),
    ]
}
