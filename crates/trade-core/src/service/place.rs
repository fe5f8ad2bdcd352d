//! Placing a trading at its channel with the stored request.

use std::{sync::Arc, time::Duration};

use super::{MessageCode, TradeError, TradeService, call::About, record::Finding};
use crate::{
    Cause, Certainty, ChannelError, ErrorKind, Fact, Trading,
    guard::{self, Guard},
    handler::{ChannelAnswer, PayHandler},
};

/// After an unknown outcome the channel is asked again this soon.
const SETTLE_DOWN: Duration = Duration::from_secs(2);

impl TradeService {
    /// Sends the stored request and records the answer.
    pub(super) async fn place(
        &self,
        trading: Trading,
        handler: &Arc<dyn PayHandler>,
    ) -> Result<Trading, TradeError> {
        let about = About::trading(trading.trading_order_no);
        match self.noted(about, "place", handler.place(&trading.content)).await {
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
            (Certainty::Unknown, _) if !guard::on(Guard::UnknownIsNotFailed) => {
                let failed = Finding::new(Fact::PayFailed, Cause::Place);
                self.record(trading, &failed).await?;
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
}
