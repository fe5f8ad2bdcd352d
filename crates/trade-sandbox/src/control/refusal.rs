//! Why the control API does not do what it was asked to.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{SandboxError, ledger::LedgerError};

/// An answer with a 4xx status: `{"error": {"code": ..., "message": ..., "field": ...}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: StatusCode,
    /// For programs.
    code: &'static str,
    /// For people.
    message: String,
    /// The field of the path or the body that is wrong.
    field: Option<String>,
}

impl Refusal {
    /// A field breaks a rule.
    pub(crate) fn field(name: &str, rule: impl Into<String>) -> Self {
        let rule: String = rule.into();
        Self {
            field: Some(name.to_owned()),
            ..Self::new(StatusCode::BAD_REQUEST, "invalid_field", format!("{name} {rule}"))
        }
    }

    /// Something named does not exist.
    pub(crate) fn not_found(code: &'static str, message: String) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// The state of things does not allow it.
    pub(crate) fn conflict(code: &'static str, message: String) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// Any other refusal.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            field: None,
        }
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        let message = error.to_string();
        match error {
            LedgerError::OrderNotFound(_) => Self::not_found("order_not_found", message),
            LedgerError::RefundNotFound(_) => Self::not_found("refund_not_found", message),
            LedgerError::AlreadyPaid(_) => Self::conflict("already_paid", message),
            LedgerError::Closed(_) => Self::conflict("closed", message),
            LedgerError::Expired(_) => Self::conflict("expired", message),
            LedgerError::CodeDead(_) => Self::conflict("code_dead", message),
            LedgerError::RefundFinal(_) => Self::conflict("refund_final", message),
            LedgerError::NumberTaken(_) => Self::conflict("number_taken", message),
        }
    }
}

impl From<SandboxError> for Refusal {
    fn from(error: SandboxError) -> Self {
        match error {
            SandboxError::Ledger { source } => source.into(),
            other => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "sandbox_failed",
                other.to_string(),
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = json!({ "code": self.code, "message": self.message, "field": self.field });
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}
