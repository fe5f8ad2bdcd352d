//! `alipay.trade.fastpay.refund.query`: a refund that was not made is no error, but a success without data.

use super::{
    answer::{Fields, Refusal},
    content::{Content, Field, Kind, optional, required},
    refund,
    trade::{self, INVALID, Number},
};
use crate::{beijing, ledger::RefundState, world::World};

const FIELDS: &[Field] = &[
    required("out_request_no", Kind::Text(64)),
    optional("out_trade_no", Kind::Text(64)),
    optional("trade_no", Kind::Text(64)),
    optional("org_pid", Kind::Text(16)),
    optional(
        "query_options",
        Kind::Options(&[
            "refund_detail_item_list",
            "gmt_refund_pay",
            "deposit_back_info",
            "deposit_back_info_list",
            "refund_voucher_detail_list",
            "pre_auth_cancel_fee",
        ]),
    ),
];

/// Tells whether a refund was made.
pub(super) fn query(world: &World, content: &Content) -> Result<Fields, Refusal> {
    content.check(FIELDS, INVALID)?;
    let number = Number::of(content)?;
    let request_no = content.text("out_request_no").unwrap_or_default();
    let now_ms = world.clock.now_ms();
    let found = world.ledger.write(|book| {
        let (order, _) = number.find(book, world, now_ms)?;
        let refund = book.refund(&refund::key(&order.key, request_no)).cloned();
        Some((order, refund))
    });
    // This method alone writes the code without its prefix.
    let (order, refund) = found.ok_or_else(|| number.not_exist("TRADE_NOT_EXIST"))?;
    let Some(refund) = refund.filter(|refund| refund.state == RefundState::Success) else {
        return Ok(Fields::new());
    };
    let wants = |option| content.has_option("query_options", option);
    let paid_ms = refund.success_ms.filter(|_| wants("gmt_refund_pay"));
    let fields = trade::numbers(&order)
        .text("out_request_no", &refund.key.number)
        .maybe("refund_reason", refund.reason.as_deref())
        .fen("total_amount", order.amount_fen)
        .fen("refund_amount", refund.amount_fen)
        .text("refund_status", "REFUND_SUCCESS")
        .maybe("gmt_refund_pay", paid_ms.map(beijing::wall));
    if wants("refund_detail_item_list") {
        Ok(fields
            .value(
                "refund_detail_item_list",
                refund::detail_items(&order, refund.amount_fen),
            )
            .fen("send_back_fee", refund.amount_fen))
    } else {
        Ok(fields)
    }
}
