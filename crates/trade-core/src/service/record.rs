//! Findings become transitions: decide purely, commit with compare-and-set, decide anew when the row moved.

use super::{TradeError, TradeService, policy::Next};
use crate::{
    Cause, Fact, JournalEntry, Outcome, Role, Step, Timestamp, Trading, TradingChange, TradingOrderNo,
    TradingState, apply,
    guard::{self, Guard},
    handler::{ChannelAnswer, Payment, PaymentStatus},
    port::{Claim, Commit},
};

/// A row that loses this often in a row is not merely contended.
pub(super) const MAX_TRIES: u32 = 16;

/// Something found out about a trading, ready to be recorded.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    fact: Fact,
    cause: Cause,
    answer: ChannelAnswer,
    payment: Option<Payment>,
    code_url: Option<String>,
    why: &'static str,
    withdraw: bool,
}

impl Finding {
    /// A decision of ours, or an answer that is nothing but its fact.
    pub(super) fn new(fact: Fact, cause: Cause) -> Self {
        Self {
            fact,
            cause,
            answer: ChannelAnswer::default(),
            payment: None,
            code_url: None,
            why: "",
            withdraw: false,
        }
    }

    /// With a reason for the journal, where no channel gave one.
    pub(super) fn because(mut self, why: &'static str) -> Self {
        self.why = why;
        self
    }

    /// The caller gives the trading up: a later payment of it is to go back.
    pub(super) fn withdrawing(mut self) -> Self {
        self.withdraw = true;
        self
    }

    /// What was learned.
    pub(super) fn fact(&self) -> Fact {
        self.fact
    }

    /// With what the channel said.
    pub(super) fn with_answer(mut self, answer: ChannelAnswer) -> Self {
        self.answer = answer;
        self
    }

    /// With the QR code the channel gave.
    pub(super) fn with_code(mut self, code_url: String) -> Self {
        self.code_url = Some(code_url);
        self
    }

    /// What a channel's status says about this trading.
    ///
    /// # Errors
    /// A payment that does not match the trading, in words: authentic is not yet valid.
    pub(super) fn of_status(
        trading: &Trading,
        status: PaymentStatus,
        answer: ChannelAnswer,
        cause: Cause,
    ) -> Result<Self, String> {
        let (fact, payment) = match status {
            PaymentStatus::Waiting => (Fact::Waiting, None),
            PaymentStatus::Absent => (Fact::Absent, None),
            PaymentStatus::Closed => (Fact::Closed, None),
            PaymentStatus::Failed => (Fact::PayFailed, None),
            PaymentStatus::Paid(payment) => {
                check_payment(trading, &payment)?;
                (Fact::Paid, Some(payment))
            }
        };
        Ok(Self {
            fact,
            cause,
            answer,
            payment,
            code_url: None,
            why: "",
            withdraw: false,
        })
    }
}

impl Finding {
    fn journal(&self, before: &Trading, after: &Trading) -> JournalEntry {
        let said = format!("{} {}", self.answer.code, self.answer.message);
        let detail = [said.trim(), self.why].into_iter().find(|text| !text.is_empty());
        JournalEntry {
            trading_order_no: after.trading_order_no,
            version: after.version,
            at: after.updated_at,
            from_state: Some(before.state),
            to_state: after.state,
            cause: self.cause,
            detail: detail.unwrap_or_default().to_owned(),
            request_id: self.answer.request_id.clone(),
        }
    }
}

/// Amount and currency must be those of the trading; what coupons covered is the channel's affair.
fn check_payment(trading: &Trading, payment: &Payment) -> Result<(), String> {
    if !guard::on(Guard::AmountCheck) {
        return Ok(());
    }
    if payment.currency != "CNY" {
        return Err(format!(
            "the channel reports a payment in {}, not CNY",
            payment.currency
        ));
    }
    if payment.total != trading.amount.fen() {
        return Err(format!(
            "the channel reports {} paid, the trading is over {}",
            payment.total, trading.amount
        ));
    }
    Ok(())
}

impl TradeService {
    pub(super) async fn load(&self, trading_order_no: TradingOrderNo) -> Result<Trading, TradeError> {
        let row = self.ports.store.trading(trading_order_no).await?;
        row.ok_or(TradeError::TradingNotFound(trading_order_no))
    }

    /// Records a finding and returns the row as it then stands, whoever wrote it.
    pub(super) async fn record(&self, trading: Trading, finding: &Finding) -> Result<Trading, TradeError> {
        let mut current = trading;
        let mut order_has_winner = false;
        for _ in 0..MAX_TRIES {
            let to_state = match apply(current.state, finding.fact) {
                Outcome::Stay if finding.withdraw && !current.withdrawn => current.state,
                Outcome::Stay => return Ok(current),
                Outcome::Refuse(_) => {
                    let (trading_order_no, state) = (current.trading_order_no, current.state);
                    return Err(TradeError::NotClosable {
                        trading_order_no,
                        state,
                    });
                }
                Outcome::Move(to_state) => to_state,
            };
            let role = role_of(&current, order_has_winner);
            let change = self.change(&current, to_state, role, finding).await?;
            match self.ports.store.commit_trading(&change).await? {
                Commit::Done => {
                    self.tell_settled(&current, &change.after, finding);
                    if change.after.role == Some(Role::Winner) {
                        self.hurry_losers(&change.after).await;
                    }
                    return Ok(change.after);
                }
                Commit::Stale => current = self.load(current.trading_order_no).await?,
                Commit::WinnerExists => order_has_winner = true,
                Commit::TransactionTaken => {
                    let why = "the channel's number of this payment belongs to another trading";
                    return self.set_stuck(current, why.into()).await;
                }
            }
        }
        Err(TradeError::Contended(current.trading_order_no))
    }

