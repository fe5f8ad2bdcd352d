//! `trade migrate`

use std::{io::Write, path::Path, process::ExitCode};

use trade_store::SqlStore;

use super::{Failure, store};
use crate::{config::Settings, wire::WireError};

/// Exit code of `--check` when something is missing.
const BEHIND: u8 = 1;

pub(super) async fn run(config: Option<&Path>, check: bool) -> Result<ExitCode, Failure> {
    let settings = Settings::load(config)?;
    let (place, failed) = (settings.store.place(), WireError::of_store(&settings.store));
    let mut out = std::io::stdout().lock();
    if check {
        let missing = store::connect_to_read(&settings)
            .await?
            .pending_migrations()
            .await
            .map_err(failed)?;
        if missing.is_empty() {
            writeln!(out, "the store at {place} is up to date")?;
            return Ok(ExitCode::SUCCESS);
        }
        writeln!(out, "the store at {place} lacks {}", missing.join(", "))?;
        return Ok(ExitCode::from(BEHIND));
    }
    let store = match &settings.store.url {
        Some(url) => SqlStore::connect(url.expose()).await,
        None => SqlStore::open(&settings.store.path).await,
    };
    let store = store.map_err(failed)?;
    let applied = store.migrate().await.map_err(failed)?;
    store.close().await.map_err(failed)?;
    for name in &applied {
        writeln!(out, "applied {name}")?;
    }
    writeln!(out, "the store at {place} is up to date")?;
    Ok(ExitCode::SUCCESS)
}
