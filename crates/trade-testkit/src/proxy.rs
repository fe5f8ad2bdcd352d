//! A line to a server that a test can cut, silence, or break at a chosen byte.
//!
//! A [`Proxy`] listens on a port of its own and passes what comes to the server behind it. Its [`Line`] is
//! for all connections; a [`Break`] waits at one byte of one direction, either of the next connection
//! ([`Proxy::next`]) or of those that are there ([`Proxy::now`]).

mod carry;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, ToSocketAddrs, lookup_host},
    sync::watch,
};

use carry::carry;

/// The state of the line, for all connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Bytes pass.
    Open,
    /// Connections are cut, new ones are dropped at once.
    Cut,
    /// Connections stay, and new ones are taken; nothing passes, not even once the line is open again.
    Silent,
}

/// Where bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// What happens at a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The connection is cut, both ways.
    Cut,
    /// Nothing passes any more, either way; the connection stays.
    Stall,
    /// This way is closed in order, as by somebody who says no more; the other stays.
    HalfClose,
}

/// A fault after so many bytes of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Break {
    /// What happens.
    pub fault: Fault,
    /// In which direction the bytes are counted.
    pub way: Way,
    /// How many bytes still pass, from the moment it is set.
    pub after: u64,
}

/// What has passed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passed {
    /// Connections that were taken.
    pub connections: u64,
    /// Bytes from clients to the server.
    pub to_server: u64,
    /// Bytes from the server to clients.
    pub to_client: u64,
    /// Breaks that have happened.
    pub broken: u64,
}

/// Stands between a client and a server.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What the connections of a proxy share.
#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    line: watch::Sender<Line>,
    /// The newest of the breaks for those that are there, counted.
    now: watch::Sender<(u64, Option<Break>)>,
    next: Mutex<VecDeque<Break>>,
    passing: AtomicU64,
    connections: AtomicU64,
    to_server: AtomicU64,
    to_client: AtomicU64,
    broken: AtomicU64,
}

impl Shared {
    fn next(&self) -> MutexGuard<'_, VecDeque<Break>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// Stands before a server from now on.
    pub async fn start(server: impl ToSocketAddrs) -> Self {
        let server = lookup_host(server).await.unwrap().next().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server,
            line: watch::Sender::new(Line::Open),
            now: watch::Sender::new((0, None)),
            next: Mutex::default(),
            passing: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            to_server: AtomicU64::new(0),
            to_client: AtomicU64::new(0),
            broken: AtomicU64::new(0),
        });
        let weak = Arc::downgrade(&shared);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // Gone with the test.
                let Some(shared) = weak.upgrade() else { return };
                if *shared.line.borrow() != Line::Cut {
                    shared.connections.fetch_add(1, Ordering::SeqCst);
                    shared.passing.fetch_add(1, Ordering::SeqCst);
                    let fault = shared.next().pop_front();
                    tokio::spawn(carry(socket, shared, fault));
                }
            }
        });
        Self { address, shared }
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns once no byte passes any more, unless the line is open.
    pub async fn set(&self, line: Line) {
        self.shared.line.send_replace(line);
        while line != Line::Open && self.shared.passing.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Cuts every connection; new ones pass.
    pub async fn cut_once(&self) {
        self.set(Line::Cut).await;
        self.set(Line::Open).await;
    }

    /// Breaks the next connection that comes; called again, also the one after it.
    pub fn next(&self, fault: Break) {
        self.shared.next().push_back(fault);
    }

    /// Breaks every connection that is there, in the place of what was set for it before.
    pub fn now(&self, fault: Break) {
        self.shared
            .now
            .send_modify(|(count, latest)| (*count, *latest) = (*count + 1, Some(fault)));
    }

    /// What has passed so far.
    #[must_use]
    pub fn passed(&self) -> Passed {
        let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        Passed {
            connections: count(&self.shared.connections),
            to_server: count(&self.shared.to_server),
            to_client: count(&self.shared.to_client),
            broken: count(&self.shared.broken),
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.line.send_replace(Line::Cut);
    }
}

/// Which bytes of `total` to break a line at: about `few`, elsewhere at every run, so that many runs meet
/// them all. `FAULT_EVERY=1` in the environment asks for every byte (2 for every second, and so on),
/// `FAULT_AT` for one alone, as a test that failed has named it.
///
/// # Panics
/// A variable is set, and no number.
#[must_use]
pub fn points(total: u64, few: u64) -> Vec<u64> {
    let set = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(
            text.parse::<u64>()
                .unwrap_or_else(|error| panic!("{name}: {error}")),
        )
    };
    if let Some(at) = set("FAULT_AT") {
        return vec![at];
    }
    let every = set("FAULT_EVERY").unwrap_or(total / few).max(1);
    let first = fastrand::u64(0..every);
    (first..=total).step_by(usize::try_from(every).unwrap()).collect()
}
