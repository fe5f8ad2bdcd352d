//! One connection with as many channels as there are publishes at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lapin::{Channel, options::ConfirmSelectOptions};

use crate::{
    MqError, RabbitSettings,
    link::{Link, within},
};

/// A connection to publish over. A channel is one publish's alone until it is confirmed: a returned message can
/// then only belong to the confirm that is being waited for.
#[derive(Debug)]
pub(crate) struct Pool {
    link: Link,
    idle: Mutex<Vec<Channel>>,
}

impl Pool {
    /// Connects, and declares the exchange when the settings say so, all within the time of the settings.
    pub(crate) async fn open(settings: &RabbitSettings) -> Result<Self, MqError> {
        let after = settings.connect_timeout;
        let opened = async {
            let link = Link::open(settings).await?;
            confirm(&link.channel, settings).await?;
            if settings.declare {
                link.declare_exchange(settings).await?;
            }
            let idle = Mutex::new(vec![link.channel.clone()]);
            Ok(Self { link, idle })
        };
        tokio::time::timeout(after, opened)
            .await
            .unwrap_or_else(|_elapsed| {
                Err(MqError::ConnectTimedOut {
                    broker: settings.broker(),
                    after,
                })
            })
    }

    /// A channel that nobody else uses, with confirms.
    pub(crate) async fn take(&self, settings: &RabbitSettings) -> Result<Channel, MqError> {
        let idle = self.idle().pop();
        if let Some(channel) = idle {
            return Ok(channel);
        }
        let channel = within(
            settings.confirm_timeout,
            "opened a channel",
            self.link.another_channel(),
        )
        .await?;
        confirm(&channel, settings).await?;
        Ok(channel)
    }

    /// Puts a channel back that waits for no confirm.
    pub(crate) fn put_back(&self, channel: Channel) {
        if channel.status().connected() {
            self.idle().push(channel);
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.link.is_up()
    }

    /// Whether the broker has said that it takes no messages for now.
    pub(crate) fn is_blocked(&self) -> bool {
        self.link.is_blocked()
    }

    /// Says good-bye; whether the broker has heard it.
    pub(crate) async fn close(&self) -> bool {
        self.link.close().await
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Channel>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn confirm(channel: &Channel, settings: &RabbitSettings) -> Result<(), MqError> {
    let asked = channel.confirm_select(ConfirmSelectOptions::default());
    within(settings.confirm_timeout, "asked for confirms", asked).await
}
