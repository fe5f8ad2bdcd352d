//! Creating a trading: at most one live per order, committed before the channel hears of it.

use std::time::Duration;

use super::{
    MessageCode, TradeError, TradeService,
    look::{Closing, one_line},
};
use crate::{
    Amount, Cause, Channel, EnterpriseId, ErrorKind, Fen, JournalEntry, ProductAppId, ProductOrderNo, Role,
    Step, Timestamp, Trading, TradingOrderNo, TradingState,
    handler::{ChannelAnswer, PayHandler, PlaceRequest},
    port::{Inserted, LockToken, OrderKey},
};

/// How often somebody who waits for another request looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Of the closed tradings of an order, the newest this many are asked about.
const MOST_ASKED: usize = 3;
/// Each round ends with a live trading gone; an order that needs more rounds is being fought over.
const MAX_ROUNDS: u32 = 4;

/// A payment asked for by an order system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTrading {
    /// The merchant.
    pub enterprise_id: EnterpriseId,
    /// The order system.
    pub product_app_id: ProductAppId,
    /// The order.
    pub product_order_no: ProductOrderNo,
    /// Where to pay.
    pub channel: Channel,
    /// What the payer is asked for.
    pub amount: Amount,
    /// What the payer reads.
    pub memo: String,
    /// Whether a live trading of the order at another channel is closed first.
    pub change_channel: bool,
    /// When the order stops being payable, if its order system says so; else the service's own rule of
    /// [`Policy::pay_within`](super::Policy::pay_within) from now. At least [`CreateTrading::SHORTEST`] and at
    /// most [`CreateTrading::LONGEST`] away. A live trading keeps the expiry it was made with.
    pub expires_at: Option<Timestamp>,
}

impl CreateTrading {
    /// A payer needs a moment, and no channel takes less.
    pub const SHORTEST: Duration = Duration::from_secs(60);
    /// No channel keeps an order longer than some days.
    pub const LONGEST: Duration = Duration::from_secs(5 * 24 * 3600);
}

impl TradeService {
    /// Gives a QR code to pay an order.
    ///
    /// A live trading of the order at the same channel is returned as it is: repeating the call is
    /// safe and gives the same trading with the same code.
    ///
    /// # Errors
    /// The order is paid or being paid otherwise; a value breaks a rule; the channel refused, or its
    /// answer is not known yet: then the trading stays, is finished in the background, and the same
    /// call may be repeated.
    pub async fn create(&self, request: &CreateTrading) -> Result<Trading, TradeError> {
        let token = self.lock_order(request.product_order_no).await;
        let result = self.create_locked(request).await;
        if let Some(token) = token {
            self.ports.lock.release(token).await;
        }
        result
    }

    /// A courtesy: whoever waits here finds the work done. Without the lock the store decides.
    async fn lock_order(&self, product_order_no: ProductOrderNo) -> Option<LockToken> {
        let key = format!("trading:lock:create_pay{product_order_no}");
        match self.ports.lock.acquire(&key, self.policy.wait_for_other).await {
            Ok(token) => Some(token),
            Err(error) => {
                tracing::warn!(%error, "working without the lock");
                None
            }
        }
    }

    async fn create_locked(&self, request: &CreateTrading) -> Result<Trading, TradeError> {
        let handler = self.handler(request.enterprise_id, request.channel)?;
        self.ask_about_closed(request).await?;
        let trading = self.intend(request, &*handler).await?;
        let journal = first_entry(&trading);
        for _ in 0..MAX_ROUNDS {
            match self.ports.store.insert_trading(&trading, &journal).await? {
                Inserted::Done => {
                    let placed = self.place(trading, &handler).await?;
                    return self.beside_no_winner(placed).await;
                }
                Inserted::OrderPaid(winner) => return Err(TradeError::OrderPaid(winner.trading_order_no)),
                Inserted::LiveExists(live) => {
                    if let Some(usable) = self.settle_live(request, *live).await? {
                        return finished(usable);
                    }
                }
            }
        }
        Err(TradeError::Busy(trading.trading_order_no))
    }

