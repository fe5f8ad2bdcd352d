//! Opening the server's store to look at it, whether the server runs or not.

use std::path::Path;

use trade_store::SqlStore;

use super::Failure;
use crate::config::Settings;

/// The store the settings name, for reading alone: nothing is migrated, and no file is created.
pub(super) async fn open_to_read(config: Option<&Path>) -> Result<SqlStore, Failure> {
    let settings = Settings::load(config)?;
    let place = settings.store.place();
    let store = connect_to_read(&settings).await?;
    let missing = store.pending_migrations().await?;
    if missing.is_empty() {
        return Ok(store);
    }
    Err(format!(
        "the store at {place} is of an older version: run `trade migrate`, which brings it up to date ({} missing)",
        missing.join(", ")
    )
    .into())
}

/// The same, however old it is.
pub(super) async fn connect_to_read(settings: &Settings) -> Result<SqlStore, Failure> {
    match &settings.store.url {
        Some(url) => Ok(SqlStore::connect(url.expose()).await?),
        None if !settings.store.path.is_file() => {
            let place = settings.store.place();
            let why =
                format!("there is no store at {place}: `trade migrate` or the first `trade serve` makes it");
            Err(why.into())
        }
        None => Ok(SqlStore::connect(&url(&settings.store.path)).await?),
    }
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
