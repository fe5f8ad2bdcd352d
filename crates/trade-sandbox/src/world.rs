//! Everything of one sandbox in one place, and the acts that touch several parts of it.
//!
//! Each act does its work in the ledger first, under the ledger's lock, and posts notices afterwards.

use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

use tokio::sync::{Notify, futures::Notified};

use crate::{
    Channel, SandboxConfig, SandboxError, SandboxKeys, alipay,
    clock::SandboxClock,
    faults::Faults,
    keys::{Credentials, KeyPair},
    ledger::{Book, Due, Ledger, LedgerError, Order, OrderKey, Payment, Refund, RefundKey, RefundOutcome},
    notice::{NewNotice, Notices},
    random::Random,
    wechat,
};

/// The state shared by all handlers.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: SandboxConfig,
    /// The base address clients use, without a trailing slash.
    pub(crate) api_url: String,
    /// The base address in codes, without a trailing slash.
    pub(crate) page_url: String,
    pub(crate) clock: SandboxClock,
    pub(crate) random: Random,
    pub(crate) ledger: Ledger,
    pub(crate) faults: Faults,
    pub(crate) notices: Notices,
    /// What only the WeChat half remembers.
    pub(crate) wechat: wechat::State,
    /// What only the Alipay half remembers.
    pub(crate) alipay: alipay::State,
    credentials: RwLock<Credentials>,
    wake: Notify,
}

/// Who pays, and from what.
#[derive(Debug, Clone, Default)]
pub(crate) struct Payer {
    /// `openid` or buyer number; the channel's standard payer when absent.
    pub(crate) id: Option<String>,
    /// Bank or fund; the balance when absent.
    pub(crate) bank_type: Option<String>,
    /// What a coupon pays of the amount, in fen.
    pub(crate) coupon_fen: i64,
}

impl World {
    pub(crate) fn new(config: SandboxConfig, keys: &SandboxKeys, api_url: String, page_url: String) -> Self {
        let clock = SandboxClock::new(config.start_ms, config.frozen_clock);
        let random = Random::new(config.seed);
        let credentials = Credentials::issue(&config, keys, &random, clock.now_ms());
        Self {
            config,
            api_url,
            page_url,
            clock,
            random,
            ledger: Ledger::new(),
            faults: Faults::default(),
            notices: Notices::default(),
            wechat: wechat::State::default(),
            alipay: alipay::State::default(),
            credentials: RwLock::new(credentials),
            wake: Notify::new(),
        }
    }

