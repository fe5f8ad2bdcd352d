//! How to reach the broker.

use std::{fmt, time::Duration};

use lapin::{types::ShortString, uri::AMQPUri};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::MqError;

/// The exchange the order systems listen to.
pub const EXCHANGE: &str = "jzo2o.exchange.topic.trade";

/// The queue the order system of jzo2o reads payments from.
pub const ORDERS_QUEUE: &str = "jzo2o.queue.orders.trade.update.Status";

/// Seconds between heartbeats when the URL does not say: a dead peer is noticed after two.
const HEARTBEAT_S: u16 = 20;

/// How to reach the broker, and how patiently.
///
/// `Debug` shows the URL without its password.
///
/// ```
/// use trade_mq::RabbitSettings;
///
/// let settings = RabbitSettings::new("amqp://trade:s3cret@rabbit:5672/%2f");
/// assert!(!format!("{settings:?}").contains("s3cret"));
/// ```
#[derive(Clone)]
pub struct RabbitSettings {
    /// `amqp://user:password@host:5672/%2f`, or `amqps://` for TLS by the machine's own trust store and `ca_pem`.
    /// The last part is the virtual host, percent-encoded. `?heartbeat=` in seconds is understood.
    pub url: String,
    /// The topic exchange.
    pub exchange: String,
    /// Whether to declare the exchange (durable, topic) on connecting. Harmless when it exists as such;
    /// switch it off for a user without the `configure` permission.
    pub declare: bool,
    /// How long to wait for the broker's confirm of one message, and for every other answer on a connection.
    pub confirm_timeout: Duration,
    /// How long to wait for a connection, from the first packet to the declared exchange.
    pub connect_timeout: Duration,
    /// The wait after the first failure; it doubles with every further one.
    pub backoff_first: Duration,
    /// The longest wait between two attempts.
    pub backoff_longest: Duration,
    /// The name of the connection in the broker's management pages.
    pub connection_name: String,
    /// The certificate of an authority of one's own, in PEM, that is trusted beside those of the machine.
    pub ca_pem: Option<String>,
}

impl RabbitSettings {
    /// The usual settings for the broker at `url`: the exchange [`EXCHANGE`], declared; 5 s for a confirm, 5 s for
    /// a connection; back-off from 1 s to 60 s.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            exchange: EXCHANGE.into(),
            declare: true,
            confirm_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            backoff_first: Duration::from_secs(1),
            backoff_longest: Duration::from_secs(60),
            connection_name: "trade".into(),
            ca_pem: None,
        }
    }

    /// Finds what can be found without a broker.
    ///
    /// # Errors
    /// [`MqError::Settings`] with the field and what to write instead.
    pub fn check(&self) -> Result<(), MqError> {
        self.uri()?;
        if self.exchange.is_empty() {
            return Err(MqError::Settings(format!(
                "`exchange` is empty; the usual one is {EXCHANGE}"
            )));
        }
        short("exchange", &self.exchange)?;
        for (name, duration) in [
            ("confirm_timeout", self.confirm_timeout),
            ("connect_timeout", self.connect_timeout),
            ("backoff_first", self.backoff_first),
        ] {
            if duration.is_zero() {
                return Err(MqError::Settings(format!("`{name}` must be longer than nothing")));
            }
        }
        if let Some(pem) = &self.ca_pem {
            if !self.url.starts_with("amqps:") {
                let rule = "`ca_file` is of no use without TLS: the URL must begin with amqps://";
                return Err(MqError::Settings(rule.into()));
            }
            if !holds_authority(pem) {
                return Err(MqError::Settings("`ca_file` has no certificate in PEM".into()));
            }
        }
        if self.backoff_longest < self.backoff_first {
            return Err(MqError::Settings(
                "`backoff_longest` must not be shorter than `backoff_first`".into(),
            ));
        }
        Ok(())
    }

    /// So long a publish may take in all: as long as it takes to connect and to be confirmed. Where several instances
    /// relay, it must not outlast the claim on an event; with the usual settings it does not.
    pub(crate) fn publish_limit(&self) -> Duration {
        self.connect_timeout.saturating_add(self.confirm_timeout)
    }

    /// The URL for people: without the password.
    #[must_use]
    pub fn broker(&self) -> String {
        // Of anything but a proper AMQP URL nobody knows where in it a password is: a `#`, `?` or `/` in one that is
        // not percent-encoded moves it into another part.
        let is_proper = |url: &url::Url| {
            matches!(url.scheme(), "amqp" | "amqps") && url.has_host() && !url.path().contains('@')
        };
        let shown = url::Url::parse(&self.url)
            .ok()
            .filter(is_proper)
            .and_then(|mut url| {
                url.set_fragment(None);
                url.set_query(None);
                if url.password().is_some() {
                    url.set_password(Some("***")).ok()?;
                }
                Some(String::from(url))
            });
        shown.unwrap_or_else(|| "(not a URL of a broker)".into())
    }

    pub(crate) fn uri(&self) -> Result<AMQPUri, MqError> {
        // The cause is left out: it may quote the URL, and with it the password.
        let mut uri: AMQPUri = self.url.parse().map_err(|_cause| {
            MqError::Settings(format!(
                "`url` must look like amqp://user:password@host:5672/%2f, percent-encode special characters in user \
                 and password; it is {}",
                self.broker()
            ))
        })?;
        if uri.vhost.is_empty() {
            return Err(MqError::Settings(format!(
                "`url` ends with a bare slash, which names a virtual host without a name; write `/%2f` for the default \
                 one; it is {}",
                self.broker()
            )));
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
        let timeout_ms = u64::try_from(self.connect_timeout.as_millis()).unwrap_or(u64::MAX);
        uri.query.connection_timeout.get_or_insert(timeout_ms);
        Ok(uri)
    }
}

