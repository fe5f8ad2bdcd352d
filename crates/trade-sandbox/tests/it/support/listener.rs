//! A merchant's notify address: it writes down what arrives and answers as it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::IntoResponse,
    routing::post,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

#[derive(Default)]
struct Inbox {
    heard: Vec<Heard>,
    answers: VecDeque<(u16, String)>,
}

type Shared = Arc<Mutex<Inbox>>;

/// The listening merchant. Answers 200 with `success` when it was not told otherwise, which both channels
/// take for an acknowledgement.
pub(crate) struct Listener {
    inbox: Shared,
    url: String,
    task: JoinHandle<()>,
}

impl Listener {
    pub(crate) async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let inbox = Shared::default();
        let router = Router::new()
            .route("/{*path}", post(hear))
            .with_state(Arc::clone(&inbox));
        let task = tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        Self { inbox, url, task }
    }

    /// An address of this merchant.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.url)
    }

    /// Answers the next request, or the one after those already arranged, like this.
    pub(crate) fn answer(&self, status: u16, body: &str) {
        let mut inbox = self.inbox.lock().unwrap();
        inbox.answers.push_back((status, body.to_owned()));
    }

    /// What arrived so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.inbox.lock().unwrap().heard.clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hear(State(inbox): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let mut inbox = inbox.lock().unwrap();
    inbox.heard.push(Heard {
        path: uri.path().to_owned(),
        headers,
        body: body.to_vec(),
    });
    let (status, body) = inbox.answers.pop_front().unwrap_or((200, "success".to_owned()));
    (StatusCode::from_u16(status).unwrap(), body)
}
