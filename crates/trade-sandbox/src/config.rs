//! What a sandbox is started with.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// A payment channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// WeChat Pay, APIv3.
    Wechat,
    /// Alipay, the v2 gateway.
    Alipay,
}

/// How WeChat Pay proves its answers to the merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WechatKeyMode {
    /// With a platform certificate, published at `/v3/certificates`.
    Cert,
    /// With the WeChat Pay public key (`PUB_KEY_ID_...`); there are no certificates.
    #[serde(rename = "pubkey")]
    PublicKey,
    /// While moving from the certificate to the public key: a request chooses by its `Wechatpay-Serial`,
    /// and this share of the notices, in permille, is signed with the public key.
    Migrating(u16),
}

/// Whether the Alipay app uses plain keys or certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlipayKeyMode {
    /// Plain public keys are exchanged.
    Key,
    /// Certificates: requests carry `app_cert_sn` and `alipay_root_cert_sn`, answers `alipay_cert_sn`.
    Cert,
}

/// The settings of one sandbox.
///
/// `SandboxConfig::default()` suits a developer: any free port of the loopback interface, real time, real
/// notice schedule, the key modes that new merchants get.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Where to listen. Port 0 takes any free port; `0.0.0.0` lets a phone on the same network in.
    pub listen: SocketAddr,
    /// The base address in QR codes. By default the address of this machine on its network when
    /// listening on `0.0.0.0`, else the listening address.
    pub public_url: Option<String>,
    /// Whether codes look like the channels' own (`weixin://wxpay/bizpayurl?pr=...`,
    /// `https://qr.alipay.com/...`) instead of opening the sandbox's pay page.
    pub real_qr_shape: bool,
    /// Waits between notice attempts are divided by this. 1 is the channels' real schedule.
    pub notice_speed: u32,
    /// Unix milliseconds of the sandbox's clock at the start; `None` is the machine's time.
    pub start_ms: Option<i64>,
    /// Whether the clock stands still unless it is advanced. Signatures are then made and judged by it, so
    /// clients must go by the same time; a running clock's signatures keep to the machine's time.
    pub frozen_clock: bool,
    /// The same seed gives the same keys and numbers; `None` takes the machine's randomness.
    pub seed: Option<u64>,
    /// The WeChat half.
    pub wechat: WechatConfig,
    /// The Alipay half.
    pub alipay: AlipayConfig,
}

/// The settings of the WeChat half.
#[derive(Debug, Clone)]
pub struct WechatConfig {
    /// The merchant's number.
    pub mchid: String,
    /// The app bound to it.
    pub appid: String,
    /// How answers and notices are signed.
    pub key_mode: WechatKeyMode,
    /// How long a refund stays PROCESSING, in milliseconds of the sandbox's clock.
    pub refund_delay_ms: u32,
    /// Whether two refunds of one order must be a minute apart, as at WeChat Pay; sooner ones are answered
    /// with 429 FREQUENCY_LIMITED.
    pub refund_spacing: bool,
}

/// The settings of the Alipay half.
#[derive(Debug, Clone)]
pub struct AlipayConfig {
    /// The app's id.
    pub app_id: String,
    /// The merchant's number, which is also the `seller_id`.
    pub pid: String,
    /// Plain keys or certificates.
    pub key_mode: AlipayKeyMode,
    /// Whether the app has content encryption (接口内容加密方式) switched on.
    pub encrypted: bool,
    /// Whether slashes in answers are written `\/`, as some of Alipay's machines do.
    pub escaped_slashes: bool,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            real_qr_shape: false,
            notice_speed: 1,
            start_ms: None,
            frozen_clock: false,
            seed: None,
            wechat: WechatConfig::default(),
            alipay: AlipayConfig::default(),
        }
    }
}

impl Default for WechatConfig {
    fn default() -> Self {
        Self {
            mchid: "1900000001".to_owned(),
            appid: "wx5a4d000000000001".to_owned(),
            key_mode: WechatKeyMode::PublicKey,
            refund_delay_ms: 5_000,
            refund_spacing: true,
        }
    }
}

impl Default for AlipayConfig {
    fn default() -> Self {
        Self {
            app_id: "9021000000000001".to_owned(),
            pid: "2088000000000001".to_owned(),
            key_mode: AlipayKeyMode::Key,
            encrypted: false,
            escaped_slashes: false,
        }
    }
}
