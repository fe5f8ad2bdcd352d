//! The certificates and ids that go with the keys of one sandbox.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use rsa::rand_core::RngCore;

use super::{
    KeyPair, SandboxKeys,
    certificate::{Certificate, Contents, Name, Signing},
};
use crate::{SandboxConfig, WechatKeyMode, beijing::DAY_MS, random::Random};

const YEAR_MS: i64 = 365 * DAY_MS;

/// Everything that identifies the two channels and the merchant.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) wechat: WechatCredentials,
    pub(crate) alipay: AlipayCredentials,
    /// The stranger: signs what clients must refuse.
    pub(crate) authority: Arc<KeyPair>,
}

/// The WeChat half.
pub(crate) struct WechatCredentials {
    pub(crate) merchant: Arc<KeyPair>,
    pub(crate) merchant_certificate: Certificate,
    /// Exactly 32 ASCII bytes.
    pub(crate) apiv3_key: String,
    /// Platform certificates with their keys, oldest first; the last one signs.
    pub(crate) platform: Vec<PlatformKey>,
    pub(crate) public: Arc<KeyPair>,
    /// How answers and notices are signed.
    pub(crate) mode: WechatKeyMode,
    /// `PUB_KEY_ID_` and 32 digits.
    pub(crate) public_key_id: String,
}

/// A platform certificate and its key.
#[derive(Debug, Clone)]
pub(crate) struct PlatformKey {
    pub(crate) key: Arc<KeyPair>,
    pub(crate) certificate: Certificate,
}

/// The Alipay half.
pub(crate) struct AlipayCredentials {
    pub(crate) app: Arc<KeyPair>,
    pub(crate) app_certificate: Certificate,
    pub(crate) gateway: Arc<KeyPair>,
    /// The certificates of the gateway key, oldest first; the last one is in use.
    pub(crate) gateway_certificates: Vec<Certificate>,
    /// Stands between the Alipay certificate and the root.
    pub(crate) intermediate: Certificate,
    /// In the order of the bundle; the first is not RSA and must be skipped.
    pub(crate) roots: Vec<Certificate>,
    /// Base64 of the 16-byte AES key for content encryption.
    pub(crate) encrypt_key: String,
}

impl std::fmt::Debug for WechatCredentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("WechatCredentials")
            .field("mode", &self.mode)
            .field("public_key_id", &self.public_key_id)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AlipayCredentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AlipayCredentials")
            .finish_non_exhaustive()
    }
}

impl AlipayCredentials {
    /// The file a merchant downloads as the Alipay certificate: leaf, then intermediate.
    pub(crate) fn gateway_pem(&self) -> String {
        let leaf = self.gateway_certificates.last().map_or("", Certificate::pem);
        format!("{leaf}{}", self.intermediate.pem())
    }

    /// The file a merchant downloads as the root certificate. A blank line stands between two
    /// certificates, as in Alipay's own file, since there are clients that split it there.
    pub(crate) fn root_bundle_pem(&self) -> String {
        let roots: Vec<_> = self.roots.iter().map(Certificate::pem).collect();
        roots.join("\n")
    }
}

impl Credentials {
    /// Issues all certificates, valid from a day before `now_ms`.
    pub(crate) fn issue(config: &SandboxConfig, keys: &SandboxKeys, random: &Random, now_ms: i64) -> Self {
        Self {
            wechat: issue_wechat(config, keys, random, now_ms),
            alipay: issue_alipay(config, keys, random, now_ms),
            authority: Arc::clone(&keys.authority),
        }
    }

    /// WeChat Pay takes a new platform certificate into use; the older ones stay published.
    pub(crate) fn rotate_wechat(&mut self, key: Arc<KeyPair>, random: &Random, now_ms: i64) {
        let certificate = platform_certificate(&key, &self.authority, random, now_ms);
        self.wechat.platform.push(PlatformKey { key, certificate });
    }

    /// Alipay renews its certificate for the same key.
    pub(crate) fn rotate_alipay(&mut self, pid: &str, random: &Random, now_ms: i64) {
        let key = Arc::clone(&self.alipay.gateway);
        let renewed = gateway_certificate(&key, &self.authority, pid, random, now_ms);
        self.alipay.gateway_certificates.push(renewed);
    }
}

