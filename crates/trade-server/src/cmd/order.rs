//! `trade show`: an order with its tradings, refunds, and all that happened.

use std::path::Path;

use trade_core::{
    ProductOrderNo, Refund, Role, SystemClock, Timestamp, Trading, TradingOrderNo,
    port::{Clock, OrderKey, Page, RefundStore, TradingFilter, TradingStore},
};
use trade_store::SqlStore;

use super::{Failure, show, store};
use crate::{advice, timeline};

/// An order number may be in use by several order systems, each with a few tradings.
const MOST: Page = Page {
    before: None,
    limit: 200,
};

pub(super) async fn run(number: i64, config: Option<&Path>) -> Result<(), Failure> {
    let store = store::open_to_read(config).await?;
    let orders = orders_of(&store, number).await?;
    if orders.is_empty() {
        return Err(format!("there is neither an order nor a trading with the number {number}").into());
    }
    for order in orders {
        show::line(format!(
            "order {} of {}",
            order.product_order_no, order.product_app_id
        ));
        let mut tradings = store.tradings_of(&order).await?;
        tradings.reverse();
        for trading in &tradings {
            show_trading(&store, trading).await?;
        }
    }
    Ok(())
}

/// The orders with that number, or with a trading of that number.
pub(super) async fn orders_of(store: &SqlStore, number: i64) -> Result<Vec<OrderKey>, Failure> {
    let mut orders = Vec::new();
    if let Some(trading) = store.trading(TradingOrderNo::new(number)?).await? {
        orders.push(trading.order());
    }
    let filter = TradingFilter {
        product_order_no: Some(ProductOrderNo::new(number)?),
        ..TradingFilter::default()
    };
    let of_number = store.list_tradings(&filter, MOST).await?;
    orders.extend(of_number.iter().map(Trading::order));
    orders.sort();
    orders.dedup();
    Ok(orders)
}

async fn show_trading(store: &SqlStore, trading: &Trading) -> Result<(), Failure> {
    show::line(format!("\n{}", headline(trading)));
    if let Some(why) = &trading.stuck {
        show::line(format!(
            "  needs a person: {why}\n  what to do: {}",
            advice::about_stuck_trading(trading)
        ));
    }
    let now = SystemClock::new().now();
    for refund in store.refunds_of(trading.trading_order_no).await?.iter().rev() {
        show::line(format!("  {}", refund_line(refund, now)));
        if let Some(why) = &refund.stuck {
            show::line(format!("    needs a person: {why}"));
        }
    }
    for moment in timeline::of(store, trading).await? {
        let request = moment
            .request_id
            .map_or_else(String::new, |id| format!("  [{id}]"));
        show::line(format!(
            "  {}  {:<8}{}{request}",
            timeline::beijing_ms(moment.at),
            moment.kind.word(),
            moment.text
        ));
    }
    Ok(())
}

fn headline(trading: &Trading) -> String {
    let role = match trading.role {
        None => "",
        Some(Role::Winner) => "  pays its order",
        Some(Role::Surplus) => "  one payment too many: goes back by itself",
    };
    let withdrawn = if trading.withdrawn {
        "  closed by its caller"
    } else {
        ""
    };
    format!(
        "trading {}  {}  {} yuan  {}{role}{withdrawn}  refunded {} yuan",
        trading.trading_order_no,
        trading.channel,
        trading.amount.to_yuan(),
        trading.state,
        trading.refunded.to_yuan()
    )
}

fn refund_line(refund: &Refund, now: Timestamp) -> String {
    let asked_as = refund
        .product_refund_no
        .as_ref()
        .map_or_else(String::new, |number| format!("  asked for as {number}"));
    let action = advice::about_refund(refund, now).map_or_else(String::new, |words| format!("  ({words})"));
    format!(
        "refund {}  {} yuan  {}  {}{asked_as}{action}",
        refund.refund_no,
        refund.amount.to_yuan(),
        refund.state,
        refund.origin
    )
}
