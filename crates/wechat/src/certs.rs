//! The keys WeChat Pay signs with, by id: its public key, and platform certificates kept fresh.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use tokio::sync::{Mutex, MutexGuard};
use trade_core::Timestamp;
use trade_crypto::{Certificate, PublicKey, normalise_serial};

use crate::config::{self, ConfigError, VerifyKeys};

/// WeChat Pay wants certificates looked at twice a day.
const FRESH_FOR: Duration = Duration::from_secs(12 * 3600);
/// An unknown serial asks for a look, but a stranger's serial must not make us ask all the time.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// The known keys. Both kinds live side by side, since during the change both sign.
#[derive(Debug)]
pub(crate) struct KeyStore {
    public_key: Option<(String, PublicKey)>,
    certificates: RwLock<BTreeMap<String, Platform>>,
    download: bool,
    /// When certificates were last asked for; locked while somebody asks, so that one does.
    asked: Mutex<Option<Timestamp>>,
}

#[derive(Debug, Clone)]
struct Platform {
    key: PublicKey,
    expires_ms: i64,
}

impl KeyStore {
    /// Loads what is configured; `own` is the merchant's key, which signs nothing of WeChat Pay's.
    pub(crate) fn load(keys: &VerifyKeys, own: &PublicKey) -> Result<Self, ConfigError> {
        let public_key = config::load_public_key(keys, own)?;
        let store = Self {
            public_key,
            certificates: RwLock::default(),
            download: keys.download,
            asked: Mutex::new(None),
        };
        store.add(&config::load_certificates(keys, own)?);
        if store.public_key.is_none() && !store.download && store.is_empty() {
            let reason = "give the WeChat Pay public key with its id, or platform certificates: \
                          without either nothing WeChat Pay says can be verified";
            return Err(config::wrong("public_key", reason));
        }
        Ok(store)
    }

    /// Keeps the keys of these certificates.
    pub(crate) fn add(&self, certificates: &[Certificate]) {
        let mut known = self.certificates.write().unwrap_or_else(PoisonError::into_inner);
        for certificate in certificates {
            if let Ok(key) = certificate.public_key() {
                let serial = normalise_serial(&certificate.serial_hex());
                known.insert(
                    serial,
                    Platform {
                        key,
                        expires_ms: certificate.not_after_ms(),
                    },
                );
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.certificates
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    /// The key of that id, unless it has expired.
    pub(crate) fn get(&self, serial: &str, now: Timestamp) -> Option<PublicKey> {
        if let Some((id, key)) = &self.public_key
            && id == serial
        {
            return Some(key.clone());
        }
        let known = self.certificates.read().unwrap_or_else(PoisonError::into_inner);
        let platform = known.get(&normalise_serial(serial))?;
        (now.ms() <= platform.expires_ms).then(|| platform.key.clone())
    }

    /// What a request says in `Wechatpay-Serial`, so that the answer is signed with the public key.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.public_key.as_ref().map(|(id, _)| id.as_str())
    }

    pub(crate) fn downloads(&self) -> bool {
        self.download
    }

    /// The right to download, due or not: whoever holds the guard is the only one.
    pub(crate) async fn asking(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.asked.lock().await
    }

    /// The right to download, if a download is due: whoever holds the guard is the only one. Whoever
    /// already has the key does not wait for the download of somebody else.
    pub(crate) async fn due(
        &self,
        serial: &str,
        now: Timestamp,
    ) -> Option<MutexGuard<'_, Option<Timestamp>>> {
        let guard = match self.asked.try_lock() {
            Ok(guard) => guard,
            Err(_) if self.get(serial, now).is_some() => return None,
            Err(_) => self.asking().await,
        };
        let known = self.get(serial, now).is_some();
        let due = match guard.map(|asked| now.since(asked)) {
            None => true,
            Some(since) if known => since >= FRESH_FOR,
            Some(since) => since >= RETRY_AFTER,
        };
        (self.download && due).then_some(guard)
    }
}
