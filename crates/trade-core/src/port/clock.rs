//! Time and randomness are inputs: the core runs under a simulated clock as well as a real one.

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;

use crate::Timestamp;

/// The only way the core and the adapters learn the time or wait.
#[async_trait]
pub trait Clock: Debug + Send + Sync + 'static {
    /// Wall-clock time: for expiry, signatures and display. It may jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed point: for timeouts and back-off. It never goes back.
    fn monotonic(&self) -> Duration;

    /// Returns once `duration` has passed on [`Clock::monotonic`]. Dropping the future stops the wait.
    async fn sleep(&self, duration: Duration);
}

/// The only source of randomness, used for nonces.
pub trait Random: Debug + Send + Sync + 'static {
    /// Fills the buffer with bytes nobody can predict.
    fn fill(&self, buffer: &mut [u8]);

    /// A nonce of 32 characters out of `0-9a-f`, as both channels accept it.
    fn nonce(&self) -> String {
        let mut bytes = [0_u8; 16];
        self.fill(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
