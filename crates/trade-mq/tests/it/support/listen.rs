//! A listener that remembers, and fails when told.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::watch, task::JoinHandle};
use trade_core::{SystemClock, TradeStatusMsg};
use trade_mq::{Consumer, ConsumerSettings, Handled, ListenError, Listener, RabbitSettings};
use trade_testkit::fixture;

use super::PATIENCE;

type Verdict = dyn Fn(&TradeStatusMsg) -> Result<Handled, ListenError> + Send + Sync;

/// Everything a listener was handed, repeats included.
pub(crate) struct Heard {
    messages: Mutex<Vec<TradeStatusMsg>>,
    verdict: Box<Verdict>,
    hold: Duration,
}

impl Heard {
    pub(crate) fn new(
        verdict: impl Fn(&TradeStatusMsg) -> Result<Handled, ListenError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::slow(Duration::ZERO, verdict)
    }

    /// Takes `hold` for each message.
    pub(crate) fn slow(
        hold: Duration,
        verdict: impl Fn(&TradeStatusMsg) -> Result<Handled, ListenError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            messages: Mutex::default(),
            verdict: Box::new(verdict),
            hold,
        })
    }

    pub(crate) fn ids(&self) -> Vec<i64> {
        let messages = self.messages.lock().unwrap();
        messages
            .iter()
            .filter_map(|message| message.event_id.map(trade_core::EventId::get))
            .collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.messages.lock().unwrap().len()
    }
}

#[async_trait]
impl Listener for Heard {
    async fn on_message(&self, message: &TradeStatusMsg) -> Result<Handled, ListenError> {
        self.messages.lock().unwrap().push(message.clone());
        tokio::time::sleep(self.hold).await;
        (self.verdict)(message)
    }
}

/// Settings for a quick test: 3 deliveries, 20 ms between them.
pub(crate) fn consumer(rabbit: RabbitSettings, queue: &str) -> ConsumerSettings {
    ConsumerSettings {
        max_deliveries: 3,
        retry_delay: Duration::from_millis(20),
        ..ConsumerSettings::new(rabbit, queue, [fixture::app()])
    }
}

/// A consumer that runs.
pub(crate) struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

pub(crate) fn start(settings: ConsumerSettings, heard: &Arc<Heard>) -> Running {
    let listener: Arc<dyn Listener> = heard.clone();
    let consumer = Consumer::new(settings, listener, Arc::new(SystemClock::new())).unwrap();
    let (stop, signal) = watch::channel(false);
    let task = tokio::spawn(async move { consumer.run(signal).await });
    Running { stop, task }
}

impl Running {
    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .expect("it stops")
            .unwrap();
    }
}
