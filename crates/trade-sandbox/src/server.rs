//! A running sandbox, and what Rust programs can do with it directly.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, spawn_blocking},
};

use crate::{
    Channel, MerchantKit, SandboxConfig, SandboxError, SandboxKeys, WechatKeyMode, alipay, control, export,
    faults::{Fault, FaultRule},
    http,
    ledger::{Book, LedgerError, Order, Refund, RefundOutcome, Snapshot},
    notice::{self, Notice},
    page, wechat,
    world::{Payer, World},
};

/// How long a merchant has for answering a notice.
const NOTICE_ANSWER_TIME: Duration = Duration::from_secs(5);

/// A running sandbox. Dropping it stops it.
pub struct Sandbox {
    world: Arc<World>,
    addr: SocketAddr,
    server: JoinHandle<()>,
    sender: JoinHandle<()>,
}

impl Sandbox {
    /// Makes keys, which takes a second or a few, and starts.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Bind`], [`SandboxError::Key`], [`SandboxError::Client`].
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let seed = config.seed;
        let keys = spawn_blocking(move || SandboxKeys::generate(seed)).await;
        let keys = keys.map_err(|_panic| SandboxError::Key {
            name: "keys",
            reason: "their thread panicked".to_owned(),
        })??;
        Self::start_with_keys(config, &keys).await
    }

    /// Starts with keys that exist already: quicker, for many sandboxes in one process.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Bind`], [`SandboxError::Client`].
    pub async fn start_with_keys(config: SandboxConfig, keys: &SandboxKeys) -> Result<Self, SandboxError> {
        let listen = config.listen;
        let bind = |source| SandboxError::Bind { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(bind)?;
        let addr = listener.local_addr().map_err(bind)?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(NOTICE_ANSWER_TIME)
            .build()
            .map_err(|source| SandboxError::Client { source })?;
        let api_url = base_url(addr, Ipv4Addr::LOCALHOST.into());
        let page_url = config.public_url.as_ref().map_or_else(
            || base_url(addr, lan_address().unwrap_or(Ipv4Addr::LOCALHOST.into())),
            |url| url.trim_end_matches('/').to_owned(),
        );
        let world = Arc::new(World::new(config, keys, api_url, page_url));
        Ok(Self {
            server: tokio::spawn(http::serve(listener, router(&world))),
            sender: tokio::spawn(notice::run(Arc::clone(&world), client)),
            world,
            addr,
        })
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base address for clients on this machine, such as `http://127.0.0.1:41234`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.world.api_url
    }

    /// The base address in codes, for phones on the same network.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.world.page_url
    }

    /// All a merchant holds. It contains private keys.
    #[must_use]
    pub fn merchant(&self) -> MerchantKit {
        MerchantKit::of(&self.world)
    }

    /// Writes the merchant's keys and certificates into `folder`, each as a file, and `sandbox.json`.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Export`].
    pub fn export(&self, folder: &Path) -> Result<(), SandboxError> {
        export::write(&self.merchant(), folder)
    }

    /// A user scans the code of an order.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Ledger`].
    pub fn scan(&self, channel: Channel, out_trade_no: &str) -> Result<Order, SandboxError> {
        let key = self.world.order_key(channel, out_trade_no);
        Ok(self.world.scan(&key)?)
    }

    /// A user scans the present code of an order and pays it from the balance.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Ledger`].
    pub fn pay(&self, channel: Channel, out_trade_no: &str) -> Result<Order, SandboxError> {
        let key = self.world.order_key(channel, out_trade_no);
        Ok(self.world.pay(&key, Payer::default())?)
    }

    /// Ends a refund that is on its way, by its `out_refund_no` or `out_request_no`.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Ledger`].
    pub fn settle_refund(
        &self,
        channel: Channel,
        number: &str,
        outcome: RefundOutcome,
    ) -> Result<Refund, SandboxError> {
        let key = self.world.ledger.read(|book| {
            let mut refunds = book.refunds().map(|refund| &refund.key);
            refunds
                .find(|key| key.channel == channel && key.number == number)
                .cloned()
        });
        let key = key.ok_or_else(|| LedgerError::RefundNotFound(number.to_owned()))?;
        Ok(self.world.settle_refund(&key, outcome)?)
    }

    /// The sandbox's time, Unix ms.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.world.clock.now_ms()
    }

    /// Moves the sandbox's clock forward and does what has come due.
    pub fn advance(&self, by: Duration) {
        self.world.advance(by);
    }

    /// Orders a fault; returns the rule's id.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.world.faults.add(fault)
    }

    /// The faults that wait for their turn.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultRule> {
        self.world.faults.list()
    }

    /// Withdraws a fault; tells whether it was still waiting.
    pub fn withdraw_fault(&self, id: u64) -> bool {
        self.world.faults.remove(id)
    }

    /// Withdraws all faults.
    pub fn withdraw_faults(&self) {
        self.world.faults.clear();
    }

    /// A copy of the ledger: the truth about who paid what.
    #[must_use]
    pub fn ledger(&self) -> Snapshot {
        self.world.catch_up();
        self.world.ledger.read(Book::snapshot)
    }

    /// All notices and their attempts, oldest first.
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        self.world.notices.list()
    }

    /// Sends a notice once more, whatever became of it; tells whether there is one with this id.
    pub fn resend_notice(&self, id: &str) -> bool {
        let found = self.world.notices.resend(id, self.world.clock.now_ms());
        self.world.wake();
        found
    }

    /// Waits until every notice that is due was sent and answered, ten seconds at most; tells whether.
    pub async fn quiet(&self) -> bool {
        for _ in 0..2_000 {
            self.world.catch_up();
            if self.world.notices.is_quiet(self.world.clock.now_ms()) {
                return true;
            }
            self.world.wake();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }

    /// Takes new keys or certificates into use: a platform certificate with a new key at WeChat Pay, a
    /// certificate for the same key at Alipay. Makes a key, so it blocks for a second.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Key`].
    pub fn rotate_keys(&self, channel: Channel) -> Result<(), SandboxError> {
        self.world.rotate(channel)
    }

    /// Changes how WeChat Pay signs from now on.
    pub fn set_wechat_key_mode(&self, mode: WechatKeyMode) {
        self.world.change_credentials(|all| all.wechat.mode = mode);
    }

    /// Stops and closes all connections.
    pub async fn shutdown(mut self) {
        self.server.abort();
        self.sender.abort();
        // An aborted task ends with an error; there is nothing to learn from it.
        let _ = (&mut self.server).await;
        let _ = (&mut self.sender).await;
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Sandbox")
            .field("world", &self.world)
            .finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
        self.sender.abort();
    }
}

fn router(world: &Arc<World>) -> Router {
    Router::new()
        .merge(wechat::router(Arc::clone(world)))
        .merge(alipay::router(Arc::clone(world)))
        .merge(control::router(Arc::clone(world)))
        .merge(page::router(Arc::clone(world)))
}

/// `instead` stands in for "all interfaces", which nobody can connect to.
fn base_url(addr: SocketAddr, instead: IpAddr) -> String {
    let ip = if addr.ip().is_unspecified() {
        instead
    } else {
        addr.ip()
    };
    format!("http://{}", SocketAddr::new(ip, addr.port()))
}

/// The address this machine has on its network. Connecting a UDP socket sends nothing.
fn lan_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|addr| addr.ip())
}
