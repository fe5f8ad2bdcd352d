//! Events over HTTP, for order systems without a broker.
//!
//! On the payment side, [`WebhookSink`] is the [`EventSink`](trade_core::port::EventSink) of one receiver. On the
//! side of an order system, [`verify`] tells whether a request comes from there, and gives its messages:
//!
//! ```
//! use trade_core::Timestamp;
//! use trade_webhook::{WebhookSecret, verify};
//!
//! # fn handle(headers: &http::HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Box<dyn std::error::Error>> {
//! let secrets = [WebhookSecret::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")?];
//! for message in verify(headers, body, &secrets, now)? { // an error: answer 401
//!     // Inbox, order and effect in one transaction; answer 2xx once that is committed.
//!     println!("order {} is now {}", message.product_order_no, message.status_name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What travels is what goes to a broker, byte for byte: one event a request, a JSON array of one
//! [`TradeStatusMsg`](trade_core::TradeStatusMsg), by `POST`. It is signed as Standard Webhooks says: `webhook-id` is
//! the event's id, `webhook-timestamp` the time of sending in seconds, and `webhook-signature` has one or, while a
//! secret is being replaced, two signatures: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. Libraries
//! for that are there in many languages.
//!
//! A status of 2xx takes an event; all others, silence and a cut line do not, and it comes again. Delivery is at
//! least once, with the same id: keep the ids that were seen, and ignore what has a lower `seq` than its order has.

mod error;
mod rest;
mod secret;
mod settings;
mod sink;
mod verify;

pub use error::WebhookError;
pub use secret::{InvalidSecret, WebhookSecret};
pub use settings::WebhookSettings;
pub use sink::WebhookSink;
pub use verify::{Rejected, TOLERANCE, verify};

/// The header with the event's id.
pub const ID: &str = "webhook-id";
/// The header with the time of sending, in seconds since 1970-01-01T00:00:00Z.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures, separated by blanks.
pub const SIGNATURE: &str = "webhook-signature";
