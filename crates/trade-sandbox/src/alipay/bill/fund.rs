//! The bill of the account (账务明细) and its summary. The account starts empty.

use super::{
    Line,
    csv::{Frame, fee_fen, id},
};
use crate::{
    alipay::{amount::format as yuan, trade},
    beijing,
    ledger::EntryKind,
};

const COLUMNS: &[&str] = &[
    "账务流水号",
    "业务流水号",
    "商户订单号",
    "商品名称",
    "发生时间",
    "对方账号",
    "收入金额（+元）",
    "支出金额（-元）",
    "账户余额（元）",
    "交易渠道",
    "业务类型",
    "备注",
];

const SUMMARY_COLUMNS: &[&str] = &[
    "类型",
    "收入笔数",
    "收入金额（+元）",
    "支出笔数",
    "支出金额（-元）",
];

/// One movement of the account.
#[derive(Debug)]
struct Movement<'bill> {
    line: &'bill Line,
    /// Counts the movements of one line.
    part: u8,
    word: &'static str,
    /// Negative when it leaves the account.
    fen: i64,
    balance_fen: i64,
}

/// One row for each movement in the period. `lines` starts with the first one ever.
pub(super) fn detail(frame: &Frame<'_>, lines: &[Line]) -> String {
    let movements = movements(frame, lines);
    let rows: Vec<_> = movements.iter().map(row).collect();
    let (incomes, income_fen) = total(&movements, |fen| fen > 0);
    let (expenses, expense_fen) = total(&movements, |fen| fen < 0);
    let totals = [
        format!("支出合计：{expenses}笔，共{}元", yuan(expense_fen)),
        format!("收入合计：{incomes}笔，共{}元", yuan(income_fen)),
    ];
    frame.table(("支付宝账务明细查询", "账务明细列表"), COLUMNS, &rows, &totals)
}

/// One row for all movements together.
pub(super) fn summary(frame: &Frame<'_>, lines: &[Line]) -> String {
    let movements = movements(frame, lines);
    let (incomes, income_fen) = total(&movements, |fen| fen > 0);
    let (expenses, expense_fen) = total(&movements, |fen| fen < 0);
    let row = vec![
        "合计".to_owned(),
        incomes.to_string(),
        yuan(income_fen),
        expenses.to_string(),
        yuan(expense_fen),
    ];
    frame.table(
        ("支付宝账务汇总查询", "账务汇总列表"),
        SUMMARY_COLUMNS,
        &[row],
        &[],
    )
}

fn movements<'bill>(frame: &Frame<'_>, lines: &'bill [Line]) -> Vec<Movement<'bill>> {
    let mut balance_fen = 0_i64;
    let mut movements = Vec::new();
    for line in lines {
        let amount_fen = line.entry.amount_fen;
        let parts = match line.entry.kind {
            EntryKind::Payment => vec![
                (1, "在线支付", amount_fen),
                (2, "收费", fee_fen(amount_fen).saturating_neg()),
            ],
            EntryKind::Refund => vec![(1, "交易退款", amount_fen.saturating_neg())],
        };
        for (part, word, fen) in parts.into_iter().filter(|(_, _, fen)| *fen != 0) {
            balance_fen = balance_fen.saturating_add(fen);
            if frame.period.contains(line.entry.at_ms) {
                movements.push(Movement {
                    line,
                    part,
                    word,
                    fen,
                    balance_fen,
                });
            }
        }
    }
    movements
}

fn total(movements: &[Movement<'_>], wanted: impl Fn(i64) -> bool) -> (usize, i64) {
    let fens = movements.iter().map(|movement| movement.fen);
    fens.filter(|fen| wanted(*fen)).fold((0, 0), |(count, sum), fen| {
        (count.saturating_add(1), fen.saturating_add(sum))
    })
}

fn row(movement: &Movement<'_>) -> Vec<String> {
    let Line { entry, order } = movement.line;
    let (income, expense) = if movement.fen > 0 {
        (yuan(movement.fen), String::new())
    } else {
        (String::new(), yuan(movement.fen))
    };
    let day = beijing::compact_date(entry.at_ms);
    vec![
        id(&format!("{day}{:015}{}", entry.seq, movement.part)),
        id(order.transaction_id.as_deref().unwrap_or_default()),
        id(&order.key.out_trade_no),
        order.description.clone(),
        beijing::wall(entry.at_ms),
        trade::buyer_logon_id(order),
        income,
        expense,
        yuan(movement.balance_fen),
        "支付宝".to_owned(),
        movement.word.to_owned(),
        entry.refund_no.clone().unwrap_or_default(),
    ]
}