    fn tell_settled(&self, before: &Trading, after: &Trading, finding: &Finding) {
        let settled = after.state == TradingState::Settled && before.state != TradingState::Settled;
        if let (true, Some(observer)) = (settled, &self.observer) {
            let paid_at = finding.payment.as_ref().and_then(|payment| payment.paid_at);
            observer.settled(after, paid_at.map(|paid_at| after.updated_at.since(paid_at)));
        }
    }

    /// Marks a row as needing a person, without changing its state.
    pub(super) async fn set_stuck(&self, trading: Trading, why: String) -> Result<Trading, TradeError> {
        tracing::error!(
            trading_order_no = trading.trading_order_no.get(),
            why,
            "trading is stuck"
        );
        let mut current = trading;
        for _ in 0..MAX_TRIES {
            let now = self.ports.clock.now();
            let next_check_at = match self.policy.next_look(&current, current.checks, false, now) {
                Next::At(at) => Some(at),
                Next::Never | Next::GiveUp => None,
            };
            let marked = self.reschedule(&current, next_check_at, current.checks, Some(why.clone()));
            let marked = marked.await?;
            current = self.load(current.trading_order_no).await?;
            if marked {
                return Ok(current);
            }
        }
        Err(TradeError::Contended(current.trading_order_no))
    }

    /// Sets when to look next; `false` when somebody else was faster.
    pub(super) async fn reschedule(
        &self,
        trading: &Trading,
        next_check_at: Option<Timestamp>,
        checks: u32,
        stuck: Option<String>,
    ) -> Result<bool, TradeError> {
        let claim = Claim {
            version: trading.version,
            seen: trading.next_check_at,
            next_check_at,
            checks,
            stuck,
        };
        Ok(self
            .ports
            .store
            .claim_trading(trading.trading_order_no, claim)
            .await?)
    }

    async fn change(
        &self,
        before: &Trading,
        to_state: TradingState,
        role: Role,
        finding: &Finding,
    ) -> Result<TradingChange, TradeError> {
        let now = self.ports.clock.now();
        let mut after = before.clone();
        after.state = to_state;
        after.version = before.version.saturating_add(1);
        after.updated_at = now;
        after.checks = 0;
        after.stuck = None;
        after.withdrawn |= finding.withdraw;
        match finding.cause {
            Cause::Place => after.place_answer = finding.answer.clone(),
            Cause::Query | Cause::Close | Cause::Notice => after.result_answer = finding.answer.clone(),
            Cause::Request | Cause::Timer => {}
        }
        if let Some(code_url) = &finding.code_url {
            after.code_url = Some(code_url.clone());
        }
        if let Some(payment) = &finding.payment {
            settle(&mut after, payment, role, now);
        }
        after.next_check_at = self.next_after(&after, now);
        let refund = self.refund_of_surplus(&mut after, now).await?;
        // A trading that stays where it is says nothing new to others.
        let event = match to_state == before.state {
            true => None,
            false => self.trading_event(&after, now).await?,
        };
        let journal = finding.journal(before, &after);
        Ok(TradingChange {
            from_version: before.version,
            after,
            journal,
            event,
            refund,
        })
    }

    /// While somebody is about to call the channel, the row is theirs for the time of a claim.
    fn next_after(&self, after: &Trading, now: Timestamp) -> Option<Timestamp> {
        match after.state {
            TradingState::Paying(Step::Intended | Step::Unknown | Step::Closing) => {
                Some(now.plus(self.policy.claim))
            }
            TradingState::Paying(Step::Placed)
            | TradingState::Failed
            | TradingState::Settled
            | TradingState::Cancelled
            | TradingState::Free
            | TradingState::OnAccount => match self.policy.next_look(after, 0, false, now) {
                Next::At(at) => Some(at),
                Next::Never | Next::GiveUp => None,
            },
        }
    }
}

fn settle(after: &mut Trading, payment: &Payment, role: Role, now: Timestamp) {
    after.transaction_id = Some(payment.transaction_id.clone());
    after.payer_id.clone_from(&payment.payer_id);
    after.payer_total = payment.payer_total;
    after.paid_at = payment.paid_at.or(Some(now));
    after.role = Some(role);
}

/// Whether a payment of this trading settles its order. One that the caller closed does not: the order
/// may be cancelled, or be paid in another way.
fn role_of(trading: &Trading, order_has_winner: bool) -> Role {
    let given_back = trading.withdrawn && trading.state == TradingState::Cancelled;
    if order_has_winner || given_back {
        Role::Surplus
    } else {
        Role::Winner
    }
}
