//! Opening the store: once for each kind of work, so that none of them takes the connections of another.

use trade_core::port::StoreError;
use trade_store::SqlStore;

use super::WireError;
use crate::config::Store;

/// Connections for what all the others need: numbers, and whether the server is ready. One for each.
const SHARED_CONNECTIONS: u32 = 2;

/// A store for each kind of work.
pub(super) struct Stores<S> {
    pub(super) requests: S,
    pub(super) notices: S,
    pub(super) jobs: S,
    /// For what none of these may keep waiting, since a request, a notice or a job waits for it.
    pub(super) shared: S,
}

impl<S> Stores<S> {
    pub(super) fn map<T>(self, mut around: impl FnMut(S) -> T) -> Stores<T> {
        Stores {
            requests: around(self.requests),
            notices: around(self.notices),
            jobs: around(self.jobs),
            shared: around(self.shared),
        }
    }
}

/// Connects, and brings the schema up to date or checks that it is.
pub(super) async fn open(settings: &Store) -> Result<Stores<SqlStore>, WireError> {
    let failed = WireError::of_store(settings);
    let stores = connect(settings).await.map_err(failed)?;
    if settings.migrate {
        let applied = stores.requests.migrate().await.map_err(failed)?;
        if !applied.is_empty() {
            tracing::info!(?applied, "the schema was brought up to date");
        }
    } else {
        let missing = stores.requests.pending_migrations().await.map_err(failed)?;
        if !missing.is_empty() {
            return Err(WireError::old_schema(settings, missing));
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
            jobs: store.clone(),
            shared: store,
        });
    };
    let pool = async |connections| SqlStore::connect_with(url.expose(), &settings.pool(connections)).await;
    Ok(Stores {
        requests: pool(settings.connections).await?,
        notices: pool(settings.notice_connections).await?,
        jobs: pool(settings.job_connections).await?,
        shared: pool(SHARED_CONNECTIONS).await?,
    })
}
