//! Taking in notices: verify, compare, commit, and only then acknowledge.

use super::{TradeError, TradeService, look::one_line, record::Finding, refund_record::RefundFinding};
use crate::{
    Cause, Channel, EnterpriseId, Trading, TradingState,
    guard::{self, Guard},
    handler::{
        Acknowledgement, NoticeError, NoticeFact, PayHandler, PaymentNotice, PaymentStatus, RawNotice,
        RefundNotice, Verdict, VerifiedNotice,
    },
    port::NoticeRecord,
};

/// What became of a notice, for the record and for metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeOutcome {
    /// Durably taken, now or before.
    Taken,
    /// Not believed, or not about anything of ours.
    Refused(NotTaken),
    /// Not taken through no fault of the notice; the channel sends it again.
    Later(NotTaken),
}

/// Why a notice was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTaken {
    /// One of a few dozen words, for metrics: never anything out of the notice.
    pub reason: &'static str,
    /// What happened, for people.
    pub why: String,
}

impl NoticeOutcome {
    pub(super) fn refused(reason: &'static str, why: impl Into<String>) -> Self {
        let why = why.into();
        Self::Refused(NotTaken { reason, why })
    }

    pub(super) fn later(reason: &'static str, why: impl Into<String>) -> Self {
        let why = why.into();
        Self::Later(NotTaken { reason, why })
    }

    /// Something of ours or at the channel failed while it was taken in.
    fn failed(error: &TradeError) -> Self {
        let reason = match error {
            TradeError::Channel { .. } => "channel_failed",
            TradeError::Store(_) => "store_failed",
            _ => "failed",
        };
        Self::later(reason, one_line(error))
    }
}

/// The answer to a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeAnswer {
    /// What became of it.
    pub outcome: NoticeOutcome,
    /// What the channel is told.
    pub acknowledgement: Acknowledgement,
}

impl TradeService {
    /// Takes in one notice that came for a merchant at a channel.
    ///
    /// # Errors
    /// Only when there is nobody to verify it: the merchant has no such channel.
    pub async fn notice(
        &self,
        enterprise: EnterpriseId,
        channel: Channel,
        notice: &RawNotice,
    ) -> Result<NoticeAnswer, TradeError> {
        let handler = self.handler(enterprise, channel)?;
        let outcome = match handler.verify_notice(notice).await {
            Ok(verified) => self.take(&*handler, verified).await,
            Err(error) => refusal(&error),
        };
        let verdict = match &outcome {
            NoticeOutcome::Taken => Verdict::Taken,
            NoticeOutcome::Refused(not) => Verdict::Refused(&not.why),
            NoticeOutcome::Later(not) => Verdict::Later(&not.why),
        };
        let acknowledgement = handler.acknowledge(verdict);
        Ok(NoticeAnswer {
            outcome,
            acknowledgement,
        })
    }

    async fn take(&self, handler: &dyn PayHandler, notice: VerifiedNotice) -> NoticeOutcome {
        if notice.channel != handler.channel() || notice.enterprise_id != handler.enterprise() {
            return NoticeOutcome::refused("wrong_merchant", "it is for another merchant or channel");
        }
        let outcome = match self.act_on(&notice).await {
            Ok(outcome) => outcome,
            Err(error) if guard::on(Guard::AcknowledgeAfterCommit) => NoticeOutcome::failed(&error),
            Err(_) => NoticeOutcome::Taken,
        };
        if !guard::on(Guard::Inbox) {
            return outcome;
        }
        match self
            .ports
            .store
            .record_notice(&self.for_the_record(&notice, &outcome))
            .await
        {
            Ok(_) => outcome,
            Err(error) => NoticeOutcome::failed(&error.into()),
        }
    }

    fn for_the_record(&self, notice: &VerifiedNotice, outcome: &NoticeOutcome) -> NoticeRecord {
        let verdict = match outcome {
            NoticeOutcome::Taken => "taken".to_owned(),
            NoticeOutcome::Refused(not) => format!("refused: {}", not.why),
            NoticeOutcome::Later(not) => format!("later: {}", not.why),
        };
        let trading_order_no = match &notice.fact {
            NoticeFact::Payment(payment) => payment.trading_order_no(),
            NoticeFact::Refund(refund) => refund.trading_order_no(),
            NoticeFact::Other(_) => None,
        };
        NoticeRecord {
            channel: notice.channel,
            enterprise_id: notice.enterprise_id,
            notice_id: notice.notice_id.clone(),
            trading_order_no,
            verdict,
            at: self.ports.clock.now(),
        }
    }

