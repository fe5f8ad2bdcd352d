//! The bill of trades (业务明细) and its summary.

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
    "支付宝交易号",
    "商户订单号",
    "业务类型",
    "商品名称",
    "创建时间",
    "完成时间",
    "门店编号",
    "门店名称",
    "操作员",
    "终端号",
    "对方账户",
    "订单金额（元）",
    "商家实收（元）",
    "支付宝红包（元）",
    "集分宝（元）",
    "支付宝优惠（元）",
    "商家优惠（元）",
    "券核销金额（元）",
    "券名称",
    "商家红包消费金额（元）",
    "卡消费金额（元）",
    "退款批次号/请求号",
    "服务费（元）",
    "分润（元）",
    "备注",
];

const SUMMARY_COLUMNS: &[&str] = &[
    "门店编号",
    "门店名称",
    "交易订单总笔数",
    "退款订单总笔数",
    "订单金额（元）",
    "商家实收（元）",
    "支付宝优惠（元）",
    "商家优惠（元）",
    "卡消费金额（元）",
    "服务费（元）",
    "分润（元）",
    "实收净额（元）",
];

/// One row for each payment and refund.
pub(super) fn detail(frame: &Frame<'_>, lines: &[Line]) -> String {
    let rows: Vec<_> = lines.iter().map(row).collect();
    let sums = Sums::of(lines);
    let totals = [
        format!(
            "交易合计：{}笔，商家实收共{}元，商家优惠共0.00元",
            sums.payments,
            yuan(sums.paid_fen)
        ),
        format!(
            "退款合计：{}笔，商家实收退款共{}元，商家优惠退款共0.00元",
            sums.refunds,
            yuan(sums.refunded_fen.saturating_neg())
        ),
    ];
    frame.table(("支付宝业务明细查询", "业务明细列表"), COLUMNS, &rows, &totals)
}

/// One row for all shops together.
pub(super) fn summary(frame: &Frame<'_>, lines: &[Line]) -> String {
    let sums = Sums::of(lines);
    let received_fen = sums.paid_fen.saturating_sub(sums.refunded_fen);
    let zero = yuan(0);
    let row = vec![
        "合计".to_owned(),
        String::new(),
        sums.payments.to_string(),
        sums.refunds.to_string(),
        yuan(received_fen),
        yuan(received_fen),
        zero.clone(),
        zero.clone(),
        zero.clone(),
        yuan(sums.fee_fen.saturating_neg()),
        zero,
        yuan(received_fen.saturating_sub(sums.fee_fen)),
    ];
    frame.table(
        ("支付宝业务汇总查询", "业务汇总列表"),
        SUMMARY_COLUMNS,
        &[row],
        &[],
    )
}

fn row(line: &Line) -> Vec<String> {
    let order = &line.order;
    let (word, sign, fee_fen) = match line.entry.kind {
        EntryKind::Payment => ("交易", 1, fee_fen(line.entry.amount_fen)),
        EntryKind::Refund => ("退款", -1, 0),
    };
    let memo = |name: &str| order.memo.get(name).cloned().unwrap_or_default();
    let amount = yuan(line.entry.amount_fen.saturating_mul(sign));
    let zero = yuan(0);
    vec![
        id(order.transaction_id.as_deref().unwrap_or_default()),
        id(&order.key.out_trade_no),
        word.to_owned(),
        order.description.clone(),
        beijing::wall(order.scanned_ms.unwrap_or(line.entry.at_ms)),
        beijing::wall(line.entry.at_ms),
        memo("store_id"),
        String::new(),
        memo("operator_id"),
        memo("terminal_id"),
        trade::buyer_logon_id(order),
        amount.clone(),
        amount,
        zero.clone(),
        zero.clone(),
        zero.clone(),
        zero.clone(),
        zero.clone(),
        String::new(),
        zero.clone(),
        zero.clone(),
        line.entry.refund_no.as_deref().map(id).unwrap_or_default(),
        yuan(fee_fen.saturating_neg()),
        zero,
        String::new(),
    ]
}

#[derive(Debug, Default)]
struct Sums {
    payments: usize,
    refunds: usize,
    paid_fen: i64,
    refunded_fen: i64,
    fee_fen: i64,
}

impl Sums {
    fn of(lines: &[Line]) -> Self {
        let mut sums = Self::default();
        for Line { entry, .. } in lines {
            match entry.kind {
                EntryKind::Payment => {
                    sums.payments = sums.payments.saturating_add(1);
                    sums.paid_fen = sums.paid_fen.saturating_add(entry.amount_fen);
                    sums.fee_fen = sums.fee_fen.saturating_add(fee_fen(entry.amount_fen));
                }
                EntryKind::Refund => {
                    sums.refunds = sums.refunds.saturating_add(1);
                    sums.refunded_fen = sums.refunded_fen.saturating_add(entry.amount_fen);
                }
            }
        }
        sums
    }
}
