//! An instance's clock: true time, and how far it is off.

use std::time::Duration;

use async_trait::async_trait;
use trade_core::{Timestamp, port::Clock};

use super::world::World;
use crate::fixture::START;

#[derive(Debug)]
pub(super) struct NodeClock {
    pub(super) world: World,
    pub(super) node: usize,
}

#[async_trait]
impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        self.world.with(|state| {
            let skew_ms = state.nodes.get(self.node).map_or(0, |node| node.skew_ms);
            Timestamp::from_ms(state.now_ms + skew_ms)
        })
    }

    fn monotonic(&self) -> Duration {
        let passed = self.world.with(|state| state.now_ms - START.ms());
        Duration::from_millis(u64::try_from(passed).unwrap_or(0))
    }

    async fn sleep(&self, duration: Duration) {
        self.world.sleep(duration).await;
    }
}