/// Whether a text holds certificates, all of which can be trusted.
fn holds_authority(pem: &str) -> bool {
    let mut authorities = RootCertStore::empty();
    let mut certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
    certificates.all(|certificate| certificate.is_ok_and(|it| authorities.add(it).is_ok()))
        && !authorities.is_empty()
}

/// A name as the protocol carries it.
pub(crate) fn short(what: &str, name: &str) -> Result<ShortString, MqError> {
    ShortString::try_new(name)
        .map_err(|_| MqError::Settings(format!("`{what}` is longer than 255 bytes: {name}")))
}

impl fmt::Debug for RabbitSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitSettings")
            .field("url", &self.broker())
            .field("exchange", &self.exchange)
            .field("declare", &self.declare)
            .field("confirm_timeout", &self.confirm_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("backoff_first", &self.backoff_first)
            .field("backoff_longest", &self.backoff_longest)
            .field("connection_name", &self.connection_name)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECURE: &str = "amqps://broker/%2f";
    const NO_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    #[test]
    fn the_password_is_never_shown() {
        for url in [
            "amqp://trade:s3cret@rabbit:5672/%2f",
            "amqps://trade:s3cret@rabbit",
            "amqp://trade:s3cret@rabbit:99999/%2f",
            "amqp://trade:s3cret@rabbit:5672/",
            "http://trade:s3cret@rabbit/",
            "trade:s3cret@rabbit",
            "amqp:trade:s3cret@rabbit",
            "amqp://trade:s3cret@@rabbit",
            "amqp://trade:#s3cret@rabbit",
            "amqp://trade:?s3cret@rabbit",
            "amqp://trade:1/s3cret@rabbit",
            "s3cret",
        ] {
            let settings = RabbitSettings::new(url);
            assert!(!format!("{settings:?}").contains("s3cret"), "{settings:?}");
            if let Err(error) = settings.check() {
                assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
            }
        }
    }

    #[test]
    fn what_cannot_work_is_found_before_connecting() {
        let good = || RabbitSettings::new("amqp://guest:guest@127.0.0.1:5672/%2f");
        assert!(good().check().is_ok());
        assert!(
            RabbitSettings::new("amqp://guest:guest@127.0.0.1")
                .check()
                .is_ok()
        );
        let bad = |change: fn(&mut RabbitSettings), word: &str| {
            let mut settings = good();
            change(&mut settings);
            let text = settings.check().unwrap_err().to_string();
            assert!(text.contains(word), "{text}");
        };
        bad(|it| it.url = "http://127.0.0.1".into(), "amqp://user");
        bad(|it| it.url = "amqp://127.0.0.1/".into(), "%2f");
        bad(|it| it.ca_pem = Some(NO_CERTIFICATE.into()), "without TLS");
        bad(
            |it| (it.url, it.ca_pem) = (SECURE.into(), Some("hello".into())),
            "PEM",
        );
        bad(
            |it| (it.url, it.ca_pem) = (SECURE.into(), Some(NO_CERTIFICATE.into())),
            "PEM",
        );
        bad(|it| it.exchange.clear(), "exchange");
        bad(|it| it.exchange = "x".repeat(256), "255");
        bad(|it| it.confirm_timeout = Duration::ZERO, "confirm_timeout");
        bad(|it| it.connect_timeout = Duration::ZERO, "connect_timeout");
        bad(|it| it.backoff_first = Duration::ZERO, "backoff_first");
        bad(
            |it| it.backoff_longest = Duration::from_millis(1),
            "backoff_longest",
        );
    }
}