    /// A closed trading of the order may have been paid all the same while its code was alive: then the
    /// order needs no other.
    async fn ask_about_closed(&self, request: &CreateTrading) -> Result<(), TradeError> {
        let order = OrderKey {
            product_app_id: request.product_app_id.clone(),
            product_order_no: request.product_order_no,
        };
        let tradings = self.ports.store.tradings_of(&order).await?;
        let watched = |row: &Trading| row.state == TradingState::Cancelled && row.next_check_at.is_some();
        for closed in tradings.into_iter().filter(watched).take(MOST_ASKED) {
            let number = closed.trading_order_no;
            match self.observe(closed).await {
                Ok(row) if row.role == Some(Role::Winner) => return Err(TradeError::OrderPaid(number)),
                Ok(_) => {}
                Err(TradeError::Channel { source, .. }) => {
                    let trading_order_no = number.get();
                    tracing::warn!(trading_order_no, %source, "a closed trading could not be asked about");
                }
                Err(error) => {
                    tracing::warn!(error = one_line(&error), "a closed trading was not asked about")
                }
            }
        }
        Ok(())
    }

    /// A code is handed out only while nothing else has settled the order: an older code may have been
    /// paid during the placing.
    async fn beside_no_winner(&self, placed: Trading) -> Result<Trading, TradeError> {
        match self.winner_beside(&placed).await? {
            None => finished(placed),
            Some(winner) => {
                self.hurry_losers(&winner).await;
                Err(TradeError::OrderPaid(winner.trading_order_no))
            }
        }
    }

