//! Opening the server's store to look at it, whether the server runs or not.

use std::path::Path;

use trade_store::SqlStore;

use super::Failure;
use crate::{config::Settings, wire::WireError};

/// The store the settings name, for reading alone: nothing is migrated, and no file is created.
pub(super) async fn open_to_read(config: Option<&Path>) -> Result<SqlStore, Failure> {
    let settings = Settings::load(config)?;
    up_to_date(connect_to_read(&settings).await?, &settings).await
}

/// The same, to change something: what a server does that runs on it is not disturbed.
pub(super) async fn open_to_write(config: Option<&Path>) -> Result<SqlStore, Failure> {
    let settings = Settings::load(config)?;
    // Reading finds out whether there is one: opening a file that is not there would make it.
    let reader = connect_to_read(&settings).await?;
    if settings.store.url.is_some() {
        return up_to_date(reader, &settings).await;
    }
    reader.close().await?;
    let store = SqlStore::open(&settings.store.path).await;
    up_to_date(store.map_err(WireError::of_store(&settings.store))?, &settings).await
}

async fn up_to_date(store: SqlStore, settings: &Settings) -> Result<SqlStore, Failure> {
    let failed = WireError::of_store(&settings.store);
    let missing = store.pending_migrations().await.map_err(failed)?;
    if missing.is_empty() {
        return Ok(store);
    }
    Err(WireError::old_schema(&settings.store, missing).into())
}

/// The same, however old it is.
pub(super) async fn connect_to_read(settings: &Settings) -> Result<SqlStore, Failure> {
    let failed = WireError::of_store(&settings.store);
    match &settings.store.url {
        Some(url) => Ok(SqlStore::connect(url.expose()).await.map_err(failed)?),
        None if !settings.store.path.is_file() => {
            let place = settings.store.place();
            let why =
                format!("there is no store at {place}: `trade migrate` or the first `trade serve` makes it");
            Err(why.into())
        }
        None => Ok(SqlStore::connect(&url(&settings.store.path))
            .await
            .map_err(failed)?),
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
