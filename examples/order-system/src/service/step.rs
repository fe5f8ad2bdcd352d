//! The steps of the service itself: taken, begun, done, given back, evaluated.

use super::Orders;
use crate::{
    error::OrderError,
    status::{Event, OrderStatus},
    store::orders::By,
};

/// What a worker does with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkerStep {
    /// 100 to 200.
    Take,
    /// 200 to 300.
    Start,
    /// 300 to 500, or to 400 where evaluations are switched on.
    Finish,
    /// 200 to 100: the worker gives it back.
    Cancel,
}

impl Orders {
    /// Does a worker's step.
    ///
    /// # Errors
    /// The order stands elsewhere.
    pub(crate) async fn worker_step(
        &self,
        id: i64,
        step: WorkerStep,
        by: &By,
    ) -> Result<OrderStatus, OrderError> {
        let event = match step {
            WorkerStep::Take => Event::Dispatch,
            WorkerStep::Start => Event::StartServe,
            WorkerStep::Finish if self.settings.evaluations => Event::CompleteServeForEvaluation,
            WorkerStep::Finish => Event::CompleteServe,
            WorkerStep::Cancel => Event::ServeProviderCancel,
        };
        self.step(id, event, by).await
    }

    /// The customer says how it was.
    ///
    /// # Errors
    /// The order does not wait for that, or is somebody else's.
    pub(crate) async fn evaluate(&self, user_id: i64, id: i64, by: &By) -> Result<OrderStatus, OrderError> {
        self.order_of(user_id, id).await?;
        self.step(id, Event::Evaluate, by).await
    }

    pub(crate) async fn step(&self, id: i64, event: Event, by: &By) -> Result<OrderStatus, OrderError> {
        if self.store.step(id, event, by, self.now()).await? {
            self.tell();
            return Ok(event.step().1);
        }
        let status = self.any_order(id).await?.status()?;
        Err(OrderError::WrongStep { status, event })
    }
}