    async fn act_on(&self, notice: &VerifiedNotice) -> Result<NoticeOutcome, TradeError> {
        match &notice.fact {
            NoticeFact::Payment(payment) => self.act_on_payment(notice, payment).await,
            NoticeFact::Refund(refund) => self.act_on_refund(notice, refund).await,
            NoticeFact::Other(kind) => {
                tracing::info!(kind, "a notice this service does not act on");
                Ok(NoticeOutcome::Taken)
            }
        }
    }

    async fn act_on_payment(
        &self,
        notice: &VerifiedNotice,
        payment: &PaymentNotice,
    ) -> Result<NoticeOutcome, TradeError> {
        let trading = match self.notified_trading(notice, payment.trading_order_no()).await? {
            Ok(trading) => trading,
            Err(outcome) => return Ok(outcome),
        };
        self.record_notified(trading, notice, payment.status.clone())
            .await
    }

    /// The trading a notice is about: it must be ours, of this merchant, at this channel.
    async fn notified_trading(
        &self,
        notice: &VerifiedNotice,
        number: Option<crate::TradingOrderNo>,
    ) -> Result<Result<Trading, NoticeOutcome>, TradeError> {
        let Some(number) = number else {
            return Ok(Err(NoticeOutcome::refused(
                "not_our_number",
                "its number is not one of this service",
            )));
        };
        let Some(trading) = self.ports.store.trading(number).await? else {
            // It may belong to a sister installation, or to a row lost with a restored backup: keep the
            // channel sending, and let a person see it.
            tracing::error!(
                trading_order_no = number.get(),
                "a genuine notice for an unknown trading"
            );
            return Ok(Err(NoticeOutcome::later(
                "unknown_trading",
                "there is no such trading",
            )));
        };
        let foreign = trading.channel != notice.channel || trading.enterprise_id != notice.enterprise_id;
        if foreign && guard::on(Guard::MerchantCheck) {
            tracing::error!(
                trading_order_no = number.get(),
                "a genuine notice of another merchant or channel"
            );
            return Ok(Err(NoticeOutcome::refused(
                "wrong_merchant",
                "the trading is of another merchant or channel",
            )));
        }
        Ok(Ok(trading))
    }

    async fn record_notified(
        &self,
        trading: Trading,
        notice: &VerifiedNotice,
        status: PaymentStatus,
    ) -> Result<NoticeOutcome, TradeError> {
        match Finding::of_status(&trading, status, notice.answer.clone(), Cause::Notice) {
            Ok(finding) => {
                self.record(trading, &finding).await?;
                Ok(NoticeOutcome::Taken)
            }
            Err(mismatch) => {
                self.set_stuck(trading, mismatch.clone()).await?;
                Ok(NoticeOutcome::refused("mismatch", mismatch))
            }
        }
    }

    async fn act_on_refund(
        &self,
        notice: &VerifiedNotice,
        refund: &RefundNotice,
    ) -> Result<NoticeOutcome, TradeError> {
        let trading = match self.notified_trading(notice, refund.trading_order_no()).await? {
            Ok(trading) => trading,
            Err(outcome) => return Ok(outcome),
        };
        let number = trading.trading_order_no;
        // A refund proves a payment: when its own notice was lost, this one settles first, or a query does.
        if trading.state != TradingState::Settled {
            match &refund.payment {
                Some(payment) => {
                    let status = PaymentStatus::Paid(payment.clone());
                    let outcome = self.record_notified(trading, notice, status).await?;
                    if outcome != NoticeOutcome::Taken {
                        return Ok(outcome);
                    }
                }
                None => drop(self.repaired(number).await?),
            }
        }
        let trading = self.load(number).await?;
        if trading.state != TradingState::Settled {
            return Ok(NoticeOutcome::later(
                "not_known_paid",
                "a refund of a trading that is not known to be paid",
            ));
        }
        // A refund without a number of its own has that of its trading (Alipay).
        let number = refund.out_refund_no.as_ref().unwrap_or(&refund.out_trade_no);
        let refunds = self.ports.store.refunds_of(trading.trading_order_no).await?;
        let outcome = match refunds.into_iter().find(|row| row.out_refund_no == *number) {
            Some(row) => match RefundFinding::of_notice(&row, refund, notice.answer.clone()) {
                Ok(finding) => {
                    self.record_refund(row, &finding).await?;
                    NoticeOutcome::Taken
                }
                Err(mismatch) => NoticeOutcome::refused("mismatch", mismatch),
            },
            None => self.import_refund(&trading, refund).await?,
        };
        match outcome {
            NoticeOutcome::Taken => self.compare_refunded(trading, refund.cumulative).await,
            NoticeOutcome::Refused(_) | NoticeOutcome::Later(_) => Ok(outcome),
        }
    }
}

fn refusal(error: &NoticeError) -> NoticeOutcome {
    let why = one_line(error);
    if error.is_transient() {
        NoticeOutcome::later(error.label(), why)
    } else {
        NoticeOutcome::refused(error.label(), why)
    }
}
