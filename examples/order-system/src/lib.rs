//! An order system for home services that is paid through the trade server: book, pay, be told, cancel, be
//! refunded.
//!
//! It is the other half of the payment gateway, and its documentation by example. It depends on `trade-core`
//! and `trade-mq` for what travels between the two (messages, money, numbers, the listener's kit) and for
//! the circuit breaker, never on the trade server itself: that one it reaches over HTTP and RabbitMQ.
//!
//! - [`Settings`], [`serve`]: starting one.
//! - [`status`], [`cancel_rule`]: what an order can be, and who may cancel what: pure.
//! - `service`: what it does. `store`: the tables. `listen`: events. `jobs`: what runs by the clock.
//! - `remote`, `trade`: the clients of the services it needs. [`places`]: two of those services, small.
//! - `http`: routes and pages.

pub mod cancel_rule;
pub mod places;
pub mod status;

mod error;
mod http;
mod jobs;
mod listen;
mod number;
mod remote;
mod serve;
mod service;
mod settings;
mod store;
mod trade;

pub use serve::{Running, serve};
pub use service::StartError;
pub use settings::{Broker, Redis, Settings};
