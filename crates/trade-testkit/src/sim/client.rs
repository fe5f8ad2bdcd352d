//! Somebody outside who asks an instance for something, and may never hear of it again.

use std::future::Future;

use tokio::sync::oneshot;
use trade_core::service::TradeService;

use super::{executor::Owner, world::World};

/// Has an instance do something. `None`: nobody runs, or it ended before it answered.
pub(super) async fn ask<T, F>(
    world: &World,
    call: impl FnOnce(TradeService) -> F + Send + 'static,
) -> Option<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (node, service) = world.with(|state| state.some_node())?;
    let (tell, told) = oneshot::channel();
    world.with(|state| state.begun += 1);
    world.spawn(Owner::Node(node), async move {
        // Whoever asked may have gone.
        let _gone = tell.send(call(service).await);
    });
    told.await.ok()
}
