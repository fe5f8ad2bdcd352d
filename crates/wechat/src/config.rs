//! What the adapter is told, checked before anything is sent.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::Url;
use trade_core::{
    EnterpriseId, Secret, SystemClock, SystemRandom,
    port::{Clock, Random},
};
use trade_crypto::{Certificate, KeyError, PrivateKey, PublicKey, aead::ApiV3Key};

/// WeChat Pay's API.
pub const BASE_URL: &str = "https://api.mch.weixin.qq.com";
/// The same API at another site, for when the first cannot be reached.
pub const BACKUP_URL: &str = "https://api2.mch.weixin.qq.com";

/// A merchant's account at WeChat Pay (商户号) and how to reach it. Keys are given as text, in any form
/// people paste them, or as the path of a file.
#[derive(Debug, Clone)]
pub struct WechatConfig {
    /// The merchant in this service.
    pub enterprise_id: EnterpriseId,
    /// 商户号.
    pub mchid: String,
    /// The app id bound to it.
    pub appid: String,
    /// `apiclient_key.pem`.
    pub private_key: Secret,
    /// `apiclient_cert.pem`, whose serial goes into every request.
    pub certificate: Option<String>,
    /// That serial, when the certificate itself is not given.
    pub serial_no: Option<String>,
    /// APIv3 密钥.
    pub apiv3_key: Secret,
    /// How WeChat Pay's signatures are checked.
    pub keys: VerifyKeys,
    /// Where notices about payments are sent: absolute http(s), no query, at most 255 characters.
    pub notify_url: String,
    /// Where notices about refunds are sent, by the same rules; `None`: to `notify_url`, since
    /// [`verify_notice`](trade_core::handler::PayHandler::verify_notice) tells them apart.
    pub refund_notify_url: Option<String>,
    /// The API; [`BASE_URL`] unless it is a sandbox.
    pub base_url: String,
    /// Tried when the API certainly did not get the request; `None` for none.
    pub backup_url: Option<String>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a call may take in all.
    pub timeout: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Nonces.
    pub random: Arc<dyn Random>,
}

/// The keys that WeChat Pay signs with.
#[derive(Debug, Clone)]
pub struct VerifyKeys {
    /// 微信支付公钥 with its id `PUB_KEY_ID_…`: what every new merchant has.
    pub public_key: Option<(String, String)>,
    /// Platform certificates known already, as PEM text or paths.
    pub certificates: Vec<String>,
    /// Whether platform certificates are downloaded and kept fresh.
    pub download: bool,
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

impl VerifyKeys {
    /// The public-key mode of new merchants.
    pub fn public_key(id: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            public_key: Some((id.into(), key.into())),
            certificates: Vec::new(),
            download: false,
        }
    }

    /// The platform-certificate mode of older merchants, with download.
    #[must_use]
    pub fn platform_certificates() -> Self {
        Self {
            public_key: None,
            certificates: Vec::new(),
            download: true,
        }
    }

    /// Both at once, during the change from certificates to the public key.
    pub fn migrating(id: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            download: true,
            ..Self::public_key(id, key)
        }
    }
}

impl WechatConfig {
    /// A configuration with the real API, usual timeouts, and the machine's clock.
    pub fn new(
        enterprise_id: EnterpriseId,
        mchid: impl Into<String>,
        appid: impl Into<String>,
        private_key: Secret,
        apiv3_key: Secret,
        keys: VerifyKeys,
        notify_url: impl Into<String>,
    ) -> Self {
        Self {
            enterprise_id,
            mchid: mchid.into(),
            appid: appid.into(),
            private_key,
            certificate: None,
            serial_no: None,
            apiv3_key,
            keys,
            notify_url: notify_url.into(),
            refund_notify_url: None,
            base_url: BASE_URL.into(),
            backup_url: Some(BACKUP_URL.into()),
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(8),
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
        }
    }
}

/// The merchant's own identity, loaded and checked.
pub(crate) struct Identity {
    pub(crate) mchid: String,
    pub(crate) appid: String,
    pub(crate) serial_no: String,
    pub(crate) private_key: PrivateKey,
    pub(crate) apiv3_key: ApiV3Key,
    pub(crate) notify_url: String,
    pub(crate) refund_notify_url: String,
}

