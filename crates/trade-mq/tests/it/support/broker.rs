//! A broker of a test's own, which it may stop and start.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use lapin::{Connection, ConnectionProperties};
use tempfile::TempDir;

/// Where Debian's package has it.
const PROGRAM: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const CONTROL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";
/// A broker on a busy machine takes its time to start.
const START: Duration = Duration::from_secs(120);
const ANSWER: Duration = Duration::from_secs(5);

/// How a broker ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    /// In order.
    Term,
    /// At once, as by a loss of power.
    Kill,
}

/// A broker with a folder and ports of its own, gone with the test.
pub(crate) struct Broker {
    folder: TempDir,
    port: u16,
    tls_port: u16,
    dist_port: u16,
    running: Option<Child>,
}

impl Broker {
    pub(crate) async fn start() -> Self {
        assert!(
            Path::new(PROGRAM).exists(),
            "this test stops and starts a broker of its own: install Debian's package rabbitmq-server"
        );
        let folder = tempfile::tempdir().unwrap();
        // Nothing of the machine's own configuration.
        fs::write(folder.path().join("env.conf"), "").unwrap();
        let tls_port = free_port();
        fs::write(
            folder.path().join("config.conf"),
            configuration(folder.path(), tls_port),
        )
        .unwrap();
        if is_root() {
            let owned = Command::new("chown")
                .args(["-R", "rabbitmq"])
                .arg(folder.path())
                .status();
            assert!(owned.unwrap().success());
        }
        let mut broker = Self {
            folder,
            port: free_port(),
            tls_port,
            dist_port: free_port(),
            running: None,
        };
        broker.up().await;
        broker
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// The same over TLS, for a certificate of 127.0.0.1 by an authority that this machine does not know.
    pub(crate) fn tls_url(&self) -> String {
        format!("amqps://guest:guest@127.0.0.1:{}/%2f", self.tls_port)
    }

    /// Has it told something.
    pub(crate) fn control(&self, arguments: &[&str]) {
        let told = self.command(CONTROL).args(arguments).output().unwrap();
        assert!(told.status.success(), "{arguments:?}: {told:?}");
    }

    /// A program of the broker's, as its user.
    fn command(&self, program: &str) -> Command {
        let folder = self.folder.path();
        let mut command = if is_root() {
            let mut as_its_user = Command::new("setpriv");
            as_its_user.args([
                "--reuid=rabbitmq",
                "--regid=rabbitmq",
                "--clear-groups",
                "--",
                program,
            ]);
            as_its_user
        } else {
            Command::new(program)
        };
        command
            .env("HOME", folder)
            .env("RABBITMQ_NODENAME", format!("trade-{}@localhost", self.port))
            .env("RABBITMQ_CONF_ENV_FILE", folder.join("env.conf"))
            .current_dir(folder)
            .stdin(Stdio::null());
        command
    }

    /// Starts it, with what it has kept, and waits until it takes connections.
    pub(crate) async fn up(&mut self) {
        let folder = self.folder.path();
        let log = File::create(folder.join("out.log")).unwrap();
        let mut command = self.command(PROGRAM);
        command
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", self.dist_port.to_string())
            .env("RABBITMQ_MNESIA_BASE", folder)
            .env("RABBITMQ_LOG_BASE", folder)
            .env("RABBITMQ_PID_FILE", folder.join("pid"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("plugins"))
            .env("RABBITMQ_CONFIG_FILE", folder.join("config"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            // A script starts it: a signal must find both.
            .process_group(0);
        self.running = Some(command.spawn().unwrap());
        let answers = async {
            // A broker that has just begun to listen may never answer.
            let url = self.url();
            let connect =
                || tokio::time::timeout(ANSWER, Connection::connect(&url, ConnectionProperties::default()));
            while !matches!(connect().await, Ok(Ok(_))) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        if tokio::time::timeout(START, answers).await.is_err() {
            let log = fs::read_to_string(self.folder.path().join("out.log")).unwrap();
            panic!("the broker did not come up: {log}");
        }
    }

    /// Ends it, and waits until it has ended.
    pub(crate) async fn down(&mut self, signal: Signal) {
        self.signal(signal);
        let ends = async {
            while TcpListener::bind(("127.0.0.1", self.port)).is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(START, ends).await.expect("the broker ends");
        if let Some(mut running) = self.running.take() {
            tokio::task::spawn_blocking(move || running.wait())
                .await
                .unwrap()
                .unwrap();
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(running) = &self.running {
            let name = match signal {
                Signal::Term => "-TERM",
                Signal::Kill => "-KILL",
            };
            let group = format!("-{}", running.id());
            let _gone = Command::new("kill").args([name, "--", &group]).status();
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.signal(Signal::Kill);
        if let Some(mut running) = self.running.take() {
            let _gone = running.wait();
        }
    }
}

/// A second port, with TLS: the certificate and its authority are those of the webhooks' tests.
fn configuration(folder: &Path, tls_port: u16) -> String {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../trade-webhook/tests/tls");
    let mut text = format!("listeners.ssl.1 = 127.0.0.1:{tls_port}\nssl_options.verify = verify_none\n");
    for (setting, file) in [
        ("cacertfile", "authority.pem"),
        ("certfile", "certificate.pem"),
        ("keyfile", "key.pem"),
    ] {
        let copy = folder.join(file);
        fs::copy(made.join(file), &copy).unwrap();
        text.push_str(&format!("ssl_options.{setting} = {}\n", copy.display()));
    }
    text
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A port that nobody listens on, and that no connection goes out from: the system takes higher ones for those, and
/// could take a broker's while it is down.
fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 1000).unwrap() * 10;
    loop {
        let port = 20_000 + (first + TRIED.fetch_add(1, Ordering::SeqCst)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
