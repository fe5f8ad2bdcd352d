//! The content of place and refund requests: made once, checked, stored, and sent byte for byte.

use serde::Serialize;
use trade_core::{
    ChannelError,
    handler::{PlaceRequest, RefundRequest, RequestContent},
};

use crate::{
    config::Identity,
    error::invalid,
    wire::{Content, PrecreateBiz, RefundBiz},
};

pub(crate) const PRECREATE: &str = "alipay.trade.precreate";
pub(crate) const REFUND: &str = "alipay.trade.refund";
/// The longest `subject`, in characters.
pub(crate) const SUBJECT_MAX: usize = 256;
/// What a `subject` must not contain.
pub(crate) const SUBJECT_FORBIDDEN: &str = "/=&";
const REASON_MAX: usize = 256;

/// `time_expire` is always there: without it nobody can say when the code dies.
pub(crate) fn place(identity: &Identity, request: &PlaceRequest) -> Result<RequestContent, ChannelError> {
    const OPERATION: &str = "place";
    check_text(
        OPERATION,
        "subject",
        &request.memo,
        SUBJECT_MAX,
        SUBJECT_FORBIDDEN,
    )?;
    let biz = PrecreateBiz {
        out_trade_no: request.trading_order_no.to_string(),
        total_amount: request.amount.to_yuan(),
        subject: &request.memo,
        product_code: &identity.product_code,
        time_expire: request.expires_at.to_beijing_text(),
    };
    let notify_url = Some(identity.notify_url.clone());
    render(OPERATION, PRECREATE, notify_url, &biz)
}

/// `out_request_no` is always there: without it Alipay takes the trade's own number, and a second part
/// of the trade could not be refunded.
pub(crate) fn refund(request: &RefundRequest) -> Result<RequestContent, ChannelError> {
    const OPERATION: &str = "refund";
    // Alipay wants no empty values: a reason without a text is no reason.
    let reason = request.reason.as_ref().filter(|text| !text.trim().is_empty());
    if let Some(reason) = reason {
        check_text(OPERATION, "refund_reason", reason, REASON_MAX, "")?;
    }
    if request.amount > request.total {
        let rule = format!(
            "{} is more than the {} paid",
            request.amount.to_yuan(),
            request.total.to_yuan()
        );
        return Err(invalid(OPERATION, "refund_amount", &rule));
    }
    let biz = RefundBiz {
        out_trade_no: request.trading_order_no.to_string(),
        out_request_no: request.refund_no.to_string(),
        refund_amount: request.amount.to_yuan(),
        refund_reason: reason.cloned(),
    };
    render(OPERATION, REFUND, None, &biz)
}

/// Reads back what [`place`] or [`refund`] made for `method`.
pub(crate) fn read(
    operation: &'static str,
    method: &str,
    content: &RequestContent,
) -> Result<Content, ChannelError> {
    serde_json::from_str(content.as_str())
        .ok()
        .filter(|content: &Content| content.method == method)
        .ok_or_else(|| foreign(operation))
}

/// Content of another adapter, or of another kind of request.
pub(crate) fn foreign(operation: &'static str) -> ChannelError {
    invalid(operation, "content", "is not what this adapter prepared for it")
}

fn render(
    operation: &'static str,
    method: &str,
    notify_url: Option<String>,
    biz: &impl Serialize,
) -> Result<RequestContent, ChannelError> {
    let unwritable = |error: serde_json::Error| invalid(operation, "content", &error.to_string());
    let content = Content {
        method: method.to_owned(),
        notify_url,
        biz_content: serde_json::to_string(biz).map_err(unwritable)?,
    };
    let text = serde_json::to_string(&content).map_err(unwritable)?;
    Ok(RequestContent::new(text))
}

/// Alipay stores texts in three bytes a character, so what needs four is refused by it, or cut.
fn check_text(
    operation: &'static str,
    field: &str,
    text: &str,
    max: usize,
    forbidden: &str,
) -> Result<(), ChannelError> {
    let length = text.chars().count();
    if length == 0 || length > max {
        let rule = format!("must be 1 to {max} characters, this is {length}");
        return Err(invalid(operation, field, &rule));
    }
    if text.trim().is_empty() {
        return Err(invalid(operation, field, "must not be blank"));
    }
    let refused = |letter: &char| letter.len_utf8() > 3 || letter.is_control() || forbidden.contains(*letter);
    let Some(letter) = text.chars().find(refused) else {
        return Ok(());
    };
    let letter = letter.escape_debug();
    let mut rule = format!("must not contain `{letter}`: no emoji, no control characters");
    if !forbidden.is_empty() {
        rule = format!("{rule}, none of {forbidden}");
    }
    Err(invalid(operation, field, &rule))
}
