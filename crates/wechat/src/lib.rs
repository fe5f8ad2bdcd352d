//! WeChat Pay APIv3 (direct merchant, Native) behind [`PayHandler`](trade_core::handler::PayHandler).
//!
//! Requests are signed, every reply is verified over its raw bytes, errors say how certain they are.
//! The documents followed are WeChat Pay's APIv3 for direct merchants (普通商户).
//!
//! ```
//! # fn keys() -> (String, String) {
//! #     let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../trade-crypto/tests/vectors");
//! #     (format!("{folder}/key_pkcs8.pem"), format!("{folder}/other_public.pem"))
//! # }
//! use trade_core::{Amount, EnterpriseId, Secret, Timestamp, TradingOrderNo};
//! use trade_core::handler::{PayHandler, PlaceRequest};
//! use trade_wechat::{VerifyKeys, WechatConfig, WechatPay};
//!
//! # let (private_key, public_key) = keys();
//! let mut config = WechatConfig::new(
//!     EnterpriseId::new(1001)?,
//!     "1900000001",                                     // 商户号
//!     "wx5a4d000000000001",                             // AppID
//!     Secret::new(private_key),                         // apiclient_key.pem, path or text
//!     Secret::new("0123456789abcdef0123456789abcdef"),  // APIv3 密钥
//!     VerifyKeys::public_key("PUB_KEY_ID_0119000000012026", public_key), // 微信支付公钥
//!     "https://pay.example.com/trade/open/notify/wx/1001",
//! );
//! config.serial_no = Some("3775B6A45ACD588826D15E583A95F5DD00000000".into());
//! let wechat = WechatPay::new(config)?;
//!
//! // The content of a request is made once, stored, and sent byte for byte every time.
//! let content = wechat.prepare_place(&PlaceRequest {
//!     trading_order_no: TradingOrderNo::new(42)?,
//!     amount: Amount::from_yuan("19.90")?,
//!     memo: "日常保洁".into(),
//!     expires_at: Timestamp::from_ms(1_790_000_000_000),
//! })?;
//! assert!(content.as_str().contains(r#""total":1990"#));
//! // let placed = wechat.place(&content).await?;  // placed.code_url is the QR code's text
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The rest of the API is one call away, signed and verified: [`WechatPay::call_raw`].

mod certs;
mod cipher;
mod client;
mod config;
mod download;
mod error;
mod explain;
mod handler;
mod map;
mod notice;
mod raw;
mod sign;
mod verify;
mod wire;

pub use client::RawReply;
pub use config::{BACKUP_URL, BASE_URL, ConfigError, VerifyKeys, WechatConfig};
pub use handler::WechatPay;
pub use reqwest::Method;
pub use trade_crypto::Certificate;
