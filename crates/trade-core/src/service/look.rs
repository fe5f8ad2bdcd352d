//! Looking at a trading: ask the channel what it needs to know, and do what is due.

use std::{sync::Arc, time::Duration};

use super::{MessageCode, TradeError, TradeService, policy::Next, record::Finding};
use crate::{
    Cause, Certainty, ChannelError, ErrorKind, Fact, Refund, Step, Trading, TradingState,
    handler::{ChannelAnswer, CloseOutcome, PayHandler},
    job::Report,
};

/// After an unknown outcome the channel is asked again this soon.
const SETTLE_DOWN: Duration = Duration::from_secs(2);

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Somebody else is at it.
    Taken,
    /// The trading moved.
    Changed,
    /// It stays; the next look is set.
    Same,
}

impl TradeService {
    /// Claims a due trading, does what is due, and sets the next look.
    pub(crate) async fn look(&self, trading: Trading) -> Result<Look, TradeError> {
        let (before, checks) = (trading.version, trading.checks.saturating_add(1));
        let trading = match self.claim(trading).await? {
            Some(claimed) => claimed,
            None => return Ok(Look::Taken),
        };
        let trading_order_no = trading.trading_order_no;
        let result = self.advance(trading).await;
        let row = self.load(trading_order_no).await?;
        let (next_check_at, stuck) = match self.policy.next_look(&row, checks, self.ports.clock.now()) {
            Next::At(at) => (Some(at), row.stuck.clone()),
            Next::Never => (None, row.stuck.clone()),
            Next::GiveUp => (None, Some(gave_up(&result))),
        };
        if stuck != row.stuck {
            tracing::error!(
                trading_order_no = trading_order_no.get(),
                stuck,
                "trading is stuck"
            );
        }
        self.reschedule(&row, next_check_at, checks, stuck).await?;
        let after = result?;
        Ok(if after.version == before {
            Look::Same
        } else {
            Look::Changed
        })
    }

    /// Takes the row for the time of a claim, or `None` when somebody else was faster.
    pub(super) async fn claim(&self, mut trading: Trading) -> Result<Option<Trading>, TradeError> {
        let until = Some(self.ports.clock.now().plus(self.policy.claim));
        let stuck = trading.stuck.clone();
        if !self.reschedule(&trading, until, trading.checks, stuck).await? {
            return Ok(None);
        }
        trading.next_check_at = until;
        Ok(Some(trading))
    }

    async fn advance(&self, trading: Trading) -> Result<Trading, TradeError> {
        let expired = trading.expires_at <= self.ports.clock.now();
        match trading.state {
            TradingState::Paying(Step::Closing) => self.close_live(trading, Cause::Timer).await,
            TradingState::Paying(Step::Intended | Step::Unknown | Step::Placed) if expired => {
                self.close_live(trading, Cause::Timer).await
            }
            TradingState::Paying(Step::Intended | Step::Unknown) => self.complete(trading).await,
            TradingState::Paying(Step::Placed) | TradingState::Cancelled => self.observe(trading).await,
            TradingState::Failed | TradingState::Settled | TradingState::Free | TradingState::OnAccount => {
                Ok(trading)
            }
        }
    }

    /// Asks the channel and records what it says.
    pub(super) async fn observe(&self, trading: Trading) -> Result<Trading, TradeError> {
        let handler = self.handler_of(&trading)?;
        let observed = handler.query(trading.trading_order_no).await;
        let observed = observed.map_err(TradeError::channel(MessageCode::NativeQueryFail))?;
        match Finding::of_status(&trading, observed.status, observed.answer, Cause::Query) {
            Ok(finding) => self.record(trading, &finding).await,
            Err(mismatch) => self.set_stuck(trading, mismatch).await,
        }
    }

    /// Finishes a placing that was cut off. It may have taken effect, so the channel is asked first,
    /// and then gets the same request, byte for byte.
    pub(super) async fn complete(&self, trading: Trading) -> Result<Trading, TradeError> {
        let asked = self
            .record(trading, &Finding::new(Fact::Asked, Cause::Timer))
            .await?;
        let observed = self.observe(asked).await?;
        match observed.state {
            TradingState::Paying(Step::Unknown) => {
                let handler = self.handler_of(&observed)?;
                self.place(observed, &handler).await
            }
            TradingState::Paying(Step::Intended | Step::Placed | Step::Closing)
            | TradingState::Failed
            | TradingState::Settled
            | TradingState::Cancelled
            | TradingState::Free
            | TradingState::OnAccount => Ok(observed),
        }
    }

