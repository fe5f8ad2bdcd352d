//! Sending.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::{Client, Response, header};
use trade_core::{
    Event,
    port::{Clock, EventSink, SinkError},
};
use url::Url;

use crate::{ID, SIGNATURE, TIMESTAMP, WebhookError, WebhookSettings, rest::Rest};

/// So much of an answer other than 2xx is shown, in characters.
const SHOWN: usize = 120;
/// So long is waited for it.
const SHOWN_WITHIN: Duration = Duration::from_secs(1);

/// Sends events to one receiver, each as a signed request of its own, and takes its word: 2xx or not.
///
/// What it has for other order systems it takes without sending anything. A receiver that is silent or away is left
/// alone for a while, at most a minute; meanwhile its events are refused at once. They stay in the outbox.
#[derive(Debug)]
pub struct WebhookSink {
    settings: WebhookSettings,
    endpoint: String,
    url: Url,
    http: Client,
    clock: Arc<dyn Clock>,
    rest: Rest,
}

impl WebhookSink {
    /// A sink that has sent nothing yet.
    ///
    /// # Errors
    /// [`WebhookError::Settings`]: the settings cannot work.
    pub fn new(settings: WebhookSettings, clock: Arc<dyn Clock>) -> Result<Self, WebhookError> {
        let (url, http) = settings.client()?;
        Ok(Self {
            endpoint: settings.endpoint(),
            settings,
            url,
            http,
            clock,
            rest: Rest::new(),
        })
    }

    async fn send(&self, event: &Event) -> Result<(), WebhookError> {
        if let Some((wait, reason)) = self.rest.left(&*self.clock) {
            return Err(WebhookError::Resting {
                endpoint: self.endpoint.clone(),
                wait,
                reason,
            });
        }
        let sent = self.clock.monotonic();
        let answer = self.post(event).await;
        match &answer {
            Err(error) if error.costs_time() => self.rest.begin(&*self.clock, sent, error.to_string()),
            Ok(()) | Err(_) => self.rest.answered(),
        }
        answer
    }

    async fn post(&self, event: &Event) -> Result<(), WebhookError> {
        let body = event.body()?;
        let (id, secs) = (event.event_id.to_string(), self.clock.now().secs().to_string());
        let signature = self.signature(&id, &secs, body.as_bytes());
        let request = self
            .http
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(ID, id)
            .header(TIMESTAMP, secs)
            .header(SIGNATURE, signature)
            .body(body);
        let answer = request
            .send()
            .await
            .map_err(|error| WebhookError::of(self.endpoint.clone(), self.settings.timeout, error))?;
        // What it says beside its status is of no use when that is a success, and not waited for.
        if answer.status().is_success() {
            return Ok(());
        }
        let status = answer.status();
        Err(WebhookError::answered(
            self.endpoint.clone(),
            status,
            beginning(answer).await,
        ))
    }

    fn signature(&self, id: &str, secs: &str, body: &[u8]) -> String {
        let mut signature = self.settings.secret.sign(id, secs, body);
        if let Some(previous) = &self.settings.previous_secret {
            signature = format!("{signature} {}", previous.sign(id, secs, body));
        }
        signature
    }
}

/// How an answer begins, however long it is: what has come of it within a moment.
async fn beginning(mut answer: Response) -> String {
    let chunk = tokio::time::timeout(SHOWN_WITHIN, answer.chunk()).await;
    let Ok(Ok(Some(chunk))) = chunk else {
        return String::new();
    };
    let start = chunk.get(..SHOWN * 4).unwrap_or(&chunk);
    String::from_utf8_lossy(start).chars().take(SHOWN).collect()
}

#[async_trait]
impl EventSink for WebhookSink {
    async fn publish(&self, event: &Event) -> Result<(), SinkError> {
        if !self.settings.wants(event) {
            return Ok(());
        }
        self.send(event).await.map_err(SinkError::from)
    }
}