    /// The keys and certificates. Do not hold this across an await.
    pub(crate) fn credentials(&self) -> RwLockReadGuard<'_, Credentials> {
        self.credentials.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes keys, certificates or key modes.
    pub(crate) fn change_credentials<T>(&self, change: impl FnOnce(&mut Credentials) -> T) -> T {
        change(&mut self.credentials.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The address of the pay page of a code.
    pub(crate) fn pay_page(&self, token: &str) -> String {
        format!("{}/pay/{token}", self.page_url)
    }

    /// The key of an order of the sandbox's only merchant.
    pub(crate) fn order_key(&self, channel: Channel, out_trade_no: &str) -> OrderKey {
        let merchant = match channel {
            Channel::Wechat => &self.config.wechat.mchid,
            Channel::Alipay => &self.config.alipay.pid,
        };
        OrderKey {
            channel,
            merchant: merchant.clone(),
            out_trade_no: out_trade_no.to_owned(),
        }
    }

    /// A user scans the code of an order.
    pub(crate) fn scan(&self, key: &OrderKey) -> Result<Order, LedgerError> {
        self.catch_up();
        let now_ms = self.clock.now_ms();
        let transaction_id = match key.channel {
            Channel::Wechat => None,
            Channel::Alipay => Some(alipay::new_trade_no(self)),
        };
        self.ledger
            .write(|book| book.scan(key, transaction_id, now_ms).cloned())
    }

    /// A user pays an order; the merchant is told.
    pub(crate) fn pay(&self, key: &OrderKey, payer: Payer) -> Result<Order, LedgerError> {
        self.catch_up();
        let now_ms = self.clock.now_ms();
        let (transaction_id, default_payer, default_bank) = match key.channel {
            Channel::Wechat => (wechat::new_transaction_id(self), wechat::PAYER, wechat::BALANCE),
            Channel::Alipay => (alipay::new_trade_no(self), alipay::PAYER, alipay::BALANCE),
        };
        let order = self.ledger.write(|book| {
            let amount_fen = book.order(key).map_or(0, |order| order.amount_fen);
            let payment = Payment {
                payer: payer.id.unwrap_or_else(|| default_payer.to_owned()),
                bank_type: payer.bank_type.unwrap_or_else(|| default_bank.to_owned()),
                payer_total_fen: amount_fen.saturating_sub(payer.coupon_fen).max(0),
                paid_ms: now_ms,
            };
            book.pay(key, transaction_id, payment).cloned()
        })?;
        match key.channel {
            Channel::Wechat => wechat::notice::paid(self, &order),
            Channel::Alipay => alipay::notice::paid(self, &order),
        }
        Ok(order)
    }

    /// Lets the deadline of an unpaid order pass now.
    pub(crate) fn expire(&self, key: &OrderKey) -> Result<Order, LedgerError> {
        self.catch_up();
        let now_ms = self.clock.now_ms();
        let order = self.ledger.write(|book| book.expire(key, now_ms).cloned())?;
        // Alipay closes such an order at once.
        self.catch_up();
        Ok(self.ledger.read(|book| book.order(key).cloned()).unwrap_or(order))
    }

    /// The channel closes an unpaid order.
    pub(crate) fn close(&self, key: &OrderKey) -> Result<Order, LedgerError> {
        self.catch_up();
        let now_ms = self.clock.now_ms();
        self.ledger.write(|book| book.close_unpaid(key, now_ms).cloned())
    }

    /// Forgets orders, refunds, notices and faults. Clock, keys and ids stay.
    pub(crate) fn reset(&self) {
        self.faults.clear();
        self.ledger.write(|book| *book = Book::default());
        self.notices.clear();
    }

    /// Ends a refund that is on its way; the merchant is told.
    pub(crate) fn settle_refund(
        &self,
        key: &RefundKey,
        outcome: RefundOutcome,
    ) -> Result<Refund, LedgerError> {
        self.catch_up();
        let now_ms = self.clock.now_ms();
        let refund = self
            .ledger
            .write(|book| book.settle_refund(key, outcome, now_ms).cloned())?;
        self.tell_refund(&refund);
        Ok(refund)
    }

    /// Moves the clock and does what has come due.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.catch_up();
        self.wake();
    }

    /// Does what has come due in the ledger: orders close, refunds settle.
    pub(crate) fn catch_up(&self) {
        let now_ms = self.clock.now_ms();
        for due in self.ledger.write(|book| book.catch_up(now_ms)) {
            match due {
                Due::Closed(order) => match order.key.channel {
                    // WeChat Pay tells nobody that an order was closed.
                    Channel::Wechat => {}
                    Channel::Alipay => alipay::notice::closed(self, &order),
                },
                Due::Settled(refund) => self.tell_refund(&refund),
            }
        }
    }

    /// Takes new keys or certificates into use, as the channels do every few years. Blocks for a second.
    pub(crate) fn rotate(&self, channel: Channel) -> Result<(), SandboxError> {
        let now_ms = self.clock.now_ms();
        match channel {
            Channel::Wechat => {
                let key = KeyPair::generate("new WeChat Pay platform key", self.random.fork())?;
                self.change_credentials(|all| all.rotate_wechat(Arc::new(key), &self.random, now_ms));
            }
            Channel::Alipay => self.change_credentials(|all| {
                all.rotate_alipay(&self.config.alipay.pid, &self.random, now_ms);
            }),
        }
        Ok(())
    }

    /// Takes a notice in, unless a fault tells it to wait for the next one.
    pub(crate) fn post_notice(&self, channel: Channel, new: NewNotice) {
        let held = self.faults.reorders(channel, new.kind.operation());
        self.notices.post(channel, new, self.clock.now_ms(), held);
        self.wake();
    }

    /// Wakes the sender of notices.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Resolves when there may be something to send.
    pub(crate) fn woken(&self) -> Notified<'_> {
        self.wake.notified()
    }

    fn tell_refund(&self, refund: &Refund) {
        match refund.key.channel {
            Channel::Wechat => wechat::notice::refunded(self, refund),
            Channel::Alipay => alipay::notice::refunded(self, refund),
        }
    }
}
