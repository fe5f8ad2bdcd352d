//! Everything the store holds, read at one moment.

use std::collections::BTreeMap;

use trade_core::{
    Event, JournalEntry, Refund, RefundEntry, Trading, TradingOrderNo,
    port::{Page, RefundFilter, StoreError, TradeStore, TradingFilter},
};

/// Beyond this nothing is due.
const MANY: u32 = 1000;

/// Everything the store holds.
#[derive(Debug)]
pub struct Rows {
    pub(super) tradings: Vec<(Trading, Vec<JournalEntry>)>,
    pub(super) refunds: Vec<(Refund, Vec<RefundEntry>)>,
    pub(super) events: Vec<Event>,
    /// How many events were not announced yet.
    pub(super) unsent: u64,
}

impl Rows {
    /// Reads it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn read(store: &dyn TradeStore) -> Result<Self, StoreError> {
        let page = Page {
            before: None,
            limit: MANY,
        };
        let mut tradings = Vec::new();
        for row in store.list_tradings(&TradingFilter::default(), page).await? {
            let journal = store.journal(row.trading_order_no).await?;
            tradings.push((row, journal));
        }
        let mut refunds = Vec::new();
        for row in store.list_refunds(&RefundFilter::default(), page).await? {
            let journal = store.refund_journal(row.refund_no).await?;
            refunds.push((row, journal));
        }
        Ok(Self {
            tradings,
            refunds,
            events: store.events_after(0, MANY).await?,
            unsent: store.counts().await?.unsent_events,
        })
    }

    /// The tradings, newest first.
    pub fn tradings(&self) -> impl Iterator<Item = &Trading> {
        self.tradings.iter().map(|(row, _)| row)
    }

    /// The refunds, newest first.
    pub fn refunds(&self) -> impl Iterator<Item = &Refund> {
        self.refunds.iter().map(|(row, _)| row)
    }

    /// The events, in their order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How many events were not announced yet.
    #[must_use]
    pub fn unsent(&self) -> u64 {
        self.unsent
    }

    /// The trading of that number.
    #[must_use]
    pub fn trading(&self, number: TradingOrderNo) -> Option<&Trading> {
        self.tradings().find(|row| row.trading_order_no == number)
    }

    /// The refund of a trading that the channel knows by that number.
    pub(super) fn refund(&self, of: TradingOrderNo, number: &str) -> Option<&Refund> {
        self.refunds()
            .find(|row| row.trading_order_no == of && row.out_refund_no == number)
    }

    /// The tradings of each order.
    pub(super) fn by_order(&self) -> BTreeMap<(&str, i64), Vec<&Trading>> {
        let mut orders: BTreeMap<(&str, i64), Vec<&Trading>> = BTreeMap::new();
        for row in self.tradings() {
            let order = (row.product_app_id.as_str(), row.product_order_no.get());
            orders.entry(order).or_default().push(row);
        }
        orders
    }
}
