//! The sandbox over real sockets, judged by clients that share no code with it.
#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test fails by panicking"
)]

mod alipay_bill;
mod alipay_certificate;
mod alipay_client;
mod alipay_deadline;
mod alipay_faults;
mod alipay_gate;
mod alipay_modes;
mod alipay_notice;
mod alipay_refund;
mod alipay_trade;
mod control;
mod control_client;
mod control_document;
mod control_input;
mod control_refund;
mod faults;
mod kit;
mod page;
mod support;
mod wechat_bill;
mod wechat_gate;
mod wechat_keys;
mod wechat_notice;
mod wechat_pay;
mod wechat_refund;
