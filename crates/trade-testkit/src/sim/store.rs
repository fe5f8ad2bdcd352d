//! The store as a network away: others come between, it fails, and what it reports is not always so.

use std::future::Future;

use trade_core::port::StoreError;

use super::world::World;
use crate::gated::{Gate, Operation};

#[derive(Debug)]
pub(super) struct Network(pub(super) World);

impl Network {
    fn fails(&self, operation: Operation, how: &'static str) -> Result<(), StoreError> {
        self.0.with(|state| {
            if !state.chance(state.weather.store) {
                return Ok(());
            }
            state.tell(|| format!("store: {} {how}", operation.name));
            Err(StoreError {
                operation: operation.name,
                source: how.into(),
            })
        })
    }
}

impl Gate for Network {
    /// The operation itself is one step: a task that ends here has written all of it or nothing.
    async fn pass<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.0.pause().await;
        self.fails(operation, "did not happen")?;
        let answer = call.await?;
        if operation.writes {
            self.0.with(|state| {
                state.changed = true;
                state.tell(|| format!("store: {}", operation.name));
            });
        }
        self.0.pause().await;
        if operation.writes {
            self.fails(operation, "happened, and was reported as lost")?;
        }
        Ok(answer)
    }
}
