//! What can go wrong at a channel, and above all: whether it may have happened all the same.

use std::{borrow::Cow, error::Error as StdError, fmt, time::Duration};

use crate::Channel;

/// What is known about a call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// The channel said no, verifiably: final for this attempt.
    Rejected,
    /// The channel never acted on the request. Safe to send again with the same number.
    NotSent,
    /// The channel may have acted. Query; never pay again under a new number, never call it failed.
    Unknown,
}

/// What kind of failure it is, the same for both channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A field breaks a rule of the channel.
    InvalidRequest,
    /// Keys, ids, permissions or contract: nothing will work until the operator acts.
    Configuration,
    /// The order is already paid.
    AlreadyPaid,
    /// The order is closed.
    AlreadyClosed,
    /// The channel knows no such order or refund.
    NotFound,
    /// The number was used with other content.
    NumberReused,
    /// The merchant's balance does not cover the refund; the same number works once it does.
    NotEnough,
    /// The refund exceeds what is left, or is outside the channel's refund rules.
    RefundNotAllowed,
    /// Too many requests.
    RateLimited,
    /// The order is being paid right now; ask again shortly.
    Busy,
    /// The reply's signature is missing, wrong, stale, or of an unknown key.
    Unverifiable,
    /// The reply is authentic, or would be, but makes no sense.
    Nonsense,
    /// No answer in time.
    Timeout,
    /// The connection failed.
    Network,
    /// The channel reports a fault of its own.
    ChannelFault,
    /// The circuit breaker is open: the channel has been failing and is left alone for a while.
    BreakerOpen,
    /// Another business refusal; the code says which.
    Other,
}

/// A failed call to a channel.
///
/// `Display` is one line: what happened, the channel's code and message, the request id, what to do.
/// The cause is in [`StdError::source`] and not repeated.
#[derive(Debug)]
pub struct ChannelError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    channel: Channel,
    operation: &'static str,
    certainty: Certainty,
    kind: ErrorKind,
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
    hint: Cow<'static, str>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ChannelError {
    /// An error of `operation` (such as `"place"`) at `channel`.
    #[must_use]
    pub fn new(channel: Channel, operation: &'static str, certainty: Certainty, kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            channel,
            operation,
            certainty,
            kind,
            code: None,
            message: None,
            request_id: None,
            hint: Cow::Borrowed(default_hint(kind)),
            retry_after: None,
            source: None,
        }))
    }

    /// Adds the channel's own code and message.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>, message: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self.0.message = Some(message.into());
        self
    }

    /// Adds the channel's request id (WeChat `Request-ID`, Alipay `trace_id`), which its support asks for.
    #[must_use]
    pub fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.0.request_id = request_id;
        self
    }

    /// Replaces the general advice by a better one.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = hint.into();
        self
    }

    /// Says how long the channel wants to be left alone.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.0.retry_after = Some(retry_after);
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The channel that failed.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.0.channel
    }

    /// Which call it was: `place`, `query`, `close`, `refund`, `query_refund`, `verify_notice`, or a raw path.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// Whether it may have happened all the same.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        self.0.certainty
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The channel's own code, as it came.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The channel's own message, as it came. Not stable: for people, never for matching.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The channel's request id.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The likely cause and what to do.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.0.hint
    }

    /// How long to leave the channel alone, when it said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether sending the same request again, with the same number, can do no harm and may help.
    #[must_use]
    pub fn retry_is_safe(&self) -> bool {
        match self.0.certainty {
            Certainty::NotSent => true,
            Certainty::Rejected | Certainty::Unknown => false,
        }
    }
}

const fn default_hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest => "correct the field and send a new request",
        ErrorKind::Configuration => "check the merchant's keys, ids and contracts; a retry will not help",
        ErrorKind::AlreadyPaid => "the order is paid: query it",
        ErrorKind::AlreadyClosed => "the order is closed: pay under a new number",
        ErrorKind::NotFound => "the channel knows no such number: check the number and the merchant",
        ErrorKind::NumberReused => "the number was used with other content: query it before anything else",
        ErrorKind::NotEnough => "top up the merchant account; the refund goes on with the same number",
        ErrorKind::RefundNotAllowed => "check what is left to refund and how old the payment is",
        ErrorKind::RateLimited => "slow down; the request was not executed and may be sent again",
        ErrorKind::Busy => "the payer is paying right now: query again in a few seconds",
        ErrorKind::Unverifiable => {
            "the reply cannot be trusted: the outcome is unknown until a query answers"
        }
        ErrorKind::Nonsense => "the reply makes no sense: the outcome is unknown until a query answers",
        ErrorKind::Timeout => "the outcome is unknown until a query answers",
        ErrorKind::Network => "check the network, DNS and proxy between here and the channel",
        ErrorKind::ChannelFault => "the channel has a fault: the outcome is unknown until a query answers",
        ErrorKind::BreakerOpen => {
            "the channel has been failing and is left alone for a moment: try again shortly"
        }
        ErrorKind::Other => "look the channel's code up in its documents",
    }
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        let outcome = match inner.certainty {
            Certainty::Rejected => "was rejected",
            Certainty::NotSent => "was not executed",
            Certainty::Unknown => "has an unknown outcome",
        };
        write!(f, "{} {} {outcome}", inner.channel, inner.operation)?;
        match (&inner.code, &inner.message) {
            (Some(code), Some(message)) => write!(f, ": {code} {message}")?,
            (Some(code), None) => write!(f, ": {code}")?,
            (None, Some(message)) => write!(f, ": {message}")?,
            (None, None) => write!(f, ": {:?}", inner.kind)?,
        }
        if let Some(request_id) = &inner.request_id {
            write!(f, " (request id {request_id})")?;
        }
        write!(f, "; {}", inner.hint)
    }
}

impl StdError for ChannelError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| {
            let source: &(dyn StdError + 'static) = source;
            source
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_what_happened_and_what_to_do() {
        let error = ChannelError::new(
            Channel::WechatPay,
            "refund",
            Certainty::Rejected,
            ErrorKind::NotEnough,
        )
        .with_code("NOT_ENOUGH", "基本账户余额不足")
        .with_request_id(Some("08F7-0".into()))
        .with_source(std::io::Error::other("inner"));
        assert_eq!(
            error.to_string(),
            "WECHAT_PAY refund was rejected: NOT_ENOUGH 基本账户余额不足 (request id 08F7-0); \
             top up the merchant account; the refund goes on with the same number"
        );
        assert_eq!(error.source().map(ToString::to_string), Some("inner".into()));
    }

    #[test]
    fn only_what_was_not_sent_may_be_sent_again() {
        let error = |certainty| {
            ChannelError::new(Channel::AliPay, "place", certainty, ErrorKind::Other).retry_is_safe()
        };
        assert!(error(Certainty::NotSent));
        assert!(!error(Certainty::Unknown));
        assert!(!error(Certainty::Rejected));
    }
}
