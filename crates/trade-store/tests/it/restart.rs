//! A database server that ends and comes back under writes: what was said to be committed is there, and the store
//! goes on by itself.

use std::{
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use trade_store::{Settings, SqlStore};

use super::{
    broken::{Payment, Told},
    private::{Instance, Kind, Signal},
};

/// How many write at once.
const WRITERS: usize = 6;
/// So many payments are made before each end of the server, and after the last.
const BETWEEN: usize = 30;
/// No wait is longer, be the machine ever so busy.
const PATIENCE: Duration = Duration::from_secs(90);

/// What writers were told, by the payment's number.
#[derive(Default)]
struct Desk {
    next: AtomicI64,
    is_over: AtomicBool,
    told: Mutex<Vec<(i64, Told)>>,
}

impl Desk {
    fn made(&self) -> usize {
        let told = self.told.lock().unwrap();
        told.iter().filter(|(_, told)| told.error.is_none()).count()
    }

    /// Waits until so many more payments are made.
    async fn goes_on(&self, after: &str) {
        let (since, before) = (Instant::now(), self.made());
        while self.made() < before + BETWEEN {
            assert!(
                since.elapsed() < PATIENCE,
                "it does not go on after {after}: {}",
                self.last_errors()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn last_errors(&self) -> String {
        let told = self.told.lock().unwrap();
        let errors = told.iter().rev().filter_map(|(_, told)| told.error.as_deref());
        errors.take(3).collect::<Vec<_>>().join("; ")
    }
}

async fn write(store: SqlStore, desk: Arc<Desk>) {
    while !desk.is_over.load(Ordering::SeqCst) {
        let number = desk.next.fetch_add(1, Ordering::SeqCst) + 1;
        let told = Payment::of(number).write(&store).await;
        let is_away = told.error.is_some();
        desk.told.lock().unwrap().push((number, told));
        if is_away {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn ends_under_writes(kind: Kind) {
    if env::var_os("TRADE_TEST_EMBEDDED").is_some() {
        return;
    }
    let mut server = Instance::start(kind).await;
    let settings = Settings {
        acquire_timeout: Duration::from_secs(2),
        busy_timeout: Duration::from_secs(2),
        answer_timeout: Duration::from_secs(6),
        ..Settings::default()
    };
    let store = SqlStore::connect_with(&server.url(), &settings).await.unwrap();
    store.migrate().await.unwrap();
    let desk = Arc::new(Desk::default());
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| tokio::spawn(write(store.clone(), Arc::clone(&desk))))
        .collect();
    desk.goes_on("its start").await;
    for signal in [Signal::Stop, Signal::Kill, Signal::Kill] {
        server.down(signal).await;
        let error = store.ping().await.expect_err("nobody is there");
        assert!(!error.to_string().is_empty());
        server.up().await;
        desk.goes_on(&format!("{signal:?}")).await;
        store.ping().await.unwrap();
    }
    desk.is_over.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    let told = std::mem::take(&mut *desk.told.lock().unwrap());
    let mut failed = 0;
    for (number, told) in told {
        let there = Payment::of(number).there(&store).await;
        // An error that does not leave it open says that the write was not made.
        let may_be_more = usize::from(told.is_unknown());
        assert!(
            (told.done..=told.done + may_be_more).contains(&there),
            "{there} writes of {number} are there, and we were told {told:?}"
        );
        failed += usize::from(told.error.is_some());
    }
    assert!(failed > 0, "nobody noticed");
    assert_eq!(store.audit().await.unwrap().violations, []);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_ends_under_writes() {
    ends_under_writes(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_ends_under_writes() {
    ends_under_writes(Kind::MariaDb).await;
}
