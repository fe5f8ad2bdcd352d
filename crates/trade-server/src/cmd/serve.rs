//! `trade serve`

use std::path::Path;

use super::Failure;
use crate::{config::Settings, serve, shutdown, wire::Environment};

pub(super) async fn run(config: Option<&Path>) -> Result<(), Failure> {
    let settings = Settings::load(config)?;
    let listener = serve::listen(&settings).await?;
    let running = serve::start(&settings, listener, Environment::default()).await?;
    shutdown::requested().await;
    running.stop().await;
    Ok(())
}
