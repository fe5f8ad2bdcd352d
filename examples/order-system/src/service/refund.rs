//! Refunds of closed orders: asked for at once in the background, and again by a job until there is a result.

use std::time::Duration;

use super::Orders;
use crate::{
    error::OrderError,
    status::RefundStatus,
    store::{
        orders::By,
        table::{Refund, order::fen},
    },
};

/// So long nobody else works on a refund that was taken; then the waits begin.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// The wait after so many looks: twice as long each time.
pub(crate) fn wait_after(checks: i32) -> Duration {
    let doublings = u32::try_from(checks).unwrap_or(0).min(10);
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}

impl Orders {
    /// Asks for the refund of an order in a task of its own. When that fails, or this process ends, the job
    /// does it.
    pub(crate) fn refund_soon(&self, id: i64) {
        let orders = self.clone();
        tokio::spawn(async move {
            let done = match orders.store.owed(id).await {
                Ok(Some(owed)) => orders.refund(&owed).await,
                Ok(None) => Ok(()),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = done {
                tracing::warn!(order = id, %error, "the refund is asked for again by the job");
            }
        });
    }

    /// Asks for what is owed, and writes down what comes of it.
    pub(crate) async fn refund(&self, owed: &Refund) -> Result<(), OrderError> {
        let wait = wait_after(owed.checks);
        if !self.store.claim_refund(owed, self.now().plus(wait)).await? {
            return Ok(());
        }
        let order = self.any_order(owed.id).await?;
        let amount = fen(owed.real_pay_amount)?;
        match self.trade.refund(&order, owed.trading_order_no, amount).await {
            Ok(result) => {
                self.store.refund_result(owed.id, &result, self.now()).await?;
                self.tell();
                Ok(())
            }
            Err(failure) => {
                self.store.refund_troubled(owed.id, &failure.to_string()).await?;
                Err(failure.into())
            }
        }
    }

    /// Begins a refund again that has failed for good.
    ///
    /// # Errors
    /// It has not.
    pub(crate) async fn refund_again(&self, id: i64, by: &By) -> Result<(), OrderError> {
        let order = self.any_order(id).await?;
        let failed = order.refund() == Some(RefundStatus::Failed);
        if failed && self.store.refund_again(&order, by, self.now()).await? {
            self.tell();
            self.refund_soon(id);
            return Ok(());
        }
        Err(OrderError::RefundNotFailed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_ten_minutes() {
        let waits = [0, 1, 2, 6, 7, 100].map(|checks| wait_after(checks).as_secs());
        assert_eq!(waits, [5, 10, 20, 320, 600, 600]);
    }
}
