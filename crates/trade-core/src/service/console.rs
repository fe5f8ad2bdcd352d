//! Refunds made in the merchant console: learned from their notices, and counted.

use super::{
    MessageCode, TradeError, TradeService,
    call::About,
    notice::NoticeOutcome,
    surplus::{NO_GAP, first_line},
};
use crate::{
    Amount, Cause, Fen, NewRefund, Refund, RefundNo, RefundOrigin, RefundState, RefundStep, Trading,
    guard::{self, Guard},
    handler::{RefundNotice, RefundQuery, RefundReply, RefundRequest, RefundStatus, RequestContent},
    port::RefundInserted,
};

/// How the reason of a trading begins whose console refunds are not all on record; it ends with their coming.
const SUSPICION: &str = "refunds made in the merchant console";

impl TradeService {
    /// Takes in a refund that was not asked for here, so that no refund of ours gives back the same
    /// money again. What the channel says of it when asked decides, not the notice alone: a notice does
    /// not always tell the amount of this one refund.
    pub(super) async fn import_refund(
        &self,
        trading: &Trading,
        notice: &RefundNotice,
    ) -> Result<NoticeOutcome, TradeError> {
        if !guard::on(Guard::ConsoleRefund) {
            return Ok(NoticeOutcome::Taken);
        }
        // A refund without a number of its own has that of its trading (Alipay).
        let number = notice.out_refund_no.as_ref().unwrap_or(&notice.out_trade_no);
        let reply = self.ask_about_foreign(trading, number).await?;
        let state = match reply.status {
            RefundStatus::Success => RefundState::Success,
            RefundStatus::Processing => RefundState::Sending(RefundStep::Accepted),
            RefundStatus::Abnormal => RefundState::Sending(RefundStep::Abnormal),
            RefundStatus::Closed => return Ok(NoticeOutcome::Taken),
            RefundStatus::Absent => {
                return Ok(NoticeOutcome::later(
                    "unknown_refund",
                    "the channel does not know that refund yet",
                ));
            }
        };
        let Some(amount) = reply
            .amount
            .or(notice.amount)
            .and_then(|fen| Amount::new(fen.get()).ok())
        else {
            let why = format!("{SUSPICION}: {number} is of an unknown amount");
            self.set_stuck(trading.clone(), why.clone()).await?;
            return Ok(NoticeOutcome::later("unknown_amount", why));
        };
        let refund = self.console_row(trading, number, amount, state, reply).await?;
        self.keep_console_refund(trading, refund).await
    }

    async fn ask_about_foreign(&self, trading: &Trading, number: &str) -> Result<RefundReply, TradeError> {
        let handler = self.handler_of(trading)?;
        let query = RefundQuery {
            out_refund_no: number.to_owned(),
            trading_order_no: trading.trading_order_no,
        };
        let about = About::trading(trading.trading_order_no);
        let reply = self
            .noted(about, "query_refund", handler.query_refund(&query))
            .await;
        reply.map_err(TradeError::channel(MessageCode::NativeQueryRefundFail))
    }

    async fn console_row(
        &self,
        trading: &Trading,
        number: &str,
        amount: Amount,
        state: RefundState,
        reply: RefundReply,
    ) -> Result<Refund, TradeError> {
        let now = self.ports.clock.now();
        let request = RefundRequest {
            refund_no: RefundNo::new(self.ports.ids.next().await?)
                .map_err(|invalid| TradeError::invalid("refundNo", invalid.to_string()))?,
            trading_order_no: trading.trading_order_no,
            amount,
            total: trading.amount,
            reason: None,
        };
        let mut refund = self.refund_row(trading, &request, RequestContent::new(""), now);
        refund.origin = RefundOrigin::Console;
        number.clone_into(&mut refund.out_refund_no);
        refund.state = state;
        refund.refund_id = reply.refund_id;
        refund.answer = reply.answer;
        if state.is_final() {
            refund.next_check_at = None;
        }
        Ok(refund)
    }

    async fn keep_console_refund(
        &self,
        trading: &Trading,
        refund: Refund,
    ) -> Result<NoticeOutcome, TradeError> {
        let (number, amount) = (refund.out_refund_no.clone(), refund.amount);
        let event = Some(self.refund_event(&refund, refund.created_at).await?);
        let new = NewRefund {
            gap: NO_GAP,
            sole: false,
            journal: first_line(&refund, Cause::Notice, "made in the merchant console"),
            event,
            refund,
        };
        match self.ports.store.insert_refund(&new).await? {
            RefundInserted::Done(_) => Ok(NoticeOutcome::Taken),
            RefundInserted::Exists(row) if row.out_refund_no == number => Ok(NoticeOutcome::Taken),
            RefundInserted::Exists(row) => Ok(NoticeOutcome::later(
                "number_taken",
                format!("its row would have had the number of refund {}", row.refund_no),
            )),
            // A refund of ours holds the reserve: the channel will refuse it, and then this one fits.
            RefundInserted::NotCovered => {
                let why = format!(
                    "{SUSPICION}: {amount} under the number {number}, while refunds of ours reserve the same money; \
                     the channel will refuse ours, or the bill must tell"
                );
                self.set_stuck(trading.clone(), why.clone()).await?;
                Ok(NoticeOutcome::later("not_covered", why))
            }
        }
    }

    /// Compares what the channel says it has given back in all with what is on record.
    pub(super) async fn compare_refunded(
        &self,
        trading: Trading,
        told: Option<Fen>,
    ) -> Result<NoticeOutcome, TradeError> {
        let current = self.load(trading.trading_order_no).await?;
        let missing = told.filter(|told| *told > current.refund_reserved);
        let suspected = current
            .stuck
            .as_ref()
            .is_some_and(|why| why.starts_with(SUSPICION));
        if let Some(told) = missing {
            let why = format!(
                "{SUSPICION}: the channel has given back {told} in all and {} is on record; look there for refunds \
                 that were made by hand",
                current.refund_reserved
            );
            self.set_stuck(current, why).await?;
        } else if suspected {
            self.reschedule(&current, current.next_check_at, current.checks, None)
                .await?;
        }
        Ok(NoticeOutcome::Taken)
    }

    /// Asks, before a refund, whether the channel has given back something that is not on record: WeChat
    /// sends no notice of a refund made in its console. How much it was only the bill tells.
    pub(super) async fn look_for_unknown_refunds(&self, trading: &Trading) -> Result<(), TradeError> {
        let handler = self.handler_of(trading)?;
        let number = trading.trading_order_no;
        let observed = self
            .noted(About::trading(number), "query", handler.query(number))
            .await;
        // No answer is no suspicion: the channel itself never gives back more than was paid.
        let has_refunds = observed.is_ok_and(|observed| observed.has_refunds);
        let refunds = self.ports.store.refunds_of(number).await?;
        let on_record = refunds.iter().any(|refund| refund.state != RefundState::Failed);
        if has_refunds && !on_record && trading.stuck.is_none() {
            let why = format!(
                "{SUSPICION}: the channel says that there are some, and none is on record; see its bill"
            );
            self.set_stuck(trading.clone(), why).await?;
        }
        Ok(())
    }
}
