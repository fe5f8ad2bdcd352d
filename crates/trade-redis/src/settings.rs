//! How to reach Redis.

use std::{fmt, time::Duration};

use redis::TlsCertificates;
use trade_core::Secret;

use crate::RedisError;

/// How to reach Redis, and how patiently. `Debug` shows the URL without its password.
///
/// ```
/// use trade_redis::RedisSettings;
///
/// let settings = RedisSettings::new("redis://:s3cret@cache:6379/0");
/// assert!(!format!("{settings:?}").contains("s3cret"));
/// ```
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://user:password@host:6379/0`, or `rediss://` for TLS by the machine's own trust store, or by
    /// `ca_pem`. The last part is the number of the database.
    pub url: Secret,
    /// What every key starts with; a colon follows. Instances that share one database share it.
    pub prefix: String,
    /// How long to wait for a connection, from the first packet to the first answer.
    pub connect_timeout: Duration,
    /// How long to wait for an answer.
    pub response_timeout: Duration,
    /// The wait after the first failure to connect; it doubles with every further one.
    pub backoff_first: Duration,
    /// The longest wait between two attempts.
    pub backoff_longest: Duration,
    /// How often Redis is asked whether it still takes writes.
    pub probe_every: Duration,
    /// The certificate of an authority of one's own, in PEM: the one that is trusted then, in the place of those of
    /// the machine.
    pub ca_pem: Option<String>,
}

impl RedisSettings {
    /// The usual settings for the Redis at `url`: keys under `trade`; 2 s for a connection, half a second for an
    /// answer; back-off from a quarter of a second to 8 s; a probe every 2 s.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: Secret::new(url),
            prefix: "trade".into(),
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_millis(500),
            backoff_first: Duration::from_millis(250),
            backoff_longest: Duration::from_secs(8),
            probe_every: Duration::from_secs(2),
            ca_pem: None,
        }
    }

    /// Finds what can be found without Redis.
    ///
    /// # Errors
    /// [`RedisError::Settings`] with the field and what to write instead.
    pub fn check(&self) -> Result<(), RedisError> {
        self.client()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
        if self.prefix.is_empty() || self.prefix.len() > 64 || !self.prefix.bytes().all(plain) {
            return Err(RedisError::Settings {
                field: "prefix",
                rule: "must be 1 to 64 letters, digits, `_`, `-`, `.` or `:`".into(),
            });
        }
        for (field, duration) in [
            ("connect_timeout", self.connect_timeout),
            ("response_timeout", self.response_timeout),
            ("backoff_first", self.backoff_first),
            ("probe_every", self.probe_every),
        ] {
            if duration.is_zero() {
                return Err(RedisError::Settings {
                    field,
                    rule: "must be longer than nothing".into(),
                });
            }
        }
        Ok(())
    }

    /// The URL for people: without the password.
    #[must_use]
    pub fn place(&self) -> String {
        // Of anything but a proper URL nobody knows where in it a password is: a `#`, `?` or `/` in one that is not
        // percent-encoded moves it into another part.
        let is_proper = |url: &url::Url| {
            matches!(url.scheme(), "redis" | "rediss") && url.has_host() && !url.path().contains('@')
        };
        let shown = url::Url::parse(self.url.expose())
            .ok()
            .filter(is_proper)
            .and_then(|mut url| {
                (url.query().is_none() && url.fragment().is_none()).then_some(())?;
                if url.password().is_some() {
                    url.set_password(Some("***")).ok()?;
                }
                Some(String::from(url))
            });
        shown.unwrap_or_else(|| "(not a URL of a Redis)".into())
    }

    pub(crate) fn client(&self) -> Result<redis::Client, RedisError> {
        // The cause is left out: it may quote the URL, and with it the password.
        let opened = redis::Client::open(self.url.expose()).ok();
        let client = opened
            .filter(|_| self.place().starts_with("redis"))
            .ok_or_else(|| RedisError::Settings {
                field: "url",
                rule: format!(
                    "must look like redis://user:password@host:6379/0 or rediss://…, without `?` and `#`, special \
                     characters in user and password percent-encoded, a number at the end; it is {}",
                    self.place()
                ),
            })?;
        match &self.ca_pem {
            Some(pem) if self.url.expose().starts_with("rediss:") => self.trusting(pem),
            Some(_) => Err(wrong_authority(
                "is of no use without TLS: the URL must begin with rediss://",
            )),
            None => Ok(client),
        }
    }

    fn trusting(&self, pem: &str) -> Result<redis::Client, RedisError> {
        let none = || wrong_authority("has no certificate in PEM");
        // The client library takes a text without any.
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(none());
        }
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: Some(pem.as_bytes().to_vec()),
        };
        redis::Client::build_with_tls(self.url.expose(), certificates).map_err(|_cause| none())
    }

    pub(crate) fn key(&self, kind: &str, name: &str) -> String {
        format!("{}:{kind}:{name}", self.prefix)
    }
}

fn wrong_authority(rule: &str) -> RedisError {
    RedisError::Settings {
        field: "ca_file",
        rule: rule.into(),
    }
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("url", &self.place())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_never_shown() {
        for url in [
            "redis://trade:s3cret@cache:6379/0",
            "rediss://:s3cret@cache",
            "redis://:s3cret@cache:99999/0",
            "redis://:s3cret@cache/zero",
            "http://:s3cret@cache/",
            "trade:s3cret@cache",
            "redis:trade:s3cret@cache",
            "redis://trade:#s3cret@cache",
            "redis://trade:?s3cret@cache",
            "redis://trade:1/s3cret@cache",
            "redis://cache/0?password=s3cret",
            "redis+unix:///run/redis?pass=s3cret",
            "s3cret",
        ] {
            let settings = RedisSettings::new(url);
            assert!(!format!("{settings:?}").contains("s3cret"), "{settings:?}");
            if let Err(error) = settings.check() {
                assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
            }
        }
    }

    #[test]
    fn what_cannot_work_is_found_before_connecting() {
        for url in [
            "redis://127.0.0.1",
            "redis://127.0.0.1:6379/3",
            "rediss://u:p@cache/0",
        ] {
            assert!(RedisSettings::new(url).check().is_ok(), "{url}");
        }
        for url in [
            "",
            "127.0.0.1:6379",
            "http://127.0.0.1",
            "redis://",
            "redis://cache/zero",
            "redis://cache/0#insecure",
        ] {
            let error = RedisSettings::new(url).check().unwrap_err().to_string();
            assert!(
                error.starts_with("url: must look like redis://"),
                "{url}: {error}"
            );
        }
        let bad = |change: fn(&mut RedisSettings), field: &str| {
            let mut settings = RedisSettings::new("redis://127.0.0.1");
            change(&mut settings);
            let error = settings.check().unwrap_err().to_string();
            assert!(error.starts_with(field), "{error}");
        };
        bad(|it| it.ca_pem = Some("hello".into()), "ca_file");
        bad(
            |it| {
                it.url = Secret::new("rediss://cache");
                it.ca_pem = Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into());
            },
            "ca_file: has no",
        );
        bad(|it| it.prefix.clear(), "prefix");
        bad(|it| it.prefix = "a b".into(), "prefix");
        bad(|it| it.response_timeout = Duration::ZERO, "response_timeout");
        bad(|it| it.connect_timeout = Duration::ZERO, "connect_timeout");
    }
}
