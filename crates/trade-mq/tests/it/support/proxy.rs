//! A line to the broker that can be cut.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::{broker_url, until};

/// The state of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// Bytes pass.
    Open,
    /// Connections are cut, new ones are dropped at once.
    Cut,
    /// Connections stay, nothing passes.
    Silent,
}

/// Stands between a test and the broker.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    line: watch::Sender<Line>,
    passing: Arc<AtomicU32>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (line, state) = watch::channel(Line::Open);
        let passing = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&passing);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                if *state.borrow() != Line::Cut {
                    count.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(carry(socket, state.clone(), Arc::clone(&count)));
                }
            }
        });
        Self { port, line, passing }
    }

    /// The broker's URL, by way of this.
    pub(crate) fn url(&self) -> String {
        let mut url = url::Url::parse(&broker_url()).unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.port)).unwrap();
        url.into()
    }

    /// Returns once no byte passes any more, unless the line is open.
    pub(crate) async fn set(&self, line: Line) {
        self.line.send_replace(line);
        if line != Line::Open {
            until("nothing passes", || self.passing.load(Ordering::SeqCst) == 0).await;
        }
    }

    /// Cuts every connection; soon after, new ones pass.
    pub(crate) async fn cut_once(&self) {
        self.set(Line::Cut).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.set(Line::Open).await;
    }
}

async fn carry(mut near: TcpStream, mut state: watch::Receiver<Line>, passing: Arc<AtomicU32>) {
    let url = url::Url::parse(&broker_url()).unwrap();
    let address = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5672));
    let mut far = TcpStream::connect(address).await.unwrap();
    let has_ended = tokio::select! {
        biased;
        () = changed_to(&mut state, |line| line != Line::Open) => false,
        _ended = copy_bidirectional(&mut near, &mut far) => true,
    };
    passing.fetch_sub(1, Ordering::SeqCst);
    if !has_ended {
        changed_to(&mut state, |line| line == Line::Cut).await;
    }
}

async fn changed_to(state: &mut watch::Receiver<Line>, wanted: fn(Line) -> bool) {
    let _gone = state.wait_for(|line| wanted(*line)).await.is_err();
}
