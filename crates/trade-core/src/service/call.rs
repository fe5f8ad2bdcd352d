//! Every call to a channel, noted for the timeline of its trading.

use tracing::Instrument;

use super::TradeService;
use crate::{
    Certainty, ChannelError, RefundNo, TradingOrderNo,
    handler::{ChannelAnswer, Closed, Observed, Placed, RefundReply},
    port::CallEntry,
};

/// What a call is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About {
    trading_order_no: TradingOrderNo,
    refund_no: Option<RefundNo>,
}

impl About {
    /// The numbers, for every line that is logged about the call. Of the highest level, so that a filter
    /// that keeps only errors keeps their numbers, too.
    fn span(self) -> tracing::Span {
        let (trading_order_no, refund_no) = (self.trading_order_no.get(), self.refund_no.map(RefundNo::get));
        tracing::error_span!("call", trading_order_no, refund_no)
    }

    pub(super) fn trading(trading_order_no: TradingOrderNo) -> Self {
        Self {
            trading_order_no,
            refund_no: None,
        }
    }

    pub(super) fn refund(trading_order_no: TradingOrderNo, refund_no: RefundNo) -> Self {
        Self {
            trading_order_no,
            refund_no: Some(refund_no),
        }
    }
}

/// A reply that carries the channel's own words.
pub(super) trait Answered {
    fn answer(&self) -> &ChannelAnswer;
}

impl Answered for Placed {
    fn answer(&self) -> &ChannelAnswer {
        &self.answer
    }
}

impl Answered for Observed {
    fn answer(&self) -> &ChannelAnswer {
        &self.answer
    }
}

impl Answered for Closed {
    fn answer(&self) -> &ChannelAnswer {
        &self.answer
    }
}

impl Answered for RefundReply {
    fn answer(&self) -> &ChannelAnswer {
        &self.answer
    }
}

impl TradeService {
    /// Makes a call and takes note of it.
    pub(super) async fn noted<T: Answered>(
        &self,
        about: About,
        operation: &'static str,
        call: impl Future<Output = Result<T, ChannelError>> + Send,
    ) -> Result<T, ChannelError> {
        let (at, started) = (self.ports.clock.now(), self.ports.clock.monotonic());
        let result = call.instrument(about.span()).await;
        let (outcome, code, request_id) = match &result {
            Ok(reply) => {
                let answer = reply.answer();
                ("ok", answer.code.clone(), answer.request_id.clone())
            }
            Err(error) => {
                let code = error.code().map(ToOwned::to_owned);
                let code = code.unwrap_or_else(|| format!("{:?}", error.kind()));
                (
                    outcome_of(error.certainty()),
                    code,
                    error.request_id().map(ToOwned::to_owned),
                )
            }
        };
        self.ports.calls.note(CallEntry {
            trading_order_no: about.trading_order_no,
            refund_no: about.refund_no,
            operation: operation.to_owned(),
            at,
            took: self.ports.clock.monotonic().saturating_sub(started),
            outcome: outcome.to_owned(),
            code,
            request_id,
        });
        result
    }
}

const fn outcome_of(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Rejected => "rejected",
        Certainty::NotSent => "not_sent",
        Certainty::Unknown => "unknown",
    }
}
