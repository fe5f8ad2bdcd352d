//! Opening the server's store to look at it, whether the server runs or not.

use std::path::Path;

use trade_store::SqlStore;

use super::Failure;
use crate::config::Settings;

/// The store the settings name, for reading alone: nothing is migrated, and no file is created.
pub(super) async fn open_to_read(config: Option<&Path>) -> Result<SqlStore, Failure> {
    let settings = Settings::load(config)?;
    let place = settings.store.place();
    let store = match &settings.store.url {
        Some(url) => SqlStore::connect(url.expose()).await?,
        None if !settings.store.path.is_file() => {
            return Err(format!(
                "there is no store at {place}: it is made by the first `trade serve` with these settings"
            )
            .into());
        }
        None => SqlStore::connect(&url(&settings.store.path)).await?,
    };
    let missing = store.pending_migrations().await?;
    if missing.is_empty() {
        return Ok(store);
    }
    Err(format!(
        "the store at {place} is of an older version: start `trade serve` once, which brings it up to date ({} missing)",
        missing.join(", ")
    )
    .into())
}

fn url(path: &Path) -> String {
    let mut escaped = String::new();
    for piece in path.display().to_string().chars() {
        match piece {
            '%' => escaped.push_str("%25"),
            '?' => escaped.push_str("%3F"),
            '#' => escaped.push_str("%23"),
            other => escaped.push(other),
        }
    }
    format!("sqlite://{escaped}?mode=ro")
}
