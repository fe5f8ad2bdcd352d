//! A database server of a test's own, which it may stop and start: from Debian's packages.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr};
use tempfile::TempDir;
use tokio::time::Instant;

/// A server on a busy machine takes its time to start.
const START: Duration = Duration::from_secs(120);

/// Which server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MariaDb,
}

/// How a server ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    /// As fast as it can by itself: PostgreSQL drops everything, MariaDB lets transactions go.
    Stop,
    /// At once, as by a loss of power.
    Kill,
}

/// A server with a folder and a port of its own, gone with the test.
pub(crate) struct Instance {
    kind: Kind,
    folder: TempDir,
    port: u16,
    running: Option<Child>,
}

impl Kind {
    /// Who runs it where we are root, since no server does as root.
    fn user(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MariaDb => "mysql",
        }
    }

    /// A database that is always there.
    fn home(self) -> &'static str {
        self.user()
    }

    /// Where Debian's package has a program of it.
    fn program(self, name: &str) -> PathBuf {
        let folders = match self {
            Self::Postgres => {
                let versions = fs::read_dir("/usr/lib/postgresql")
                    .into_iter()
                    .flatten()
                    .flatten();
                versions.map(|version| version.path().join("bin")).collect()
            }
            Self::MariaDb => vec![PathBuf::from("/usr/sbin"), PathBuf::from("/usr/bin")],
        };
        let mut found = folders.iter().map(|folder| folder.join(name));
        found.find(|path| path.exists()).unwrap_or_else(|| {
            panic!("this test stops and starts a server of its own: install Debian's postgresql and mariadb-server")
        })
    }

    fn command(self, program: &Path) -> Command {
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            return Command::new(program);
        }
        let user = self.user();
        let mut as_its_user = Command::new("setpriv");
        as_its_user
            .args([format!("--reuid={user}"), format!("--regid={user}")])
            .args(["--clear-groups", "--"])
            .arg(program);
        as_its_user
    }
}

impl Instance {
    /// A new server with an empty database.
    pub(crate) async fn start(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            let owned = Command::new("chown").arg(kind.user()).arg(folder.path()).status();
            assert!(owned.unwrap().success());
        }
        let data = folder.path().join("db");
        let mut install = match kind {
            Kind::Postgres => {
                let mut install = kind.command(&kind.program("initdb"));
                install.args(["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "-D"]);
                install.arg(&data);
                install
            }
            Kind::MariaDb => {
                let mut install = kind.command(&kind.program("mariadb-install-db"));
                install
                    .arg("--no-defaults")
                    .arg(format!("--datadir={}", data.display()));
                install.args(["--skip-test-db", "--auth-root-authentication-method=normal"]);
                install
            }
        };
        let installed = install.current_dir(folder.path()).output().unwrap();
        assert!(installed.status.success(), "{installed:?}");
        let mut instance = Self {
            kind,
            folder,
            port: free_port(),
            running: None,
        };
        instance.up().await;
        let raw = instance.connect(kind.home()).await.unwrap();
        raw.execute_unprepared("CREATE DATABASE trade").await.unwrap();
        raw.close().await.unwrap();
        instance
    }

    /// The URL of the database.
    pub(crate) fn url(&self) -> String {
        self.on("trade")
    }

    fn on(&self, database: &str) -> String {
        let port = self.port;
        match self.kind {
            Kind::Postgres => format!("postgres://postgres@127.0.0.1:{port}/{database}"),
            Kind::MariaDb => format!("mysql://root@127.0.0.1:{port}/{database}"),
        }
    }

    async fn connect(&self, database: &str) -> Result<DatabaseConnection, DbErr> {
        let mut options = ConnectOptions::new(self.on(database));
        options.max_connections(1).sqlx_logging(false);
        options.connect_timeout(Duration::from_secs(2));
        Database::connect(options).await
    }

    fn spawn(&self) -> Child {
        let (folder, port) = (self.folder.path(), self.port);
        let data = folder.join("db");
        let mut command = match self.kind {
            Kind::Postgres => {
                let mut command = self.kind.command(&self.kind.program("postgres"));
                command.arg("-D").arg(data).arg("-p").arg(port.to_string());
                command.arg("-k").arg(folder);
                command.args(["-c", "listen_addresses=127.0.0.1"]);
                command
            }
            Kind::MariaDb => {
                let mut command = self.kind.command(&self.kind.program("mariadbd"));
                command
                    .arg("--no-defaults")
                    .arg(format!("--datadir={}", data.display()));
                command.args([format!("--port={port}"), "--bind-address=127.0.0.1".to_owned()]);
                command.arg(format!("--socket={}", folder.join("socket").display()));
                command.arg(format!("--pid-file={}", folder.join("pid").display()));
                command
            }
        };
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.join("out.log"))
            .unwrap();
        command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// Starts it, with what it has kept, and waits until it takes connections.
    pub(crate) async fn up(&mut self) {
        let since = Instant::now();
        while since.elapsed() < START {
            // What was killed may leave parts that have to notice, and until then another ends as it starts.
            let has_ended = match &mut self.running {
                Some(running) => running.try_wait().unwrap().is_some(),
                None => true,
            };
            if has_ended {
                self.running = Some(self.spawn());
            }
            if let Ok(raw) = self.connect(self.kind.home()).await {
                raw.close().await.unwrap();
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let log = fs::read_to_string(self.folder.path().join("out.log")).unwrap();
        panic!("the server did not come up: {log}");
    }

    /// Ends it, and waits until it has ended.
    pub(crate) async fn down(&mut self, signal: Signal) {
        self.signal(signal);
        if let Some(mut running) = self.running.take() {
            tokio::task::spawn_blocking(move || running.wait())
                .await
                .unwrap()
                .unwrap();
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(running) = &self.running {
            let name = match (signal, self.kind) {
                (Signal::Stop, Kind::Postgres) => "-QUIT",
                (Signal::Stop, Kind::MariaDb) => "-TERM",
                (Signal::Kill, _) => "-KILL",
            };
            let id = running.id().to_string();
            let _gone = Command::new("kill").args([name, &id]).status();
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // PostgreSQL ends all of its processes by itself when it is told to, and leaves some when it is killed.
        self.signal(match self.kind {
            Kind::Postgres => Signal::Stop,
            Kind::MariaDb => Signal::Kill,
        });
        if let Some(mut running) = self.running.take() {
            let _gone = running.wait();
        }
    }
}

/// A port that nobody listens on, and that no connection goes out from: the system takes higher ones for those, and
/// could take a server's while it is down.
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
