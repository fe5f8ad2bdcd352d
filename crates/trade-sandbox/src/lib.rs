//! A local WeChat Pay and Alipay that really verifies, so that nobody needs a merchant account.
//!
//! [`Sandbox::start`] makes fresh keys and certificates, binds a port and plays both channels over plain
//! HTTP. It checks every signature with its own crypto, shares no code with the clients it judges, answers
//! with signatures of its own, keeps a ledger that tells who really paid what, and sends signed notices on
//! the channels' schedules. Time can be moved and faults can be ordered.
//!
//! # Layout
//!
//! - [`config`], `clock`, `random`, `keys`: what the sandbox is made of.
//! - [`ledger`]: orders, refunds and money movements, the same for both channels.
//! - [`faults`]: what goes wrong, when, and how often.
//! - [`notice`]: the asynchronous messages and their retry schedules.
//! - `world`: all of the above in one place, and the acts that touch several of them (a user pays).
//! - `wechat`, `alipay`: the channels. `control`: `/sandbox/...`. `page`: `/pay/{token}`.
//! - `http`, [`server`]: the wire.
//!
//! ```no_run
//! # async fn example() -> Result<(), trade_sandbox::SandboxError> {
//! use trade_sandbox::{Channel, Sandbox, SandboxConfig};
//!
//! let sandbox = Sandbox::start(SandboxConfig::default()).await?;
//! sandbox.export(std::path::Path::new("merchant"))?;
//! // A client now creates order T1 at `sandbox.url()`; then its user pays:
//! sandbox.pay(Channel::Wechat, "T1")?;
//! sandbox.shutdown().await;
//! # Ok(())
//! # }
//! ```

pub mod config;
pub mod faults;
pub mod ledger;
pub mod notice;
pub mod server;

mod alipay;
mod beijing;
mod clock;
mod control;
mod error;
mod export;
mod http;
mod keys;
mod kit;
mod page;
mod random;
mod wechat;
mod world;

pub use config::{AlipayKeyMode, Channel, SandboxConfig, WechatKeyMode};
pub use error::SandboxError;
pub use keys::SandboxKeys;
pub use kit::{AlipayKit, MerchantKit, WechatKit};
pub use server::Sandbox;
