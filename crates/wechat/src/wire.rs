//! The JSON of APIv3, as far as it is used.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `POST /v3/pay/transactions/native`
#[derive(Debug, Serialize)]
pub(crate) struct NativeBody<'a> {
    pub(crate) appid: &'a str,
    pub(crate) mchid: &'a str,
    pub(crate) description: &'a str,
    pub(crate) out_trade_no: String,
    pub(crate) time_expire: String,
    pub(crate) notify_url: &'a str,
    pub(crate) amount: AmountBody,
}

#[derive(Debug, Serialize)]
pub(crate) struct AmountBody {
    pub(crate) total: i64,
    pub(crate) currency: &'static str,
}

/// `POST /v3/refund/domestic/refunds`; it takes neither appid nor mchid.
#[derive(Debug, Serialize)]
pub(crate) struct RefundBody<'a> {
    pub(crate) out_trade_no: String,
    pub(crate) out_refund_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'a str>,
    pub(crate) notify_url: &'a str,
    pub(crate) amount: RefundAmountBody,
}

#[derive(Debug, Serialize)]
pub(crate) struct RefundAmountBody {
    pub(crate) refund: i64,
    pub(crate) total: i64,
    pub(crate) currency: &'static str,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NativeReply {
    pub(crate) code_url: String,
}

/// A payment, as a query answers it and as a notice holds it.
#[derive(Debug, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) appid: String,
    pub(crate) mchid: String,
    pub(crate) out_trade_no: String,
    pub(crate) transaction_id: Option<String>,
    pub(crate) trade_state: String,
    #[serde(default)]
    pub(crate) trade_state_desc: String,
    pub(crate) success_time: Option<String>,
    pub(crate) payer: Option<Payer>,
    pub(crate) amount: Option<TransactionAmount>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Payer {
    pub(crate) openid: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct TransactionAmount {
    pub(crate) total: Option<i64>,
    pub(crate) payer_total: Option<i64>,
    pub(crate) currency: Option<String>,
}

/// A refund, as create and query answer it.
#[derive(Debug, Deserialize)]
pub(crate) struct RefundReplyBody {
    pub(crate) refund_id: String,
    pub(crate) out_refund_no: String,
    pub(crate) out_trade_no: String,
    pub(crate) status: String,
    pub(crate) amount: RefundReplyAmount,
}

/// A refund, as a notice holds it.
#[derive(Debug, Deserialize)]
pub(crate) struct RefundNoticeBody {
    pub(crate) mchid: String,
    pub(crate) out_trade_no: String,
    pub(crate) out_refund_no: String,
    pub(crate) refund_id: String,
    pub(crate) refund_status: String,
    pub(crate) amount: RefundReplyAmount,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RefundReplyAmount {
    pub(crate) refund: i64,
    /// Notices leave it out.
    pub(crate) currency: Option<String>,
}

/// The envelope of a notice.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope {
    pub(crate) id: String,
    pub(crate) event_type: String,
    pub(crate) resource: Resource,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Resource {
    pub(crate) algorithm: String,
    pub(crate) ciphertext: String,
    pub(crate) associated_data: Option<String>,
    pub(crate) nonce: String,
}

/// `GET /v3/certificates`
#[derive(Debug, Deserialize)]
pub(crate) struct CertificatesReply {
    pub(crate) data: Vec<EncryptedCertificate>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct EncryptedCertificate {
    pub(crate) encrypt_certificate: Resource,
}

/// An error.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) detail: Value,
}

impl ErrorBody {
    /// The message, with what the detail says of the field, of what is wrong with it, and of the fields
    /// that should not be there.
    pub(crate) fn message_with_detail(&self) -> String {
        let detail = &self.detail;
        let field = detail.get("field").and_then(Value::as_str);
        // A refused signature has one detail inside the other.
        let issue = detail.get("issue").or_else(|| detail.pointer("/detail/issue"));
        let issue = issue
            .and_then(Value::as_str)
            .filter(|issue| *issue != self.message);
        let strings = detail
            .get("value")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let unwanted: Vec<&str> = strings.filter_map(Value::as_str).collect();
        let parts: Vec<&str> = field
            .into_iter()
            .chain(issue)
            .chain(unwanted)
            .filter(|part| !part.is_empty())
            .collect();
        if parts.is_empty() {
            self.message.clone()
        } else {
            format!("{} ({})", self.message, parts.join(": "))
        }
    }
}
