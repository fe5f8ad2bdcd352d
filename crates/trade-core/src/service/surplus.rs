//! A second payment of one order goes back by itself; whatever else of the order is live is closed.

use std::time::Duration;

use super::{TradeError, TradeService, look::one_line};
use crate::{
    Cause, NewRefund, Refund, RefundEntry, RefundNo, RefundOrigin, Role, Timestamp, Trading, TradingState,
    guard::{self, Guard},
    handler::{ChannelAnswer, RefundRequest},
    port::RefundInserted,
};

/// What the payer reads.
const REASON: &str = "订单已支付，本次重复付款原路退回";
/// What an operator reads of one that is refunded as a whole or not at all.
const PARTLY_BACK: &str = "a second payment of its order, of which a part was given back in the merchant console: give \
                           the rest back there, too";

impl TradeService {
    /// The refund of a trading that has just become a surplus, to be committed with it. Its number has
    /// the digits of the trading's own, so that there is never a second one, whoever comes to make it.
    pub(super) async fn refund_of_surplus(
        &self,
        after: &mut Trading,
        now: Timestamp,
    ) -> Result<Option<NewRefund>, TradeError> {
        let surplus = after.state == TradingState::Settled && after.role == Some(Role::Surplus);
        if !surplus || !guard::on(Guard::SurplusRefund) {
            return Ok(None);
        }
        match self.surplus_refund(after, now).await {
            Ok(refund) => Ok(Some(refund)),
            Err(error @ (TradeError::Channel { .. } | TradeError::NoConfiguration { .. })) => {
                let why = one_line(&error);
                tracing::error!(
                    trading_order_no = after.trading_order_no.get(),
                    why,
                    "a surplus cannot be refunded"
                );
                after.stuck = Some(format!(
                    "a second payment of its order that cannot be refunded yet: {why}; correct that and retry it"
                ));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes up for a refund that could not be prepared when the surplus was found.
    pub(super) async fn ensure_surplus_refund(&self, trading: Trading) -> Result<Trading, TradeError> {
        if trading.role == Some(Role::Surplus) {
            let refund = self.surplus_refund(&trading, self.ports.clock.now()).await?;
            let inserted = self.ports.store.insert_refund(&refund).await?;
            if inserted == RefundInserted::NotCovered {
                let current = self.load(trading.trading_order_no).await?;
                if current.refund_reserved < current.amount.fen() {
                    return self.set_stuck(current, PARTLY_BACK.into()).await;
                }
            }
            self.reschedule(&trading, None, 0, None).await?;
        }
        self.load(trading.trading_order_no).await
    }

    async fn surplus_refund(&self, trading: &Trading, now: Timestamp) -> Result<NewRefund, TradeError> {
        let handler = self.handler_of(trading)?;
        let refund_no = RefundNo::new(trading.trading_order_no.get())
            .map_err(|invalid| TradeError::invalid("refundNo", invalid.to_string()))?;
        let request = RefundRequest {
            refund_no,
            trading_order_no: trading.trading_order_no,
            amount: trading.amount,
            total: trading.amount,
            reason: Some(REASON.to_owned()),
        };
        let content = handler
            .prepare_refund(&request)
            .map_err(TradeError::channel(super::MessageCode::NativeRefundFail))?;
        let mut refund = self.refund_row(trading, &request, content, now);
        refund.origin = RefundOrigin::Surplus;
        // Nobody waits for it: the job sends it at once.
        refund.next_check_at = Some(now);
        let event = Some(self.refund_event(&refund, now).await?);
        Ok(NewRefund {
            journal: first_line(&refund, Cause::Timer, "the order was paid twice"),
            gap: handler.capability().refund_min_gap,
            sole: false,
            event,
            refund,
        })
    }

    /// Has the other live tradings of a paid order looked at at once: they are to be closed. Best
    /// effort, since their own looks find the winner too.
    pub(super) async fn hurry_losers(&self, winner: &Trading) {
        let Ok(tradings) = self.ports.store.tradings_of(&winner.order()).await else {
            return;
        };
        let now = self.ports.clock.now();
        let others = tradings
            .into_iter()
            .filter(|other| other.trading_order_no != winner.trading_order_no);
        for other in others.filter(|other| other.state.is_live()) {
            if let Err(error) = self.reschedule(&other, Some(now), other.checks, None).await {
                tracing::warn!(
                    error = one_line(&error),
                    "a live trading of a paid order waits for its look"
                );
            }
        }
    }

    /// The trading that settles the order of `trading`, if another does.
    pub(super) async fn winner_beside(&self, trading: &Trading) -> Result<Option<Trading>, TradeError> {
        let tradings = self.ports.store.tradings_of(&trading.order()).await?;
        Ok(tradings.into_iter().find(|other| {
            other.role == Some(Role::Winner) && other.trading_order_no != trading.trading_order_no
        }))
    }

    /// A new refund's row: reserved, not sent.
    pub(super) fn refund_row(
        &self,
        trading: &Trading,
        request: &RefundRequest,
        content: crate::handler::RequestContent,
        now: Timestamp,
    ) -> Refund {
        Refund {
            refund_no: request.refund_no,
            origin: RefundOrigin::Caller,
            product_refund_no: None,
            out_refund_no: request.refund_no.to_string(),
            trading_order_no: trading.trading_order_no,
            product_app_id: trading.product_app_id.clone(),
            product_order_no: trading.product_order_no,
            enterprise_id: trading.enterprise_id,
            channel: trading.channel,
            amount: request.amount,
            total: trading.amount,
            memo: request.reason.clone().unwrap_or_default(),
            state: crate::RefundState::Applied,
            version: 1,
            content,
            refund_id: None,
            answer: ChannelAnswer::default(),
            send_at: now,
            created_at: now,
            updated_at: now,
            next_check_at: Some(now.plus(self.policy.claim)),
            checks: 0,
            stuck: None,
        }
    }
}

/// The first line of a refund's history.
pub(super) fn first_line(refund: &Refund, cause: Cause, why: &str) -> RefundEntry {
    RefundEntry {
        refund_no: refund.refund_no,
        version: refund.version,
        at: refund.created_at,
        from_state: None,
        to_state: refund.state,
        cause,
        detail: format!("{} {why}", refund.amount).trim_end().to_owned(),
        request_id: None,
    }
}

/// No gap to keep: for refunds that the channel has made already.
pub(super) const NO_GAP: Duration = Duration::ZERO;
