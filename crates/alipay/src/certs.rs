//! The keys Alipay signs with: its public key, or the keys of its certificates by serial.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use tokio::sync::Mutex;
use trade_core::Timestamp;
use trade_crypto::{Certificate, PrivateKey, PublicKey, alipay_root_cert_sn, check_chain};

use crate::config::{self, ConfigError, VerifyKeys};

/// Serials are anybody's to send: they must not make us ask all the time.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// The known keys of Alipay, and what certificate mode adds to requests.
#[derive(Debug)]
pub(crate) struct KeyStore {
    /// The key configured; Alipay keeps its key pair when it renews a certificate.
    first: PublicKey,
    certificates: Option<CertificateMode>,
}

#[derive(Debug)]
pub(crate) struct CertificateMode {
    pub(crate) app_cert_sn: String,
    pub(crate) root_cert_sn: String,
    /// The certificate configured, whose successors are taken in.
    configured: Certificate,
    roots: Vec<Certificate>,
    check_chain: bool,
    by_serial: RwLock<BTreeMap<String, PublicKey>>,
    /// When an unknown certificate was last asked for, on the monotonic clock; locked while somebody asks.
    pub(crate) asked: Mutex<Option<Duration>>,
}

impl KeyStore {
    pub(crate) fn load(keys: &VerifyKeys, private_key: &PrivateKey) -> Result<Self, ConfigError> {
        match keys {
            VerifyKeys::PublicKey(text) => {
                let first = PublicKey::load(text).map_err(config::key("alipay_public_key"))?;
                refuse_own_key("alipay_public_key", &first, private_key)?;
                Ok(Self {
                    first,
                    certificates: None,
                })
            }
            VerifyKeys::Certificates {
                app,
                alipay,
                root,
                check_chain,
            } => {
                let app = config::load_certificate("app_cert", app)?;
                if app.public_key().map_err(config::key("app_cert"))? != private_key.public_key() {
                    let reason = "is not the certificate of private_key: download it again for this key";
                    return Err(config::wrong("app_cert", reason));
                }
                let alipay = config::load_certificate("alipay_cert", alipay)?;
                let first = alipay.public_key().map_err(config::key("alipay_cert"))?;
                refuse_own_key("alipay_cert", &first, private_key)?;
                let by_serial = BTreeMap::from([(alipay.alipay_sn(), first.clone())]);
                let certificates = CertificateMode {
                    app_cert_sn: app.alipay_sn(),
                    configured: alipay,
                    root_cert_sn: alipay_root_cert_sn(root).map_err(config::key("root_cert"))?,
                    roots: Certificate::load_all(root).map_err(config::key("root_cert"))?,
                    check_chain: *check_chain,
                    by_serial: RwLock::new(by_serial),
                    asked: Mutex::new(None),
                };
                Ok(Self {
                    first,
                    certificates: Some(certificates),
                })
            }
        }
    }

    pub(crate) fn certificates(&self) -> Option<&CertificateMode> {
        self.certificates.as_ref()
    }

    /// Every key known to be Alipay's, the configured one first.
    pub(crate) fn all(&self) -> Vec<PublicKey> {
        let mut all = vec![self.first.clone()];
        if let Some(mode) = &self.certificates {
            let known = mode.by_serial.read().unwrap_or_else(PoisonError::into_inner);
            all.extend(known.values().filter(|key| **key != self.first).cloned());
        }
        all
    }

    /// The key configured.
    pub(crate) fn first(&self) -> &PublicKey {
        &self.first
    }

    /// The key of a certificate, if it is known.
    pub(crate) fn of_serial(&self, serial: &str) -> Option<PublicKey> {
        let mode = self.certificates.as_ref()?;
        mode.by_serial
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(serial)
            .cloned()
    }
}

impl CertificateMode {
    /// Whether an unknown certificate may be asked for now.
    pub(crate) fn may_ask(asked: Option<Duration>, now: Duration) -> bool {
        asked.is_none_or(|asked| now.saturating_sub(asked) >= RETRY_AFTER)
    }

    /// Takes a downloaded certificate in: it must be the one asked for, and Alipay's.
    pub(crate) fn add(&self, serial: &str, pem: &str, now: Timestamp) -> Result<PublicKey, String> {
        let all = Certificate::parse_all(pem).map_err(|error| error.to_string())?;
        let (leaf, intermediates) = all.split_first().ok_or("there is no certificate in the answer")?;
        if leaf.alipay_sn() != serial {
            return Err(format!(
                "it is the certificate {}, not {serial}",
                leaf.alipay_sn()
            ));
        }
        if self.check_chain {
            self.check_owner(leaf)?;
            check_chain(leaf, intermediates, &self.roots, now.ms()).map_err(|error| error.to_string())?;
        }
        let key = leaf.public_key().map_err(|error| error.to_string())?;
        let mut known = self.by_serial.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(serial.to_owned(), key.clone());
        Ok(key)
    }

    /// Merchants' certificates lead to the same root as Alipay's own, so the chain alone would let any
    /// merchant sign for Alipay: the successor has to have the name or the issuer of its predecessor.
    fn check_owner(&self, leaf: &Certificate) -> Result<(), String> {
        let ours = &self.configured;
        if leaf.subject() == ours.subject() || leaf.issuer() == ours.issuer() {
            return Ok(());
        }
        Err(format!(
            "it is the certificate of {}, issued by {}, and not one of Alipay's",
            leaf.subject(),
            leaf.issuer()
        ))
    }
}

/// The most frequent mistake of all: 应用公钥 pasted where 支付宝公钥 belongs.
fn refuse_own_key(field: &'static str, key: &PublicKey, private_key: &PrivateKey) -> Result<(), ConfigError> {
    if *key != private_key.public_key() {
        return Ok(());
    }
    let reason = "this is your own app's public key (应用公钥); Alipay's (支付宝公钥) stands on the open \
                  platform beside it, under 接口加签方式, after you saved yours";
    Err(config::wrong(field, reason))
}
