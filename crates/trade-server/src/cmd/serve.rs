//! `trade serve`

use std::path::Path;

use super::Failure;
use crate::{config::Settings, serve, shutdown::Signals, telemetry, wire::Environment};

pub(super) async fn run(config: Option<&Path>) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let settings = Settings::load(config)?;
    telemetry::start(&settings.log);
    let listener = serve::listen(&settings).await?;
    let running = serve::start(&settings, listener, Environment::default()).await?;
    signals.next().await;
    // A second signal is from somebody who does not want to wait.
    tokio::select! {
        () = running.drain() => {}
        () = signals.next() => {}
    }
    running.stop().await;
    Ok(())
}
