//! Order systems that are told over HTTP.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;
use trade_core::{ProductAppId, Secret};
use trade_webhook::{WebhookError, WebhookSecret, WebhookSettings};

/// `[[webhook]]`: one receiver of events.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where events are sent: `https://`, or `http://` on this machine. A secret, since it may carry a token.
    pub url: Secret,
    /// What requests are signed with: `whsec_` and the base64 of 24 to 64 random bytes.
    pub secret: Secret,
    /// The secret before, while receivers still have that one.
    #[serde(default)]
    pub previous_secret: Option<Secret>,
    /// The order systems (`productAppId`) whose events go there; all, when none is named.
    #[serde(default)]
    pub apps: Vec<String>,
    /// How long it may take to answer, in seconds, 1 to 10.
    #[serde(default = "ten")]
    pub timeout_secs: u64,
    /// Whether events may go unencrypted to another machine.
    #[serde(default)]
    pub allow_http: bool,
    /// A PEM file with an authority of one's own, trusted beside those of the machine.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

const fn ten() -> u64 {
    10
}

impl Webhook {
    pub(super) fn check(&self, at: &str, wrong: &mut Vec<String>) {
        if let Err(faults) = self.settings() {
            wrong.extend(faults.into_iter().map(|fault| format!("{at}.{fault}")));
        }
    }

    /// The same for the sink.
    ///
    /// # Errors
    /// Every setting that cannot work, by name.
    pub fn settings(&self) -> Result<WebhookSettings, Vec<String>> {
        let mut wrong = Vec::new();
        let secret = secret("secret", &self.secret, &mut wrong);
        let previous = self.previous_secret.as_ref();
        let previous_secret = previous.and_then(|text| self::secret("previous_secret", text, &mut wrong));
        let apps = self.apps.iter().map(|name| ProductAppId::new(name.as_str()));
        let apps = apps.collect::<Result<_, _>>().unwrap_or_else(|error| {
            wrong.push(format!("apps: {error}"));
            Vec::new()
        });
        let ca_pem = self.ca_file.as_ref().and_then(|path| {
            std::fs::read_to_string(path)
                .map_err(|error| wrong.push(format!("ca_file: {} cannot be read: {error}", path.display())))
                .ok()
        });
        // So that the other settings are looked at, too, when the secret is none.
        let stand_in = || WebhookSecret::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").ok();
        let Some(secret) = secret.or_else(stand_in) else {
            return Err(wrong);
        };
        let settings = WebhookSettings {
            previous_secret,
            apps,
            timeout: Duration::from_secs(self.timeout_secs),
            allow_http: self.allow_http,
            ca_pem,
            ..WebhookSettings::new(self.url.expose(), secret)
        };
        match settings.check() {
            Ok(()) if wrong.is_empty() => return Ok(settings),
            Ok(()) => {}
            Err(WebhookError::Settings { field, rule }) => wrong.push(format!("{field}: {rule}")),
            Err(error) => wrong.push(error.to_string()),
        }
        Err(wrong)
    }
}

fn secret(field: &str, text: &Secret, wrong: &mut Vec<String>) -> Option<WebhookSecret> {
    WebhookSecret::new(text.expose())
        .map_err(|error| wrong.push(format!("{field}: {error}")))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "url = \"https://orders.example.com/payments\"\n\
                        secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n";

    fn read(text: &str) -> Result<WebhookSettings, String> {
        let webhook: Webhook = toml::from_str(text).map_err(|error| error.to_string())?;
        webhook.settings().map_err(|wrong| wrong.join("\n"))
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        let settings = read(GOOD).unwrap();
        assert!(settings.apps.is_empty() && settings.previous_secret.is_none());
        assert_eq!(settings.timeout, Duration::from_secs(10));
        let apps = read(&format!("{GOOD}apps = [\"jzo2o.orders\"]\ntimeout_secs = 3")).unwrap();
        assert_eq!(apps.apps[0].as_str(), "jzo2o.orders");
        assert_eq!(apps.timeout, Duration::from_secs(3));
    }

    #[test]
    fn every_setting_that_cannot_work_is_named_and_no_secret_is_shown() {
        for (text, names) in [
            (GOOD.replace("https", "http"), vec!["url: "]),
            (GOOD.replace("whsec_", ""), vec!["secret: must begin with whsec_"]),
            (
                GOOD.replace("MfKQ9r8G", ""),
                vec!["secret: must be 24 to 64 bytes"],
            ),
            (
                format!("{GOOD}previous_secret = \"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\""),
                vec!["previous_secret: must begin"],
            ),
            (format!("{GOOD}apps = [\"no blanks\"]"), vec!["apps: "]),
            (format!("{GOOD}timeout_secs = 11"), vec!["timeout_secs: "]),
            (
                format!("{GOOD}ca_file = \"/no/such/file\""),
                vec!["ca_file: /no/such/file"],
            ),
            (
                GOOD.replace("https", "http").replace("whsec_", "") + "apps = [\"\"]",
                vec!["url: ", "secret: ", "apps: "],
            ),
            (format!("{GOOD}retries = 3"), vec!["retries"]),
        ] {
            let wrong = read(&text).unwrap_err();
            for name in names {
                assert!(wrong.contains(name), "{text}: {wrong}");
            }
            assert!(!wrong.contains("PZIo2LaLaSw"), "{wrong}");
        }
        let webhook: Webhook = toml::from_str(GOOD).unwrap();
        assert!(!format!("{webhook:?}").contains("PZIo2LaLaSw"));
    }
}