impl Identity {
    pub(crate) fn load(config: &WechatConfig) -> Result<Self, ConfigError> {
        check_text("mchid", &config.mchid, 32)?;
        check_text("appid", &config.appid, 32)?;
        let refund_notify_url = config.refund_notify_url.as_ref().unwrap_or(&config.notify_url);
        check_notify_url("notify_url", &config.notify_url)?;
        check_notify_url("refund_notify_url", refund_notify_url)?;
        check_timeout("connect_timeout", config.connect_timeout)?;
        check_timeout("timeout", config.timeout)?;
        let private_key = PrivateKey::load(config.private_key.expose()).map_err(key("private_key"))?;
        let serial_no = serial_no(config, &private_key)?;
        let apiv3_key = ApiV3Key::parse(config.apiv3_key.expose()).map_err(key("apiv3_key"))?;
        Ok(Self {
            mchid: config.mchid.clone(),
            appid: config.appid.clone(),
            serial_no,
            private_key,
            apiv3_key,
            notify_url: config.notify_url.clone(),
            refund_notify_url: refund_notify_url.clone(),
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("mchid", &self.mchid)
            .field("appid", &self.appid)
            .finish_non_exhaustive()
    }
}

/// The serial WeChat Pay knows the merchant's key by: read from the certificate, which must be the key's.
fn serial_no(config: &WechatConfig, private_key: &PrivateKey) -> Result<String, ConfigError> {
    let Some(text) = &config.certificate else {
        let given = config.serial_no.as_deref().map(str::trim).unwrap_or_default();
        if given.is_empty() {
            let reason = "give apiclient_cert.pem, or its serial (40 hex digits) as serial_no";
            return Err(wrong("certificate", reason));
        }
        if !given.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let reason = "must be the serial of apiclient_cert.pem: 40 hex digits, no PUB_KEY_ID_";
            return Err(wrong("serial_no", reason));
        }
        return Ok(given.to_uppercase());
    };
    let certificate = Certificate::load(text).map_err(key("certificate"))?;
    if certificate.public_key().map_err(key("certificate"))? != private_key.public_key() {
        let reason = "is not the certificate of private_key: take both from the same download of the merchant \
                      platform";
        return Err(wrong("certificate", reason));
    }
    if !certificate.is_valid_at(config.clock.now().ms()) {
        // No refusal: a server must not stop serving its other merchants because a day has come.
        tracing::warn!(
            mchid = config.mchid,
            "apiclient_cert.pem is outside its time of validity: WeChat Pay will refuse what it signs, renew \
             it on the merchant platform (账户中心 > API安全)"
        );
    }
    Ok(certificate.serial_hex())
}

pub(crate) fn load_public_key(
    keys: &VerifyKeys,
    own: &PublicKey,
) -> Result<Option<(String, PublicKey)>, ConfigError> {
    let Some((id, text)) = &keys.public_key else {
        return Ok(None);
    };
    let id = id.trim();
    if !id.starts_with("PUB_KEY_ID_") {
        return Err(wrong(
            "public_key_id",
            "must begin with PUB_KEY_ID_; it stands beside the key on the merchant platform",
        ));
    }
    let public_key = PublicKey::load(text).map_err(key("public_key"))?;
    if public_key == *own {
        let reason = "is the merchant's own: take pub_key.pem (微信支付公钥, 账户中心 > API安全), not anything \
                      that came with apiclient_key.pem";
        return Err(wrong("public_key", reason));
    }
    Ok(Some((id.to_owned(), public_key)))
}

pub(crate) fn load_certificates(keys: &VerifyKeys, own: &PublicKey) -> Result<Vec<Certificate>, ConfigError> {
    const FIELD: &str = "platform certificate";
    let mut certificates = Vec::new();
    for text in &keys.certificates {
        for certificate in Certificate::load_all(text).map_err(key(FIELD))? {
            if certificate.public_key().map_err(key(FIELD))? == *own {
                let reason = "is the merchant's own apiclient_cert.pem: a platform certificate (微信支付平台证书) \
                              is WeChat Pay's, and is downloaded";
                return Err(wrong(FIELD, reason));
            }
            certificates.push(certificate);
        }
    }
    Ok(certificates)
}

/// Where the API is. What is signed is the path and query behind it.
pub(crate) fn api_url(field: &'static str, text: &str) -> Result<Url, ConfigError> {
    let url = parse_url(field, text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(field, "must not have a query or fragment"));
    }
    Ok(url)
}

fn parse_url(field: &'static str, text: &str) -> Result<Url, ConfigError> {
    // What stands there is not repeated: it may be a key, pasted into the wrong field.
    let refused = || {
        wrong(
            field,
            "is no absolute http(s) URL, such as https://pay.example.com/notify",
        )
    };
    let url = Url::parse(text).map_err(|_| refused())?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(refused()),
    }
}

fn check_notify_url(field: &'static str, text: &str) -> Result<(), ConfigError> {
    let url = parse_url(field, text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(field, "must not have a query: WeChat Pay refuses it"));
    }
    if text.len() > 255 {
        return Err(wrong(field, "is longer than 255 characters"));
    }
    Ok(())
}

fn check_timeout(field: &'static str, timeout: Duration) -> Result<(), ConfigError> {
    if timeout.is_zero() {
        return Err(wrong(
            field,
            "must be longer than nothing: no call would ever succeed",
        ));
    }
    Ok(())
}

fn check_text(field: &'static str, text: &str, max: usize) -> Result<(), ConfigError> {
    let visible = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if text.is_empty() || text.len() > max || !visible {
        return Err(wrong(field, format!("must be 1 to {max} letters and digits")));
    }
    Ok(())
}

pub(crate) fn wrong(field: &'static str, reason: impl Into<String>) -> ConfigError {
    ConfigError {
        field,
        reason: reason.into(),
        source: None,
    }
}

fn key(field: &'static str) -> impl Fn(KeyError) -> ConfigError {
    move |source| ConfigError {
        field,
        reason: "cannot be used".to_owned(),
        source: Some(source),
    }
}
