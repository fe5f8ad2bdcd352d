//! A Redis of a test's own, to be stopped and started.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A Redis on a port of its own that keeps nothing on disk; it ends with this.
#[derive(Debug)]
pub(crate) struct PrivateRedis {
    port: u16,
    options: Vec<String>,
    process: Option<Child>,
}

impl PrivateRedis {
    /// One that does not run yet.
    pub(crate) fn stopped(options: &[&str]) -> Self {
        // The port stays free: nothing else asks for this one.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        Self {
            port: listener.local_addr().unwrap().port(),
            options: options.iter().map(ToString::to_string).collect(),
            process: None,
        }
    }

    pub(crate) fn running(options: &[&str]) -> Self {
        let mut redis = Self::stopped(options);
        redis.start();
        redis
    }

    pub(crate) fn start(&mut self) {
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--loglevel", "warning"])
            .args(&self.options)
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::null())
            .spawn()
            .expect("these tests need redis-server: install Debian's package of that name");
        self.process = Some(process);
        for _ in 0..3000 {
            if self.answers() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("redis-server did not come up within a minute");
    }

    /// Ends it at once, as by `kill -9`.
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    fn answers(&self) -> bool {
        let asked = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).and_then(|mut line| {
            line.set_read_timeout(Some(Duration::from_secs(1)))?;
            line.write_all(b"PING\r\n")?;
            let mut first = [0];
            line.read_exact(&mut first)
        });
        asked.is_ok()
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _gone = process.kill();
            let _gone = process.wait();
        }
    }
}
