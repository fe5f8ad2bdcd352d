//! What the adapter is told, checked before anything is sent.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::Url;
use trade_core::{
    EnterpriseId, Secret, SystemClock, SystemRandom,
    port::{Clock, Random},
};
use trade_crypto::{Certificate, KeyError, PrivateKey, content::ContentKey};

/// Alipay's gateway.
pub const GATEWAY_URL: &str = "https://openapi.alipay.com/gateway.do";
/// The gateway of Alipay's own sandbox.
pub const SANDBOX_GATEWAY_URL: &str = "https://openapi-sandbox.dl.alipaydev.com/gateway.do";
/// App ids of Alipay's sandbox begin so.
const SANDBOX_APP: &str = "9021";
const NOTIFY_URL_MAX: usize = 256;

/// An app at Alipay and how to reach the gateway. Keys are given as text, in any form people paste
/// them, or as the path of a file.
#[derive(Debug, Clone)]
pub struct AlipayConfig {
    /// The merchant in this service.
    pub enterprise_id: EnterpriseId,
    /// The app id.
    pub app_id: String,
    /// The seller's id (2088…). When given, notices must name it.
    pub seller_id: Option<String>,
    /// 应用私钥.
    pub private_key: Secret,
    /// How Alipay's signatures are checked.
    pub keys: VerifyKeys,
    /// 接口内容加密密钥, when content encryption is switched on for the app.
    pub encrypt_key: Option<Secret>,
    /// Where notices are sent.
    pub notify_url: String,
    /// The gateway; [`GATEWAY_URL`] unless it is a sandbox.
    pub gateway_url: String,
    /// The product signed for: `FACE_TO_FACE_PAYMENT` (当面付) or `QR_CODE_OFFLINE` (订单码支付).
    pub product_code: String,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a call may take in all.
    pub timeout: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness; this protocol needs none today.
    pub random: Arc<dyn Random>,
}

/// The keys that Alipay signs with. `Debug` tells the mode only: people paste private keys here, too.
#[derive(Clone)]
pub enum VerifyKeys {
    /// 公钥模式: 支付宝公钥.
    PublicKey(String),
    /// 公钥证书模式.
    Certificates {
        /// `appCertPublicKey.crt`.
        app: String,
        /// `alipayCertPublicKey_RSA2.crt`.
        alipay: String,
        /// `alipayRootCert.crt`.
        root: String,
        /// Whether a certificate fetched later must chain up to `root`. Alipay's own sandbox uses
        /// certificates that cannot; anywhere else leave it on.
        check_chain: bool,
    },
}

/// A value of the configuration that cannot work.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct ConfigError {
    /// The field.
    pub field: &'static str,
    /// What is wrong and what to do.
    pub reason: String,
    /// The cause, when a key did not load.
    #[source]
    pub source: Option<KeyError>,
}

impl fmt::Debug for VerifyKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PublicKey(_) => "PublicKey",
            Self::Certificates {
                check_chain: true, ..
            } => "Certificates",
            Self::Certificates {
                check_chain: false, ..
            } => "Certificates(chain unchecked)",
        })
    }
}

impl VerifyKeys {
    /// Public-key mode.
    pub fn public_key(key: impl Into<String>) -> Self {
        Self::PublicKey(key.into())
    }

    /// Certificate mode, with the chain checked.
    pub fn certificates(app: impl Into<String>, alipay: impl Into<String>, root: impl Into<String>) -> Self {
        Self::Certificates {
            app: app.into(),
            alipay: alipay.into(),
            root: root.into(),
            check_chain: true,
        }
    }
}

impl AlipayConfig {
    /// A configuration with the real gateway, usual timeouts, and the machine's clock.
    pub fn new(
        enterprise_id: EnterpriseId,
        app_id: impl Into<String>,
        private_key: Secret,
        keys: VerifyKeys,
        notify_url: impl Into<String>,
    ) -> Self {
        Self {
            enterprise_id,
            app_id: app_id.into(),
            seller_id: None,
            private_key,
            keys,
            encrypt_key: None,
            notify_url: notify_url.into(),
            gateway_url: GATEWAY_URL.into(),
            product_code: "FACE_TO_FACE_PAYMENT".into(),
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(8),
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
        }
    }

