//! What a method answers: fields in their order, or a refusal with its codes.

use serde_json::Value;

use super::amount;

/// The fields of an answer, written in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields {
    all: Vec<(&'static str, Value)>,
}

impl Fields {
    /// No fields.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a text.
    pub(super) fn text(self, name: &'static str, value: impl Into<String>) -> Self {
        self.value(name, Value::String(value.into()))
    }

    /// Adds a text when there is one.
    pub(super) fn maybe(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds an amount in fen, written in yuan.
    pub(super) fn fen(self, name: &'static str, fen: i64) -> Self {
        self.text(name, amount::format(fen))
    }

    /// Adds any value.
    pub(super) fn value(mut self, name: &'static str, value: Value) -> Self {
        self.all.push((name, value));
        self
    }

    /// Adds all of `more`.
    pub(super) fn and(mut self, more: Self) -> Self {
        self.all.extend(more.all);
        self
    }

    /// Adds `by_fen` to the amounts that say what was ordered or refunded.
    pub(super) fn falsify(mut self, by_fen: i64) -> Self {
        for (name, value) in &mut self.all {
            if matches!(*name, "total_amount" | "refund_amount" | "refund_fee")
                && let Some(fen) = value.as_str().and_then(amount::parse)
            {
                *value = Value::String(amount::format(fen.saturating_add(by_fen)));
            }
        }
        self
    }

    /// The JSON object.
    pub(super) fn json(&self) -> String {
        let written = self.all.iter().map(|(name, value)| format!("\"{name}\":{value}"));
        format!("{{{}}}", written.collect::<Vec<_>>().join(","))
    }
}

/// A call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    sub_code: &'static str,
    sub_msg: String,
    more: Fields,
}

impl Refusal {
    /// A refusal; the code follows from the `sub_code`.
    pub(super) fn new(sub_code: &'static str, sub_msg: impl Into<String>) -> Self {
        Self {
            sub_code,
            sub_msg: sub_msg.into(),
            more: Fields::new(),
        }
    }

    /// The gateway is down (系统繁忙): nobody knows what happened.
    pub(super) fn system_error() -> Self {
        Self::new("aop.unknow-error", "系统繁忙，请稍后再试")
    }

    /// The app has called too often.
    pub(super) fn rate_limited() -> Self {
        Self::new("isv.app-call-limited", "应用调用次数超限，请稍后再试")
    }

    /// Some refusals carry fields of the answer, too.
    pub(super) fn with(mut self, more: Fields) -> Self {
        self.more = self.more.and(more);
        self
    }

    /// The detailed code.
    pub(super) fn sub_code(&self) -> &'static str {
        self.sub_code
    }

    /// All fields of the answer.
    pub(super) fn fields(&self) -> Fields {
        let (code, msg) = code_of(self.sub_code);
        Fields::new()
            .text("code", code)
            .text("msg", msg)
            .text("sub_code", self.sub_code)
            .text("sub_msg", &self.sub_msg)
            .and(self.more.clone())
    }
}

/// The fields of an accepted call.
pub(super) fn success(fields: Fields) -> Fields {
    Fields::new()
        .text("code", "10000")
        .text("msg", "Success")
        .and(fields)
}

/// The gateway's code and message of a detailed code. What is not the gateway's own is the business's.
fn code_of(sub_code: &str) -> (&'static str, &'static str) {
    match sub_code {
        "aop.unknow-error" => ("20000", "Service Currently Unavailable"),
        "aop.invalid-app-auth-token" => ("20001", "Insufficient Token Permissions"),
        "isv.app-call-limited" => ("40005", "Call Limited"),
        "isv.decryption-error-missing-encrypt-type" => ("40001", "Missing Required Arguments"),
        _ if sub_code.starts_with("isv.missing-") => ("40001", "Missing Required Arguments"),
        _ if sub_code.starts_with("isv.") => ("40002", "Invalid Arguments"),
        _ => ("40004", "Business Failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_escape_what_json_must() {
        let fields = Fields::new()
            .text("b", "say \"好\"\n")
            .fen("a", 5)
            .maybe("none", None::<String>);
        assert_eq!(fields.json(), r#"{"b":"say \"好\"\n","a":"0.05"}"#);
    }

    #[test]
    fn the_code_follows_from_the_detailed_code() {
        let code = |sub_code| code_of(sub_code).0;
        assert_eq!(code("isv.missing-app-cert-sn"), "40001");
        assert_eq!(code("isv.invalid-signature"), "40002");
        assert_eq!(code("ACQ.TRADE_NOT_EXIST"), "40004");
        assert_eq!(code("TRADE_NOT_EXIST"), "40004");
        assert_eq!(code("aop.unknow-error"), "20000");
    }
}
