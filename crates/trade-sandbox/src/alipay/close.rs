//! `alipay.trade.close`: closes a trade that waits for its buyer. Without a scan there is nothing to close,
//! and the code stays payable.

use super::{
    answer::{Fields, Refusal},
    content::{Content, Field, Kind, optional},
    notice,
    trade::{self, INVALID, Number, Status},
};
use crate::world::World;

const FIELDS: &[Field] = &[
    optional("out_trade_no", Kind::Text(64)),
    optional("trade_no", Kind::Text(64)),
    optional("operator_id", Kind::Text(28)),
    optional("extend_params", Kind::Object),
];

/// Closes a trade. Its `notify_url`, not that of the order, is told.
pub(super) fn close(world: &World, content: &Content, notify_url: Option<&str>) -> Result<Fields, Refusal> {
    content.check(FIELDS, INVALID)?;
    let number = Number::of(content)?;
    let now_ms = world.clock.now_ms();
    let order = world
        .ledger
        .write(|book| match number.find(book, world, now_ms) {
            None => Err(number.not_exist("ACQ.TRADE_NOT_EXIST")),
            Some((order, Status::Wait)) => {
                let closed = book.close(&order.key, now_ms);
                closed.cloned().map_err(|_gone| Refusal::system_error())
            }
            Some((_, Status::Success | Status::Finished | Status::Closed)) => Err(Refusal::new(
                "ACQ.TRADE_STATUS_ERROR",
                "交易状态不合法：已支付或已关闭",
            )),
        })?;
    if let Some(url) = notify_url {
        notice::closed_by_merchant(world, &order, url);
    }
    Ok(trade::numbers(&order))
}