fn issue_wechat(
    config: &SandboxConfig,
    keys: &SandboxKeys,
    random: &Random,
    now_ms: i64,
) -> WechatCredentials {
    let subject = Name::new("微信商户系统", "Sandbox merchant", &config.wechat.mchid);
    let merchant_certificate = Certificate::issue(
        contents(subject, tenpay_root(), random, now_ms, 5),
        &keys.merchant,
        &keys.authority,
        Signing::Sha256,
    );
    WechatCredentials {
        merchant: Arc::clone(&keys.merchant),
        merchant_certificate,
        apiv3_key: random.alnum(32),
        platform: vec![PlatformKey {
            key: Arc::clone(&keys.wechat_platform),
            certificate: platform_certificate(&keys.wechat_platform, &keys.authority, random, now_ms),
        }],
        public: Arc::clone(&keys.wechat_public),
        mode: config.wechat.key_mode,
        public_key_id: format!("PUB_KEY_ID_{}", random.digits(32)),
    }
}

fn issue_alipay(
    config: &SandboxConfig,
    keys: &SandboxKeys,
    random: &Random,
    now_ms: i64,
) -> AlipayCredentials {
    let pid = &config.alipay.pid;
    let app_id = &config.alipay.app_id;
    let app_subject = Name::new("Sandbox merchant", "Alipay", &format!("{pid}-{app_id}"));
    let app_certificate = Certificate::issue(
        contents(app_subject, alipay_class("Class 1 R1"), random, now_ms, 5),
        &keys.alipay_app,
        &keys.authority,
        Signing::Sha256,
    );
    let intermediate_contents = Contents {
        authority: true,
        ..contents(alipay_class("Class 2 R1"), alipay_class("R1"), random, now_ms, 10)
    };
    let intermediate = Certificate::issue(
        intermediate_contents,
        &keys.authority,
        &keys.authority,
        Signing::Sha256,
    );
    AlipayCredentials {
        app: Arc::clone(&keys.alipay_app),
        app_certificate,
        gateway: Arc::clone(&keys.alipay_gateway),
        gateway_certificates: vec![gateway_certificate(
            &keys.alipay_gateway,
            &keys.authority,
            pid,
            random,
            now_ms,
        )],
        intermediate,
        roots: alipay_roots(keys, random, now_ms),
        encrypt_key: encrypt_key(random),
    }
}

fn alipay_roots(keys: &SandboxKeys, random: &Random, now_ms: i64) -> Vec<Certificate> {
    let root = |name: &str| Contents {
        authority: true,
        ..contents(alipay_class(name), alipay_class(name), random, now_ms, 20)
    };
    let key = &keys.authority;
    vec![
        Certificate::foreign(root("E1")),
        Certificate::issue(root("R1"), key, key, Signing::Sha256),
        Certificate::issue(root("Class 2 Root G3"), key, key, Signing::Sha1),
    ]
}

fn platform_certificate(key: &KeyPair, authority: &KeyPair, random: &Random, now_ms: i64) -> Certificate {
    let subject = Name::new("Tenpay.com", "Tenpay.com CA Center", "Tenpay.com sign");
    let contents = contents(subject, tenpay_root(), random, now_ms, 5);
    Certificate::issue(contents, key, authority, Signing::Sha256)
}

fn gateway_certificate(
    key: &KeyPair,
    authority: &KeyPair,
    pid: &str,
    random: &Random,
    now_ms: i64,
) -> Certificate {
    let subject = Name::new(
        "支付宝(中国)网络技术有限公司",
        "Alipay",
        &format!("支付宝(中国)网络技术有限公司-{pid}"),
    );
    let contents = contents(subject, alipay_class("Class 2 R1"), random, now_ms, 5);
    Certificate::issue(contents, key, authority, Signing::Sha256)
}

fn tenpay_root() -> Name {
    Name::new("Tenpay.com", "Tenpay.com CA Center", "Tenpay.com Root CA")
}

fn alipay_class(class: &str) -> Name {
    Name::new(
        "Ant Financial",
        "Certification Authority",
        &format!("Ant Financial Certification Authority {class} sandbox"),
    )
}

fn contents(subject: Name, issuer: Name, random: &Random, now_ms: i64, years: i64) -> Contents {
    Contents {
        subject,
        issuer,
        serial: serial(random),
        not_before_ms: now_ms.saturating_sub(DAY_MS),
        not_after_ms: now_ms.saturating_add(years.saturating_mul(YEAR_MS)),
        authority: false,
    }
}

/// 20 bytes whose first one has its top bit clear and no leading zero digit: 40 hex digits everywhere.
fn serial(random: &Random) -> Vec<u8> {
    let mut bytes = vec![0; 20];
    random.fork().fill_bytes(&mut bytes);
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x7F) | 0x10;
    }
    bytes
}

fn encrypt_key(random: &Random) -> String {
    let mut bytes = [0; 16];
    random.fork().fill_bytes(&mut bytes);
    BASE64_STANDARD.encode(bytes)
}