    /// The row of a new trading, with the request's content; nothing is stored or sent yet.
    async fn intend(&self, request: &CreateTrading, handler: &dyn PayHandler) -> Result<Trading, TradeError> {
        let trading_order_no = TradingOrderNo::new(self.ports.ids.next().await?)
            .map_err(|invalid| TradeError::invalid("tradingOrderNo", invalid.to_string()))?;
        let now = self.ports.clock.now();
        let expires_at = match request.expires_at {
            None => now.plus(self.policy.pay_within),
            Some(at) => expiry_within_reach(at, now)?,
        };
        let place = PlaceRequest {
            trading_order_no,
            amount: request.amount,
            memo: request.memo.clone(),
            expires_at,
        };
        let content = handler
            .prepare_place(&place)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidRequest => {
                    TradeError::invalid("memo", error.message().unwrap_or("breaks a rule of the channel"))
                }
                _ => TradeError::Channel {
                    code: MessageCode::ConfigError,
                    source: error,
                },
            })?;
        Ok(Trading {
            trading_order_no,
            product_app_id: request.product_app_id.clone(),
            product_order_no: request.product_order_no,
            enterprise_id: request.enterprise_id,
            channel: request.channel,
            amount: request.amount,
            memo: request.memo.clone(),
            state: TradingState::Paying(Step::Intended),
            version: 1,
            content,
            code_url: None,
            transaction_id: None,
            payer_id: None,
            payer_total: None,
            paid_at: None,
            role: None,
            withdrawn: false,
            refund_reserved: Fen::ZERO,
            refunded: Fen::ZERO,
            place_answer: ChannelAnswer::default(),
            result_answer: ChannelAnswer::default(),
            created_at: now,
            updated_at: now,
            expires_at,
            next_check_at: Some(now.plus(self.policy.claim)),
            checks: 0,
            stuck: None,
        })
    }

    /// What to do about the order's live trading: use it (`Some`), or it is gone now (`None`).
    async fn settle_live(
        &self,
        request: &CreateTrading,
        live: Trading,
    ) -> Result<Option<Trading>, TradeError> {
        let (trading_order_no, channel) = (live.trading_order_no, live.channel);
        if channel != request.channel {
            if !request.change_channel {
                return Err(TradeError::PayingElsewhere {
                    trading_order_no,
                    channel,
                });
            }
            return self.clear(live).await.map(|()| None);
        }
        for (differs, field) in [
            (live.amount != request.amount, "tradingAmount"),
            (live.enterprise_id != request.enterprise_id, "enterpriseId"),
        ] {
            if differs {
                return Err(TradeError::PayingOtherwise {
                    trading_order_no,
                    field,
                });
            }
        }
        self.reuse(live).await
    }

    /// The live trading with its code; finishes a placing that was cut off, and clears what has expired.
    async fn reuse(&self, mut live: Trading) -> Result<Option<Trading>, TradeError> {
        let deadline = self
            .ports
            .clock
            .monotonic()
            .saturating_add(self.policy.wait_for_other);
        loop {
            let now = self.ports.clock.now();
            match live.state {
                TradingState::Paying(Step::Placed) if now < live.expires_at => return Ok(Some(live)),
                TradingState::Paying(Step::Placed | Step::Closing) => {
                    return self.clear(live).await.map(|()| None);
                }
                TradingState::Paying(Step::Intended | Step::Unknown) => {}
                TradingState::Settled => return Err(TradeError::OrderPaid(live.trading_order_no)),
                TradingState::Failed
                | TradingState::Cancelled
                | TradingState::Free
                | TradingState::OnAccount => return Ok(None),
            }
            let trading_order_no = live.trading_order_no;
            let free = live.next_check_at.is_none_or(|at| at <= now);
            if free && let Some(claimed) = self.claim(live).await? {
                return self.complete(claimed).await.map(Some);
            }
            if self.ports.clock.monotonic() >= deadline {
                return Err(TradeError::Busy(trading_order_no));
            }
            self.ports.clock.sleep(LOOK_AGAIN).await;
            live = self.load(trading_order_no).await?;
        }
    }

    /// Closes the live trading so that the order's slot is free.
    async fn clear(&self, live: Trading) -> Result<(), TradeError> {
        let closed = self.close_live(live, Closing::SUPERSEDED).await?;
        match closed.state {
            TradingState::Settled => Err(TradeError::OrderPaid(closed.trading_order_no)),
            TradingState::Paying(_) => Err(TradeError::Busy(closed.trading_order_no)),
            TradingState::Failed | TradingState::Cancelled | TradingState::Free | TradingState::OnAccount => {
                Ok(())
            }
        }
    }
}

/// A trading that a caller can use has a code; one that turned out to be paid is an answer of its own.
fn finished(trading: Trading) -> Result<Trading, TradeError> {
    match trading.state {
        TradingState::Paying(Step::Placed) => Ok(trading),
        TradingState::Settled => Err(TradeError::OrderPaid(trading.trading_order_no)),
        TradingState::Paying(Step::Intended | Step::Unknown | Step::Closing)
        | TradingState::Failed
        | TradingState::Cancelled
        | TradingState::Free
        | TradingState::OnAccount => Err(TradeError::Busy(trading.trading_order_no)),
    }
}

fn expiry_within_reach(at: Timestamp, now: Timestamp) -> Result<Timestamp, TradeError> {
    let reach = now.plus(CreateTrading::SHORTEST)..=now.plus(CreateTrading::LONGEST);
    if reach.contains(&at) {
        return Ok(at);
    }
    let rule = format!(
        "must be a minute to five days away, and {} is not: it is {} now",
        at.to_beijing_text(),
        now.to_beijing_text()
    );
    Err(TradeError::invalid("expiresAt", rule))
}

fn first_entry(trading: &Trading) -> JournalEntry {
    JournalEntry {
        trading_order_no: trading.trading_order_no,
        version: trading.version,
        at: trading.created_at,
        from_state: None,
        to_state: trading.state,
        cause: Cause::Request,
        detail: format!("{} at {}", trading.amount, trading.channel),
        request_id: None,
    }
}
