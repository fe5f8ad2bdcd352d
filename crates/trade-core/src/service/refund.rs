//! Refunding a settled trading.

use super::{MessageCode, TradeError, TradeService, surplus::first_line};
use crate::{
    Amount, Cause, ErrorKind, NewRefund, ProductAppId, ProductRefundNo, Refund, RefundNo, RefundState, Role,
    Trading, TradingOrderNo, TradingState,
    handler::{PayHandler, RefundRequest},
    port::RefundInserted,
};

/// A refund asked for under the caller's own number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateRefund {
    /// The order system that asks; the trading must be one of its own.
    pub product_app_id: ProductAppId,
    /// Its number for this refund: repeating it makes no second one.
    pub product_refund_no: ProductRefundNo,
    /// The settled trading.
    pub trading_order_no: TradingOrderNo,
    /// What goes back.
    pub amount: Amount,
    /// What the payer reads as the reason.
    pub reason: Option<String>,
}

impl TradeService {
    /// Refunds a trading as the service this one replaces does: while a refund of it is running or
    /// done, that refund is returned and no other is made. For more than one refund of a trading use
    /// [`TradeService::create_refund`].
    ///
    /// The amount is reserved in the store before the channel hears of it; the number never changes.
    /// A refund whose outcome is not known yet is returned as running and finished in the background.
    ///
    /// # Errors
    /// The trading is unknown or not settled, the amount exceeds what is left, the channel's rules
    /// forbid it, or the channel refused.
    pub async fn refund(
        &self,
        trading_order_no: TradingOrderNo,
        amount: Amount,
        reason: Option<String>,
    ) -> Result<Refund, TradeError> {
        let trading = self.refundable(trading_order_no, amount).await?;
        if let Some(existing) = self.running_refund(trading_order_no).await? {
            return Ok(existing);
        }
        self.make_refund(&trading, amount, reason, None).await
    }

    /// Refunds a part or all of a trading under the caller's own number; any number of parts, as the
    /// channel allows. Repeating the call returns the refund as it stands.
    ///
    /// Channels want time between two refunds of one payment: a refund that comes too soon waits its
    /// turn ([`Refund::send_at`]) and is sent by itself.
    ///
    /// # Errors
    /// As for [`TradeService::refund`]; and the number was used for another amount or trading, or the
    /// trading belongs to another order system.
    pub async fn create_refund(&self, request: &CreateRefund) -> Result<Refund, TradeError> {
        let (app, number) = (&request.product_app_id, &request.product_refund_no);
        if let Some(existing) = self.ports.store.refund_by_product_no(app, number).await? {
            return self.repeated(request, existing).await;
        }
        let trading = self.load(request.trading_order_no).await?;
        if trading.product_app_id != *app {
            return Err(TradeError::TradingNotFound(request.trading_order_no));
        }
        let trading = self.refundable(request.trading_order_no, request.amount).await?;
        let number = Some(number.clone());
        let refund = self
            .make_refund(&trading, request.amount, request.reason.clone(), number)
            .await?;
        same_request(request, &refund)?;
        Ok(refund)
    }

    async fn repeated(&self, request: &CreateRefund, existing: Refund) -> Result<Refund, TradeError> {
        same_request(request, &existing)?;
        self.query_refund(existing.refund_no).await
    }

    /// The settled trading that settles its order, and that so much was paid by.
    async fn refundable(
        &self,
        trading_order_no: TradingOrderNo,
        amount: Amount,
    ) -> Result<Trading, TradeError> {
        let trading = self.repaired(trading_order_no).await?;
        if trading.state != TradingState::Settled {
            return Err(TradeError::NotRefundable {
                trading_order_no,
                state: trading.state,
            });
        }
        if amount > trading.amount {
            return Err(TradeError::RefundTooLarge(trading_order_no));
        }
        match trading.role {
            Some(Role::Surplus) => Err(TradeError::RefundedByItself(trading_order_no)),
            Some(Role::Winner) | None => {
                self.look_for_unknown_refunds(&trading).await?;
                Ok(trading)
            }
        }
    }

