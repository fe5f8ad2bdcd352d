//! The real binary as a process.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
};

/// Where the real binary is.
pub(crate) fn binary_folder() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_trade")).parent().unwrap()
}

/// A command of the real binary.
pub(crate) fn trade(arguments: &[&str], settings: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trade"));
    command.args(arguments).arg("--config").arg(settings);
    command
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A server as a process of its own.
pub(crate) struct Serving {
    child: Child,
    /// Its address.
    pub(crate) base: String,
    log: Option<JoinHandle<String>>,
}

impl Serving {
    pub(crate) async fn start(settings: &Path) -> Self {
        let mut child = trade(&["serve"], settings).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut before = String::new();
        let base = tokio::task::block_in_place(|| {
            loop {
                let line = lines
                    .next()
                    .unwrap_or_else(|| panic!("it ended: {before}"))
                    .unwrap();
                if let Some((_, address)) = line.split_once("serving address=") {
                    return format!("http://{address}");
                }
                before.push_str(&line);
                before.push('\n');
            }
        });
        let log = thread::spawn(move || before + &lines.map_while(Result::ok).collect::<Vec<_>>().join("\n"));
        Self {
            child,
            base,
            log: Some(log),
        }
    }

    /// The process, for who looks at it from outside.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it politely to end.
    pub(crate) fn terminate(&self) {
        let pid = self.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
    }

    /// Ends it at once, as a power cut does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Its exit and what it has logged, after a polite request.
    pub(crate) async fn end(self) -> (ExitStatus, String) {
        self.terminate();
        self.ended().await
    }

    /// Its exit and what it has logged, once it has ended.
    pub(crate) async fn ended(mut self) -> (ExitStatus, String) {
        tokio::task::spawn_blocking(move || {
            let status = self.child.wait().unwrap();
            (status, self.log.take().unwrap().join().unwrap())
        })
        .await
        .unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Of a test that failed.
        let _gone = self.child.kill();
    }
}
