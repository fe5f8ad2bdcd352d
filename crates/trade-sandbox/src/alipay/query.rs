//! `alipay.trade.query`.

use super::{
    answer::{Fields, Refusal},
    content::{Content, Field, Kind, optional},
    trade::{self, INVALID, Number, Status},
};
use crate::{beijing, ledger::Order, world::World};

const FIELDS: &[Field] = &[
    optional("out_trade_no", Kind::Text(64)),
    optional("trade_no", Kind::Text(64)),
    optional("org_pid", Kind::Text(16)),
    optional(
        "query_options",
        Kind::Options(&[
            "trade_settle_info",
            "fund_bill_list",
            "voucher_detail_list",
            "discount_goods_detail",
            "mdiscount_amount",
            "medical_insurance_info",
        ]),
    ),
];

/// The zero amounts that a refusal carries, too.
const AMOUNTS: [&str; 4] = [
    "buyer_pay_amount",
    "invoice_amount",
    "point_amount",
    "receipt_amount",
];

/// Tells where a trade stands.
pub(super) fn query(world: &World, content: &Content) -> Result<Fields, Refusal> {
    content.check(FIELDS, INVALID)?;
    let number = Number::of(content)?;
    let now_ms = world.clock.now_ms();
    match world.ledger.write(|book| number.find(book, world, now_ms)) {
        Some((order, status)) => Ok(describe(&order, status, content)),
        None => {
            let zeros = AMOUNTS
                .into_iter()
                .fold(Fields::new(), |zeros, name| zeros.fen(name, 0));
            Err(number.not_exist("ACQ.TRADE_NOT_EXIST").with(zeros))
        }
    }
}

fn describe(order: &Order, status: Status, content: &Content) -> Fields {
    let (paid_fen, received_fen) = order
        .payment
        .as_ref()
        .map_or((0, 0), |payment| (payment.payer_total_fen, order.amount_fen));
    let sent_ms = order.payment.as_ref().map(|payment| payment.paid_ms);
    let fields = trade::numbers(order)
        .text("buyer_logon_id", trade::buyer_logon_id(order))
        .text("trade_status", status.name())
        .fen("total_amount", order.amount_fen)
        .fen("receipt_amount", received_fen)
        .fen("buyer_pay_amount", paid_fen)
        .fen("point_amount", 0)
        .fen("invoice_amount", paid_fen)
        .maybe("send_pay_date", sent_ms.map(beijing::wall))
        .maybe("store_id", order.memo.get("store_id"))
        .maybe("terminal_id", order.memo.get("terminal_id"))
        .text("buyer_user_id", trade::buyer_id(order))
        .text("buyer_user_type", "PRIVATE");
    if content.has_option("query_options", "fund_bill_list") {
        fields.value("fund_bill_list", trade::fund_bills(order, "fund_channel"))
    } else {
        fields
    }
}