    /// The newest refund that is running or done, brought up to date. One made in the merchant console
    /// is not the caller's.
    async fn running_refund(&self, trading_order_no: TradingOrderNo) -> Result<Option<Refund>, TradeError> {
        for refund in self.ports.store.refunds_of(trading_order_no).await? {
            if refund.origin != crate::RefundOrigin::Caller {
                continue;
            }
            let current = self.query_refund(refund.refund_no).await?;
            if current.state != RefundState::Failed {
                return Ok(Some(current));
            }
        }
        Ok(None)
    }

    /// Commits the intent with its reserve, and sends it unless it must wait its turn.
    async fn make_refund(
        &self,
        trading: &Trading,
        amount: Amount,
        reason: Option<String>,
        product_refund_no: Option<ProductRefundNo>,
    ) -> Result<Refund, TradeError> {
        let handler = self.handler_of(trading)?;
        self.within_rules(trading, &*handler).await?;
        let request = RefundRequest {
            refund_no: RefundNo::new(self.ports.ids.next().await?)
                .map_err(|invalid| TradeError::invalid("refundNo", invalid.to_string()))?,
            trading_order_no: trading.trading_order_no,
            amount,
            total: trading.amount,
            reason,
        };
        let content = handler.prepare_refund(&request).map_err(unprepared)?;
        let now = self.ports.clock.now();
        let mut refund = self.refund_row(trading, &request, content, now);
        refund.product_refund_no = product_refund_no;
        let new = NewRefund {
            gap: handler.capability().refund_min_gap,
            sole: refund.product_refund_no.is_none(),
            journal: first_line(&refund, Cause::Request, ""),
            event: None,
            refund,
        };
        match self.ports.store.insert_refund(&new).await? {
            RefundInserted::Done(refund) if refund.send_at > now => self.wait_for_turn(*refund).await,
            RefundInserted::Done(refund) => self.send_refund(*refund, false).await,
            RefundInserted::NotCovered => Err(TradeError::RefundTooLarge(trading.trading_order_no)),
            RefundInserted::Exists(existing) => Ok(*existing),
        }
    }

    /// The rules of the channel that no waiting helps against. It keeps them too, so a race that slips
    /// by here is refused there and gives its reserve back.
    async fn within_rules(&self, trading: &Trading, handler: &dyn PayHandler) -> Result<(), TradeError> {
        let (trading_order_no, rules) = (trading.trading_order_no, handler.capability());
        let paid_at = trading.paid_at.unwrap_or(trading.updated_at);
        if self.ports.clock.now() > paid_at.plus(rules.refund_window) {
            let days = rules.refund_window.as_secs() / (24 * 3600);
            return Err(TradeError::RefundTooLate {
                trading_order_no,
                days,
            });
        }
        let refunds = self.ports.store.refunds_of(trading_order_no).await?;
        let standing = refunds.iter().filter(|row| row.state != RefundState::Failed);
        let most = rules.refund_max_count;
        if u32::try_from(standing.count()).unwrap_or(u32::MAX) >= most {
            return Err(TradeError::TooManyRefunds {
                trading_order_no,
                most,
            });
        }
        Ok(())
    }

    /// Leaves a refund to the job until its turn comes.
    async fn wait_for_turn(&self, refund: Refund) -> Result<Refund, TradeError> {
        let (seen, turn) = (refund.next_check_at, Some(refund.send_at));
        self.reschedule_refund(&refund, seen, turn, 0, None).await?;
        self.load_refund(refund.refund_no).await
    }

    pub(super) async fn load_refund(&self, refund_no: RefundNo) -> Result<Refund, TradeError> {
        self.ports
            .store
            .refund(refund_no)
            .await?
            .ok_or(TradeError::RefundNotFound(refund_no))
    }
}

/// A number that was used for something else is no repeat.
fn same_request(request: &CreateRefund, existing: &Refund) -> Result<(), TradeError> {
    if existing.trading_order_no == request.trading_order_no && existing.amount == request.amount {
        return Ok(());
    }
    Err(TradeError::RefundNumberUsed {
        product_refund_no: request.product_refund_no.clone(),
        refund_no: existing.refund_no,
    })
}

fn unprepared(error: crate::ChannelError) -> TradeError {
    match error.kind() {
        ErrorKind::InvalidRequest => TradeError::invalid(
            "refund",
            error.message().unwrap_or("breaks a rule of the channel"),
        ),
        _ => TradeError::Channel {
            code: MessageCode::ConfigError,
            source: error,
        },
    }
}
