//! Where events are sent, and with which secrets.

use std::{fmt, net::IpAddr, time::Duration};

use trade_core::{Event, ProductAppId, Secret};
use url::{Host, Url};

use crate::{WebhookError, WebhookSecret};

/// A longer time-out than this, and an event would outlast the relay's claim on it.
const LONGEST: Duration = Duration::from_secs(10);

/// One receiver.
#[derive(Clone)]
pub struct WebhookSettings {
    /// Where requests go. A secret, since some carry a token or a password.
    pub url: Secret,
    /// What requests are signed with.
    pub secret: WebhookSecret,
    /// The secret before, while receivers still have that one: requests are signed with it, too.
    pub previous_secret: Option<WebhookSecret>,
    /// The order systems whose events go there; all, when there is none.
    pub apps: Vec<ProductAppId>,
    /// How long a request may take, 1 to 10 seconds.
    pub timeout: Duration,
    /// Whether requests may go unencrypted to another machine.
    pub allow_http: bool,
    /// The certificate of an authority of one's own, in PEM, that is trusted beside those of the machine.
    pub ca_pem: Option<String>,
}

impl WebhookSettings {
    /// A receiver of all events, that has 10 s to answer and is reached by HTTPS.
    pub fn new(url: impl Into<String>, secret: WebhookSecret) -> Self {
        Self {
            url: Secret::new(url),
            secret,
            previous_secret: None,
            apps: Vec::new(),
            timeout: LONGEST,
            allow_http: false,
            ca_pem: None,
        }
    }

    /// Finds what can be found without sending anything.
    ///
    /// # Errors
    /// [`WebhookError::Settings`] with the field and its rule.
    pub fn check(&self) -> Result<(), WebhookError> {
        self.client().map(drop)
    }

    /// Whether that event goes there.
    pub(crate) fn wants(&self, event: &Event) -> bool {
        self.apps.is_empty() || self.apps.contains(&event.message.product_app_id)
    }

    /// The receiver for people: its host alone, as user, password, path and query may all be secret.
    pub(crate) fn endpoint(&self) -> String {
        let url = Url::parse(self.url.expose()).ok().filter(Url::has_host);
        url.map_or_else(|| "(not a URL)".into(), |url| url.origin().ascii_serialization())
    }

    /// The checked URL, and what requests are sent with.
    pub(crate) fn client(&self) -> Result<(Url, reqwest::Client), WebhookError> {
        let url = self.parsed()?;
        if !(Duration::from_secs(1)..=LONGEST).contains(&self.timeout) {
            return Err(wrong("timeout_secs", "must be 1 to 10"));
        }
        let mut client = reqwest::Client::builder()
            .user_agent(concat!("trade-webhook/", env!("CARGO_PKG_VERSION")))
            .timeout(self.timeout)
            // Less than the whole, so that a receiver that is away is told from one that says nothing.
            .connect_timeout(self.timeout / 2)
            // Many receivers close a line that was idle for five seconds.
            .pool_idle_timeout(Duration::from_secs(4))
            .redirect(reqwest::redirect::Policy::none());
        if let Some(pem) = &self.ca_pem {
            let authority = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                .ok()
                .filter(|authority| !authority.is_empty())
                .ok_or_else(|| wrong("ca_file", "has no certificate in PEM"))?;
            client = authority
                .into_iter()
                .fold(client, reqwest::ClientBuilder::add_root_certificate);
        }
        let client = client
            .build()
            .map_err(|error| wrong("ca_file", format!("cannot be used: {error}")))?;
        Ok((url, client))
    }

    fn parsed(&self) -> Result<Url, WebhookError> {
        // The cause is left out: it may quote the URL.
        let url = Url::parse(self.url.expose()).ok().filter(Url::has_host);
        let Some(url) = url else {
            return Err(wrong("url", "must look like https://orders.example.com/payments"));
        };
        match url.scheme() {
            "https" => Ok(url),
            "http" if self.allow_http || is_loopback(&url) => Ok(url),
            "http" => Err(wrong(
                "url",
                "must be https: on the way an event could be read, and a receiver that does not check signatures be \
                 told of payments that were never made. Set allow_http = true where nobody else is on the network",
            )),
            _ => Err(wrong("url", "must begin with https://")),
        }
    }
}

fn wrong(field: &'static str, rule: impl Into<String>) -> WebhookError {
    WebhookError::Settings {
        field,
        rule: rule.into(),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSettings")
            .field("endpoint", &self.endpoint())
            .field("apps", &self.apps)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> WebhookSettings {
        let secret = WebhookSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        WebhookSettings::new(url, secret)
    }

    #[test]
    fn only_what_is_encrypted_or_stays_on_the_machine_is_sent() {
        for good in [
            "https://orders.example.com/payments",
            "http://127.0.0.1:8080/x",
            "http://[::1]/",
            "http://localhost:1",
        ] {
            settings(good).check().unwrap();
        }
        for (bad, rule) in [
            ("http://orders.example.com/", "must be https"),
            ("http://localhost.example.com/", "must be https"),
            ("http://128.0.0.1/", "must be https"),
            ("ftp://127.0.0.1/", "must begin with https"),
            ("orders.example.com", "must look like"),
            ("https://", "must look like"),
            ("", "must look like"),
        ] {
            let error = settings(bad).check().unwrap_err().to_string();
            assert!(error.contains("url: ") && error.contains(rule), "{bad}: {error}");
        }
        let allowed = WebhookSettings {
            allow_http: true,
            ..settings("http://orders.internal/")
        };
        allowed.check().unwrap();
    }

    #[test]
    fn other_settings_that_cannot_work_are_named() {
        for millis in [0, 999, 10_001] {
            let wrong = WebhookSettings {
                timeout: Duration::from_millis(millis),
                ..settings("https://orders.example.com/")
            };
            assert!(wrong.check().unwrap_err().to_string().contains("timeout_secs: "));
        }
        for pem in [
            "",
            "hello",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let wrong = WebhookSettings {
                ca_pem: Some(pem.into()),
                ..settings("https://orders.example.com/")
            };
            let error = wrong.check().unwrap_err().to_string();
            assert!(error.contains("ca_file: "), "{pem}: {error}");
        }
    }

    #[test]
    fn what_may_be_secret_in_a_url_is_not_shown() {
        for url in [
            "https://s3cret:s3cret@orders.example.com:8443/s3cret?token=s3cret#s3cret",
            "ftp://s3cret@orders.example.com/s3cret",
            "s3cret",
            "https:s3cret@@x y/",
        ] {
            let settings = settings(url);
            let error = settings.check().err().map(|error| format!("{error} {error:?}"));
            let shown = format!("{settings:?} {} {error:?}", settings.endpoint());
            assert!(!shown.contains("s3cret"), "{shown}");
        }
        let endpoint = settings("https://u:p@orders.example.com:8443/payments?x=1").endpoint();
        assert_eq!(endpoint, "https://orders.example.com:8443");
    }
}