    /// Sends the stored request and records the answer.
    pub(super) async fn place(
        &self,
        trading: Trading,
        handler: &Arc<dyn PayHandler>,
    ) -> Result<Trading, TradeError> {
        match handler.place(&trading.content).await {
            Ok(placed) => {
                let finding = Finding::new(Fact::Accepted, Cause::Place);
                let finding = finding.with_answer(placed.answer).with_code(placed.code_url);
                self.record(trading, &finding).await
            }
            Err(error) => self.place_failed(trading, error).await,
        }
    }

    async fn place_failed(&self, trading: Trading, error: ChannelError) -> Result<Trading, TradeError> {
        match (error.certainty(), error.kind()) {
            (
                Certainty::Rejected,
                ErrorKind::AlreadyPaid | ErrorKind::AlreadyClosed | ErrorKind::NumberReused,
            ) => {
                // The number is known there: what became of it is the channel's to say.
                let asked = self
                    .record(trading, &Finding::new(Fact::Asked, Cause::Place))
                    .await?;
                let observed = self.observe(asked).await?;
                if !observed.state.is_live() {
                    return Ok(observed);
                }
            }
            (Certainty::Rejected, _) => {
                let refused =
                    Finding::new(Fact::Refused, Cause::Place).with_answer(ChannelAnswer::from(&error));
                self.record(trading, &refused).await?;
            }
            (Certainty::NotSent, _) => {
                let stuck = trading.stuck.clone();
                let now = self.ports.clock.now();
                self.reschedule(&trading, Some(now), trading.checks, stuck)
                    .await?;
            }
            (Certainty::Unknown, _) => {
                let unknown =
                    Finding::new(Fact::Asked, Cause::Place).with_answer(ChannelAnswer::from(&error));
                let row = self.record(trading, &unknown).await?;
                let soon = self.ports.clock.now().plus(SETTLE_DOWN);
                self.reschedule(&row, Some(soon), row.checks, row.stuck.clone())
                    .await?;
            }
        }
        Err(TradeError::Channel {
            code: MessageCode::NativePayFail,
            source: error,
        })
    }

    /// Closes a live trading: asks first, since paid wins, then closes, and believes only the channel.
    pub(super) async fn close_live(&self, trading: Trading, cause: Cause) -> Result<Trading, TradeError> {
        let closing = self
            .record(trading, &Finding::new(Fact::CloseWanted, cause))
            .await?;
        let observed = self.observe(closing).await?;
        if !observed.state.is_live() {
            return Ok(observed);
        }
        let handler = self.handler_of(&observed)?;
        let closed = handler.close(observed.trading_order_no).await;
        let closed = closed.map_err(TradeError::channel(MessageCode::CloseFail))?;
        match closed.outcome {
            CloseOutcome::Closed => {
                let finding = Finding::new(Fact::Closed, Cause::Close).with_answer(closed.answer);
                self.record(observed, &finding).await
            }
            CloseOutcome::NothingToClose => {
                let finding = Finding::new(Fact::GivenUp, Cause::Close).with_answer(closed.answer);
                self.record(observed, &finding).await
            }
            CloseOutcome::AlreadyPaid => self.observe(observed).await,
        }
    }
}

/// One look as part of a tick: its failure is logged and counted, and never stops the tick.
pub(crate) async fn look_at(service: &TradeService, trading: Trading, report: &mut Report) {
    let trading_order_no = trading.trading_order_no.get();
    let looked = service.look(trading).await;
    if let Err(error) = &looked {
        tracing::warn!(
            trading_order_no,
            error = one_line(error),
            "look at trading failed"
        );
    }
    count(&looked, report);
}

/// The same for a refund.
pub(crate) async fn look_at_refund(service: &TradeService, refund: Refund, report: &mut Report) {
    let refund_no = refund.refund_no.get();
    let looked = service.look_at_refund(refund).await;
    if let Err(error) = &looked {
        tracing::warn!(refund_no, error = one_line(error), "look at refund failed");
    }
    count(&looked, report);
}

fn count(looked: &Result<Look, TradeError>, report: &mut Report) {
    report.due += 1;
    match looked {
        Ok(Look::Taken) => report.taken += 1,
        Ok(Look::Changed) => report.changed += 1,
        Ok(Look::Same) => {}
        Err(_) => report.failed += 1,
    }
}

fn gave_up(result: &Result<Trading, TradeError>) -> String {
    match result {
        Ok(trading) => format!("still {} long after its expiry", trading.state),
        Err(error) => format!(
            "no final answer from the channel long after its expiry: {}",
            one_line(error)
        ),
    }
}

/// An error with its causes in one line.
pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}
