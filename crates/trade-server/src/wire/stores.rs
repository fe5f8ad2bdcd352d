//! Opening the store: once for each kind of work, so that none of them takes the connections of another.

use trade_core::port::StoreError;
use trade_store::SqlStore;

use super::WireError;
use crate::config::Store;

/// A store for each kind of work.
pub(super) struct Stores<S> {
    pub(super) requests: S,
    pub(super) notices: S,
    pub(super) jobs: S,
}

impl<S> Stores<S> {
    pub(super) fn map<T>(self, mut around: impl FnMut(S) -> T) -> Stores<T> {
        Stores {
            requests: around(self.requests),
            notices: around(self.notices),
            jobs: around(self.jobs),
        }
    }
}

/// Connects, and brings the schema up to date or checks that it is.
pub(super) async fn open(settings: &Store) -> Result<Stores<SqlStore>, WireError> {
    let stores = connect(settings).await.map_err(|source| WireError::Store {
        place: settings.place(),
        source,
    })?;
    let failed = |source| WireError::Store {
        place: settings.place(),
        source,
    };
    if settings.migrate {
        let applied = stores.requests.migrate().await.map_err(failed)?;
        if !applied.is_empty() {
            tracing::info!(?applied, "the schema was brought up to date");
        }
    } else {
        let missing = stores.requests.pending_migrations().await.map_err(failed)?;
        if !missing.is_empty() {
            return Err(WireError::OldSchema {
                place: settings.place(),
                missing,
            });
        }
    }
    stores.requests.ping().await.map_err(failed)?;
    Ok(stores)
}

async fn connect(settings: &Store) -> Result<Stores<SqlStore>, StoreError> {
    let Some(url) = &settings.url else {
        // A file has one writer in this process, and readers enough.
        let store = SqlStore::open_with(&settings.path, &settings.file()).await?;
        return Ok(Stores {
            requests: store.clone(),
            notices: store.clone(),
            jobs: store,
        });
    };
    let pool = async |connections| SqlStore::connect_with(url.expose(), &settings.pool(connections)).await;
    Ok(Stores {
        requests: pool(settings.connections).await?,
        notices: pool(settings.notice_connections).await?,
        jobs: pool(settings.job_connections).await?,
    })
}