    /// What looks like a mistake but may be meant, one sentence each, beginning with the field.
    #[must_use]
    pub fn warnings(&self) -> Vec<&'static str> {
        let sandbox_app = self.app_id.starts_with(SANDBOX_APP);
        let mut warnings = Vec::new();
        if sandbox_app && self.gateway_url == GATEWAY_URL {
            warnings.push("app_id: 9021… is an app of Alipay's sandbox, but gateway_url is the real one");
        }
        if !sandbox_app && self.gateway_url == SANDBOX_GATEWAY_URL {
            warnings.push("gateway_url: is Alipay's sandbox, but app_id is not an app of it");
        }
        if is_plain_and_remote(&self.gateway_url) {
            warnings.push("gateway_url: is http on another machine, where anybody on the way reads it");
        }
        if is_unchecked(&self.keys) && self.gateway_url == GATEWAY_URL {
            warnings.push("check_chain: is off, though the real gateway's certificates can be checked");
        }
        if self.seller_id.is_none() {
            warnings.push("seller_id: is not given, so notices are matched by app_id alone");
        }
        warnings
    }

    fn check_values(&self) -> Result<(), ConfigError> {
        let digits = |text: &str| {
            !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(&self.app_id) {
            return Err(wrong("app_id", "must be digits, such as 2021000000000000"));
        }
        if self.seller_id.as_deref().is_some_and(|seller| !digits(seller)) {
            return Err(wrong("seller_id", "must be digits, such as 2088000000000000"));
        }
        let product = self.product_code.as_bytes();
        let is_code = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
        if product.is_empty() || product.len() > 64 || !product.iter().all(is_code) {
            let reason = "must be the product signed for: FACE_TO_FACE_PAYMENT or QR_CODE_OFFLINE";
            return Err(wrong("product_code", reason));
        }
        parse_url("notify_url", &self.notify_url)?;
        if self.notify_url.len() > NOTIFY_URL_MAX {
            return Err(wrong("notify_url", "is longer than 256 characters"));
        }
        for (field, timeout) in [
            ("connect_timeout", self.connect_timeout),
            ("timeout", self.timeout),
        ] {
            if timeout.is_zero() {
                return Err(wrong(field, "must be longer than zero"));
            }
        }
        Ok(())
    }
}

fn is_plain_and_remote(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default();
    let here = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    url.scheme() == "http" && !here
}

fn is_unchecked(keys: &VerifyKeys) -> bool {
    match keys {
        VerifyKeys::PublicKey(_) => false,
        VerifyKeys::Certificates { check_chain, .. } => !check_chain,
    }
}

/// The app's own identity, loaded and checked.
pub(crate) struct Identity {
    pub(crate) app_id: String,
    pub(crate) seller_id: Option<String>,
    pub(crate) private_key: PrivateKey,
    pub(crate) content_key: Option<ContentKey>,
    pub(crate) notify_url: String,
    pub(crate) product_code: String,
}

impl Identity {
    pub(crate) fn load(config: &AlipayConfig) -> Result<Self, ConfigError> {
        config.check_values()?;
        let content_key = config
            .encrypt_key
            .as_ref()
            .map(|secret| ContentKey::parse(secret.expose()));
        Ok(Self {
            app_id: config.app_id.clone(),
            seller_id: config.seller_id.clone(),
            private_key: PrivateKey::load(config.private_key.expose()).map_err(key("private_key"))?,
            content_key: content_key.transpose().map_err(key("encrypt_key"))?,
            notify_url: config.notify_url.clone(),
            product_code: config.product_code.clone(),
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}

pub(crate) fn load_certificate(field: &'static str, text: &str) -> Result<Certificate, ConfigError> {
    Certificate::load(text).map_err(key(field))
}

pub(crate) fn parse_url(field: &'static str, text: &str) -> Result<Url, ConfigError> {
    // What stands there is not repeated: it may be a key, pasted into the wrong field.
    let refused = || {
        wrong(
            field,
            "is no absolute http(s) URL, such as https://pay.example.com/notify",
        )
    };
    // The parser forgives blanks around a URL; the channel, to whom it is sent as it is, may not.
    if text.contains(char::is_whitespace) {
        return Err(refused());
    }
    let url = Url::parse(text).map_err(|_| refused())?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(refused()),
    }
}

pub(crate) fn wrong(field: &'static str, reason: impl Into<String>) -> ConfigError {
    ConfigError {
        field,
        reason: reason.into(),
        source: None,
    }
}

pub(crate) fn key(field: &'static str) -> impl Fn(KeyError) -> ConfigError {
    move |source| ConfigError {
        field,
        reason: "cannot be used".to_owned(),
        source: Some(source),
    }
}
