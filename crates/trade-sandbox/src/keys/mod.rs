//! The RSA keys of everybody in the sandbox, and what certificates are made of them.
//!
//! All crypto of the sandbox is pure Rust (`rsa`, `sha2`): other code than its clients', on purpose.

mod certificate;
mod credentials;
mod der;
mod pair;

use std::{sync::Arc, thread};

pub(crate) use self::{
    certificate::Certificate,
    credentials::{AlipayCredentials, Credentials},
    pair::{KeyPair, verify},
};
use crate::{SandboxError, random::Random};

/// The keys a sandbox runs with. Making them takes seconds, so tests may share one set between sandboxes.
#[derive(Debug, Clone)]
pub struct SandboxKeys {
    /// WeChat Pay: the merchant's own key (`apiclient_key.pem`).
    pub(crate) merchant: Arc<KeyPair>,
    /// WeChat Pay: the key of the platform certificate.
    pub(crate) wechat_platform: Arc<KeyPair>,
    /// WeChat Pay: the key called `PUB_KEY_ID_...`.
    pub(crate) wechat_public: Arc<KeyPair>,
    /// Alipay: the app's own key (应用私钥).
    pub(crate) alipay_app: Arc<KeyPair>,
    /// Alipay: the key answers are signed with (支付宝公钥).
    pub(crate) alipay_gateway: Arc<KeyPair>,
    /// Signs all certificates. It also plays the stranger whose signatures nobody may accept.
    pub(crate) authority: Arc<KeyPair>,
}

impl SandboxKeys {
    /// Makes all keys, on as many threads as there are keys. The same seed gives the same keys.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Key`] when the crypto library fails.
    pub fn generate(seed: Option<u64>) -> Result<Self, SandboxError> {
        let random = Random::new(seed);
        let make = |name: &'static str| {
            let generator = random.fork();
            (name, thread::spawn(move || KeyPair::generate(name, generator)))
        };
        let merchant = make("merchant key");
        let wechat_platform = make("WeChat Pay platform key");
        let wechat_public = make("WeChat Pay public key");
        let alipay_app = make("Alipay app key");
        let alipay_gateway = make("Alipay key");
        let authority = make("authority key");
        Ok(Self {
            merchant: join(merchant)?,
            wechat_platform: join(wechat_platform)?,
            wechat_public: join(wechat_public)?,
            alipay_app: join(alipay_app)?,
            alipay_gateway: join(alipay_gateway)?,
            authority: join(authority)?,
        })
    }
}

type Making = (&'static str, thread::JoinHandle<Result<KeyPair, SandboxError>>);

fn join((name, making): Making) -> Result<Arc<KeyPair>, SandboxError> {
    let made = making.join().map_err(|_panic| SandboxError::Key {
        name,
        reason: "its thread panicked".to_owned(),
    })?;
    made.map(Arc::new)
}
