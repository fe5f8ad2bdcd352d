//! One connection with one channel.

use std::{fmt, time::Duration};

use lapin::{
    Channel, Connection, ConnectionProperties, ExchangeKind, options::ExchangeDeclareOptions,
    tcp::OwnedTLSConfig, types::FieldTable,
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
        let failed = |source: lapin::Error| MqError::connect(settings.broker(), source);
        let tls = OwnedTLSConfig {
            identity: None,
            cert_chain: settings.ca_pem.clone(),
        };
        let runtime = lapin::runtime::default_runtime().map_err(failed)?;
        let connection = Connection::connect_uri_with_config(settings.uri()?, properties, tls, runtime)
            .await
            .map_err(failed)?;
        let channel = connection.create_channel().await.map_err(failed)?;
        Ok(Self { channel, connection })
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

    /// Another channel over the same connection.
    pub(crate) async fn another_channel(&self) -> lapin::Result<Channel> {
        self.connection.create_channel().await
    }

    /// Whether the broker has said that it takes no messages for now.
    pub(crate) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Says good-bye; whether the broker has heard it.
    pub(crate) async fn close(&self) -> bool {
        let farewell = self.connection.close(200, "done".into());
        match tokio::time::timeout(Duration::from_secs(1), farewell).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::debug!(%error, "the connection was gone before it was closed");
                false
            }
            Err(_elapsed) => false,
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
