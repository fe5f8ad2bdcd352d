//! Alipay (OpenAPI v2 gateway, `alipay.trade.precreate`) behind
//! [`PayHandler`](trade_core::handler::PayHandler).
//!
//! Requests are signed with RSA2, every reply is verified over the raw text that Alipay signed, errors
//! say how certain they are. The documents followed are those of 当面付 on Alipay's open platform.
//!
//! ```
//! # fn keys() -> (String, String) {
//! #     let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../trade-crypto/tests/vectors");
//! #     (format!("{folder}/key_pkcs8.pem"), format!("{folder}/other_public.pem"))
//! # }
//! use trade_alipay::{Alipay, AlipayConfig, VerifyKeys};
//! use trade_core::{Amount, EnterpriseId, Secret, Timestamp, TradingOrderNo};
//! use trade_core::handler::{PayHandler, PlaceRequest};
//!
//! # let (private_key, alipay_public_key) = keys();
//! let config = AlipayConfig::new(
//!     EnterpriseId::new(1001)?,
//!     "2021000000000000",                            // AppID
//!     Secret::new(private_key),                      // 应用私钥, path or text
//!     VerifyKeys::public_key(alipay_public_key),     // 支付宝公钥, path or text
//!     "https://pay.example.com/trade/open/notify/alipay/1001",
//! );
//! let alipay = Alipay::new(config)?;
//!
//! // The content of a request is made once, stored, and sent byte for byte every time.
//! let content = alipay.prepare_place(&PlaceRequest {
//!     trading_order_no: TradingOrderNo::new(42)?,
//!     amount: Amount::from_yuan("19.90")?,
//!     memo: "日常保洁".into(),
//!     expires_at: Timestamp::from_ms(1_790_000_000_000),
//! })?;
//! assert!(content.as_str().contains("19.90"));
//! // let placed = alipay.place(&content).await?;  // placed.code_url is the QR code's text
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The rest of the API is one call away, signed and verified: [`Alipay::call_raw`].

mod certs;
mod client;
mod config;
mod content;
mod download;
mod error;
mod form;
mod handler;
mod map;
mod notice;
mod refund;
mod sign;
mod verify;
mod wire;

pub use client::RawReply;
pub use config::{AlipayConfig, ConfigError, GATEWAY_URL, SANDBOX_GATEWAY_URL, VerifyKeys};
pub use handler::Alipay;
