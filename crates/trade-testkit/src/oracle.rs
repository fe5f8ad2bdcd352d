//! What must hold whatever crashed and whoever raced: the channels' own books against the rows.
//!
//! [`always`] holds at every moment at which no write is half done, [`at_rest`] once everything that was
//! begun has been brought to its end. Both answer with what is wrong, a sentence each: nothing, when all
//! is well. The simulation, the crash sweep and the races are judged by the same two.

mod end;
mod history;
mod refund;
mod rows;
mod trading;

use trade_core::{Channel, Trading, TradingOrderNo};

pub use rows::Rows;

/// An order as the channel has it.
#[derive(Debug, Clone)]
pub struct TrueOrder {
    /// Where it is.
    pub channel: Channel,
    /// Its `out_trade_no`.
    pub number: TradingOrderNo,
    /// What it costs.
    pub fen: i64,
    /// Whether somebody paid it.
    pub paid: bool,
    /// Whether somebody could still pay it.
    pub payable: bool,
}

/// A refund as the channel has it.
#[derive(Debug, Clone)]
pub struct TrueRefund {
    /// Its `out_refund_no` or `out_request_no`.
    pub number: String,
    /// The order it is of.
    pub order: TradingOrderNo,
    /// What goes back.
    pub fen: i64,
    /// Whether the payer has the money.
    pub done: bool,
    /// Whether it will not be done any more.
    pub dead: bool,
    /// Made in the merchant console.
    pub by_hand: bool,
    /// Nobody was told of it yet who did not ask for it: no row can be expected.
    pub silent: bool,
}

/// The channels' books.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// Every order.
    pub orders: Vec<TrueOrder>,
    /// Every refund.
    pub refunds: Vec<TrueRefund>,
}

/// What was told to somebody and cannot be taken back.
#[derive(Debug, Clone, Default)]
pub struct Promises {
    /// Tradings whose number a caller was given.
    pub tradings: Vec<TradingOrderNo>,
    /// Tradings whose payment notice was acknowledged.
    pub settled: Vec<TradingOrderNo>,
    /// Refunds whose number a caller was given.
    pub refunds: Vec<String>,
    /// Refunds whose notice of success was acknowledged.
    pub refunded: Vec<String>,
    /// Events that were announced, by id, in the order of their announcement.
    pub announced: Vec<i64>,
}

/// What is wrong, a sentence each.
pub type Faults = Vec<String>;

/// What holds at every moment at which no write is half done.
#[must_use]
pub fn always(rows: &Rows, truth: &Truth, promises: &Promises) -> Faults {
    let mut faults = Faults::new();
    trading::orders(rows, truth, &mut faults);
    trading::outcomes(rows, truth, &mut faults);
    trading::slots(rows, &mut faults);
    trading::kept(rows, promises, &mut faults);
    refund::at_channel(rows, truth, &mut faults);
    refund::outcomes(rows, truth, &mut faults);
    refund::sums(rows, &mut faults);
    refund::kept(rows, promises, &mut faults);
    history::journals(rows, &mut faults);
    history::events(rows, promises, &mut faults);
    faults
}

/// What holds besides once everything that was begun has ended.
#[must_use]
pub fn at_rest(rows: &Rows, truth: &Truth, promises: &Promises) -> Faults {
    let mut faults = always(rows, truth, promises);
    end::tradings(rows, truth, &mut faults);
    end::refunds(rows, truth, &mut faults);
    end::payers_are_whole(rows, truth, &mut faults);
    history::announced(rows, promises, &mut faults);
    faults
}

impl Truth {
    fn order(&self, row: &Trading) -> Option<&TrueOrder> {
        self.orders
            .iter()
            .find(|order| order.number == row.trading_order_no && order.channel == row.channel)
    }

    fn refund(&self, of: TradingOrderNo, number: &str) -> Option<&TrueRefund> {
        self.refunds
            .iter()
            .find(|refund| refund.order == of && refund.number == number)
    }

    /// What refunds of an order give back: those that are wanted, and not dead.
    fn given_back(&self, order: TradingOrderNo, wanted: impl Fn(&TrueRefund) -> bool) -> i64 {
        self.refunds
            .iter()
            .filter(|refund| refund.order == order && !refund.dead && wanted(refund))
            .map(|refund| refund.fen)
            .sum()
    }

    /// Whether somebody gave money of it back by hand: then a person may have to make ends meet.
    fn was_refunded_by_hand(&self, order: TradingOrderNo) -> bool {
        self.given_back(order, |refund| refund.by_hand) > 0
    }
}
