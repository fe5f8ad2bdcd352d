//! One connection with one channel.

use std::{fmt, time::Duration};

use lapin::{
    Channel, Connection, ConnectionProperties, ExchangeKind,
    options::{ConfirmSelectOptions, ExchangeDeclareOptions},
    types::FieldTable,
};

use crate::{MqError, RabbitSettings, settings::short};

/// A connection and its channel: they live and break together.
pub(crate) struct Link {
    pub(crate) channel: Channel,
    connection: Connection,
}

impl Link {
    /// Connects within the time of the settings. The client library may wait for ever when the line breaks during
    /// the handshake, so nothing but the time-out ends that.
    pub(crate) async fn open(settings: &RabbitSettings) -> Result<Self, MqError> {
        let after = settings.connect_timeout;
        match tokio::time::timeout(after, Self::connect(settings)).await {
            Ok(connected) => connected,
            Err(_elapsed) => Err(MqError::ConnectTimedOut {
                broker: settings.broker(),
                after,
            }),
        }
    }

    async fn connect(settings: &RabbitSettings) -> Result<Self, MqError> {
        let name = settings.connection_name.as_str().into();
        let properties = ConnectionProperties::default().with_connection_name(name);
        let failed = |source| MqError::connect(settings.broker(), source);
        let connection = Connection::connect_uri(settings.uri()?, properties)
            .await
            .map_err(failed)?;
        let channel = connection.create_channel().await.map_err(failed)?;
        Ok(Self { channel, connection })
    }

    /// Asks for confirms, and declares the exchange when the settings say so.
    pub(crate) async fn prepare_to_publish(&self, settings: &RabbitSettings) -> Result<(), MqError> {
        within(settings.confirm_timeout, "asked for confirms", async {
            self.channel.confirm_select(ConfirmSelectOptions::default()).await
        })
        .await?;
        if settings.declare {
            self.declare_exchange(settings).await?;
        }
        Ok(())
    }

    pub(crate) async fn declare_exchange(&self, settings: &RabbitSettings) -> Result<(), MqError> {
        let exchange = short("exchange", &settings.exchange)?;
        let durable = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        within(settings.confirm_timeout, "declared the exchange", async {
            self.channel
                .exchange_declare(exchange, ExchangeKind::Topic, durable, FieldTable::default())
                .await
        })
        .await
    }

    pub(crate) fn is_up(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }

    /// Says good-bye; whether the broker hears it does not matter.
    pub(crate) async fn close(self) {
        let farewell = self.connection.close(200, "done".into());
        if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(1), farewell).await {
            tracing::debug!(%error, "the connection was gone before it was closed");
        }
    }
}

/// Waits for an answer of the broker, but not for ever.
pub(crate) async fn within<T>(
    after: Duration,
    doing: &'static str,
    answer: impl Future<Output = lapin::Result<T>>,
) -> Result<T, MqError> {
    tokio::time::timeout(after, answer)
        .await
        .map_err(|_elapsed| MqError::TimedOut { doing, after })?
        .map_err(|source| MqError::broken(doing, source))
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("up", &self.is_up()).finish()
    }
}
