//! Looking at a trading: ask the channel what it needs to know, and do what is due.

use tracing::Instrument;

use super::{MessageCode, TradeError, TradeService, call::About, policy::Next, record::Finding};
use crate::{
    Cause, Certainty, ChannelError, Fact, Refund, Step, Trading, TradingState,
    guard::{self, Guard},
    handler::{ChannelAnswer, CloseOutcome},
    job::Report,
};

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

/// Why a trading is closed, and what of it may be left open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closing {
    cause: Cause,
    why: &'static str,
    /// The caller gives it up for good.
    withdraw: bool,
    /// When the channel does not say whether it closed it but says that nobody has paid, the order is free
    /// for another trading; this one is watched, and closed again, until its code is dead.
    supersede: bool,
}

impl Closing {
    pub(super) const WITHDRAWN: Self = Self {
        cause: Cause::Request,
        why: "closed by its caller",
        withdraw: true,
        supersede: false,
    };
    pub(super) const SUPERSEDED: Self = Self {
        cause: Cause::Request,
        why: "another trading takes its place",
        withdraw: false,
        supersede: true,
    };
    const EXPIRED: Self = Self {
        cause: Cause::Timer,
        why: "not paid in time",
        withdraw: false,
        supersede: false,
    };
    const LOST: Self = Self {
        cause: Cause::Timer,
        why: "its order is paid by another trading",
        withdraw: false,
        supersede: true,
    };

    fn wanted(self) -> Finding {
        let finding = Finding::new(Fact::CloseWanted, self.cause).because(self.why);
        if self.withdraw {
            finding.withdrawing()
        } else {
            finding
        }
    }
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
        let now = self.ports.clock.now();
        let (next_check_at, stuck) = match self.policy.next_look(&row, checks, result.is_err(), now) {
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
        match trading.state {
            TradingState::Paying(step) => self.advance_live(trading, step).await,
            TradingState::Cancelled => self.watch(trading).await,
            TradingState::Settled => self.ensure_surplus_refund(trading).await,
            TradingState::Failed | TradingState::Free | TradingState::OnAccount => Ok(trading),
        }
    }

    async fn advance_live(&self, trading: Trading, step: Step) -> Result<Trading, TradeError> {
        if guard::on(Guard::CloseLosers) && self.winner_beside(&trading).await?.is_some() {
            return self.close_live(trading, Closing::LOST).await;
        }
        let expired = trading.expires_at <= self.ports.clock.now();
        match step {
            Step::Closing => self.close_live(trading, Closing::EXPIRED).await,
            Step::Intended | Step::Unknown | Step::Placed if expired => {
                self.close_live(trading, Closing::EXPIRED).await
            }
            Step::Intended | Step::Unknown => self.complete(trading).await,
            Step::Placed => self.observe(trading).await,
        }
    }

    /// Asks about a closed trading, whose code may still be alive, and closes again what turns out to be
    /// open: a code that nobody had scanned could not be closed before.
    async fn watch(&self, trading: Trading) -> Result<Trading, TradeError> {
        let (observed, fact) = self.observe_fact(trading).await?;
        let open = observed.state == TradingState::Cancelled && fact == Some(Fact::Waiting);
        if open {
            let handler = self.handler_of(&observed)?;
            let number = observed.trading_order_no;
            let closed = self.noted(About::trading(number), "close", handler.close(number));
            let closed = closed
                .await
                .map_err(TradeError::channel(MessageCode::CloseFail))?;
            if closed.outcome == CloseOutcome::AlreadyPaid {
                return self.observe(observed).await;
            }
        }
        Ok(observed)
    }

    /// Asks the channel and records what it says.
    pub(super) async fn observe(&self, trading: Trading) -> Result<Trading, TradeError> {
        let (observed, _) = self.observe_fact(trading).await?;
        Ok(observed)
    }

    /// The same, with what the channel said, unless it does not match the trading.
    async fn observe_fact(&self, trading: Trading) -> Result<(Trading, Option<Fact>), TradeError> {
        let handler = self.handler_of(&trading)?;
        let number = trading.trading_order_no;
        let observed = self
            .noted(About::trading(number), "query", handler.query(number))
            .await;
        let observed = observed.map_err(TradeError::channel(MessageCode::NativeQueryFail))?;
        match Finding::of_status(&trading, observed.status, observed.answer, Cause::Query) {
            Ok(finding) => Ok((self.record(trading, &finding).await?, Some(finding.fact()))),
            Err(mismatch) => Ok((self.set_stuck(trading, mismatch).await?, None)),
        }
    }

    /// Finishes a placing that was cut off. It may have taken effect, so the channel is asked first,
    /// and then gets the same request, byte for byte.
    pub(super) async fn complete(&self, trading: Trading) -> Result<Trading, TradeError> {
        let cut_off = Finding::new(Fact::Asked, Cause::Timer).because("the placing was cut off");
        let asked = self.record(trading, &cut_off).await?;
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

    /// Closes a live trading: asks first, since paid wins, then closes, and believes only the channel.
    pub(super) async fn close_live(&self, trading: Trading, closing: Closing) -> Result<Trading, TradeError> {
        let wanted = self.record(trading, &closing.wanted()).await?;
        let observed = self.observed_before_giving_up(wanted).await?;
        if !observed.state.is_live() {
            return Ok(observed);
        }
        let handler = self.handler_of(&observed)?;
        let number = observed.trading_order_no;
        let closed = self
            .noted(About::trading(number), "close", handler.close(number))
            .await;
        let closed = match closed {
            Ok(closed) => closed,
            Err(error) if closing.supersede && error.certainty() != Certainty::Rejected => {
                return self.supersede(observed, closing, &error).await;
            }
            Err(source) => return Err(TradeError::channel(MessageCode::CloseFail)(source)),
        };
        let fact = match closed.outcome {
            CloseOutcome::Closed => Fact::Closed,
            CloseOutcome::NothingToClose => Fact::GivenUp,
            CloseOutcome::AlreadyPaid => return self.observe(observed).await,
        };
        let finding = Finding::new(fact, Cause::Close).with_answer(closed.answer);
        self.record(observed, &finding).await
    }

    async fn observed_before_giving_up(&self, trading: Trading) -> Result<Trading, TradeError> {
        if guard::on(Guard::QueryAroundClose) {
            self.observe(trading).await
        } else {
            Ok(trading)
        }
    }

    /// The channel did not say whether it closed the trading. When it says now that nobody has paid, the
    /// order is free: should the old code be paid all the same, that payment is noticed and goes back.
    async fn supersede(
        &self,
        trading: Trading,
        closing: Closing,
        error: &ChannelError,
    ) -> Result<Trading, TradeError> {
        let trading_order_no = trading.trading_order_no.get();
        tracing::warn!(trading_order_no, %error, "whether it was closed is unknown: asking");
        let observed = self.observed_before_giving_up(trading).await?;
        if !observed.state.is_live() {
            return Ok(observed);
        }
        let given_up = Finding::new(Fact::GivenUp, closing.cause).with_answer(ChannelAnswer::from(error));
        self.record(observed, &given_up).await
    }
}

/// One look as part of a tick: its failure is logged and counted, and never stops the tick.
pub(crate) async fn look_at(service: &TradeService, trading: Trading, report: &mut Report) {
    let trading_order_no = trading.trading_order_no.get();
    let span = tracing::error_span!("look", trading_order_no);
    let looked = service.look(trading).instrument(span).await;
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
    let span = tracing::error_span!("look", refund_no);
    let looked = service.look_at_refund(refund).instrument(span).await;
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
