//! Cancelling: an unpaid order only after nobody can pay it any more, a paid one with its refund.

use super::Orders;
use crate::{
    cancel_rule::{self, Facts},
    error::OrderError,
    status::{Actor, Event, OrderStatus},
    store::{orders::By, table::Order},
    trade::TradeFailure,
};
use trade_core::Timestamp;

/// How often the tradings of an order are gone through: a switch of channels may be at work beside it.
const ROUNDS: u32 = 3;
/// The reason the platform writes for an order that nobody paid.
pub(crate) const TIMED_OUT: &str = "订单超时支付,自动取消";
/// The same for an order that nobody took.
pub(crate) const NOT_TAKEN: &str = "派单超时,自动取消";

/// What was found when every trading of an order was to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Withdrawn {
    /// Nobody can pay it any more; or if somebody can, the money goes back by itself.
    Done,
    /// It was paid.
    Paid,
}

impl Orders {
    /// Cancels an order for somebody, as far as the matrix allows it.
    ///
    /// # Errors
    /// It does not, or nobody knows yet whether the order is being paid. The order is as it was.
    pub(crate) async fn cancel(&self, id: i64, by: &By, name: &str) -> Result<OrderStatus, OrderError> {
        for _ in 0..ROUNDS {
            let order = self.any_order(id).await?;
            let event = self.may_cancel(by.actor, &order)?;
            let done = if event == Event::Cancel {
                if self.withdraw(&order).await? == Withdrawn::Paid {
                    return Err(OrderError::JustPaid);
                }
                self.store.cancel_unpaid(id, by, name, self.now()).await?
            } else {
                self.store.close_paid(&order, event, by, name, self.now()).await?
            };
            if done {
                self.tell();
                if event != Event::Cancel {
                    self.refund_soon(id);
                }
                return Ok(event.step().1);
            }
            // Somebody was faster: the matrix is asked again.
        }
        Err(OrderError::Contended)
    }

    fn may_cancel(&self, who: Actor, order: &Order) -> Result<Event, OrderError> {
        let status = order.status()?;
        let facts = Facts {
            status,
            starts_at: Timestamp::from_ms(order.serve_start_time),
            ended_at: order.serve_end_time.map(Timestamp::from_ms),
            now: self.now(),
        };
        cancel_rule::decide(who, facts).map_err(|refusal| OrderError::NotCancellable { status, refusal })
    }

    /// Lets an order end whose time to pay is over: 600 once nobody can pay it any more, 100 when somebody
    /// just has. Looking at its detail does the same.
    ///
    /// # Errors
    /// Nobody knows yet whether it is being paid: it stays, and is looked at again.
    pub(crate) async fn time_out(&self, order: &Order) -> Result<(), OrderError> {
        if self.withdraw(order).await? == Withdrawn::Paid {
            return Ok(());
        }
        let by = By::system(TIMED_OUT);
        if self
            .store
            .cancel_unpaid(order.id, &by, "系统", self.now())
            .await?
        {
            self.tell();
        }
        Ok(())
    }

    /// An unpaid order whose time is over is brought to its end before anybody looks at it.
    pub(crate) async fn fresh(&self, order: Order) -> Result<Order, OrderError> {
        let over = order.status()? == OrderStatus::NoPay && self.now() >= order.deadline();
        if !over {
            return Ok(order);
        }
        if let Err(error) = self.time_out(&order).await {
            tracing::warn!(order = order.id, %error, "an order whose time is over is not ended yet");
        }
        self.any_order(order.id).await
    }

    /// Sees to it that an order is not paid any more: query, close, and look again that nothing is left.
    async fn withdraw(&self, order: &Order) -> Result<Withdrawn, OrderError> {
        for _ in 0..ROUNDS {
            let mut open = Vec::new();
            for trading in self.trade.tradings_of(order.id).await? {
                if self.take_in(order, &trading).await? {
                    return Ok(Withdrawn::Paid);
                }
                if trading.is_to_be_withdrawn() {
                    open.push(trading.trading_order_no);
                }
            }
            if open.is_empty() {
                return Ok(Withdrawn::Done);
            }
            for number in open {
                match self.trade.close(number).await {
                    Ok(_) => {}
                    // Paid meanwhile, or ended in another way: the next round reads which.
                    Err(TradeFailure::Refused { detail, .. }) => {
                        tracing::info!(order = order.id, detail, "a trading was not closed");
                    }
                    Err(failure) => return Err(failure.into()),
                }
            }
        }
        Err(OrderError::Contended)
    }
}
