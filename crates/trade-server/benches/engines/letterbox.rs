//! Where the channel's notices go first, so that they can be delivered as fast as the server takes them.

use std::{
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Uri, header},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A notice on its way.
pub(crate) struct Notice {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The channel sends its notices within seconds.
const PATIENCE: Duration = Duration::from_secs(300);

type Caught = Arc<Mutex<Vec<Notice>>>;

pub(crate) struct Letterbox {
    /// Its address.
    pub(crate) url: String,
    caught: Caught,
}

impl Letterbox {
    pub(crate) async fn open() -> Self {
        let caught = Caught::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(Arc::clone(&caught));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, caught }
    }

    /// So many notices, once they are here.
    pub(crate) async fn caught(&self, count: usize) -> Vec<Notice> {
        let all_here = async {
            while self.caught.lock().unwrap().len() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let here = tokio::time::timeout(PATIENCE, all_here).await;
        here.unwrap_or_else(|_| panic!("of {count} notices, some did not come"));
        mem::take(&mut self.caught.lock().unwrap())
    }
}

async fn take(State(caught): State<Caught>, uri: Uri, mut headers: HeaderMap, body: Bytes) -> Json<Value> {
    headers.remove(header::HOST);
    headers.remove(header::CONTENT_LENGTH);
    let path = uri.path().to_owned();
    caught.lock().unwrap().push(Notice { path, headers, body });
    Json(json!({"code": "SUCCESS", "message": ""}))
}
