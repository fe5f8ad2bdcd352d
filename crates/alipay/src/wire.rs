//! The JSON of the gateway, as far as it is used.

use serde::{Deserialize, Serialize};

/// What is stored of a place or refund request: enough to send the same again.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) notify_url: Option<String>,
    /// The exact text that is signed and sent.
    pub(crate) biz_content: String,
}

/// `alipay.trade.precreate`
#[derive(Debug, Serialize)]
pub(crate) struct PrecreateBiz<'a> {
    pub(crate) out_trade_no: String,
    pub(crate) total_amount: String,
    pub(crate) subject: &'a str,
    pub(crate) product_code: &'a str,
    pub(crate) time_expire: String,
}

/// The number in the content of `alipay.trade.precreate`.
#[derive(Debug, Deserialize)]
pub(crate) struct PrecreateNumber {
    pub(crate) out_trade_no: String,
}

/// `alipay.trade.refund`
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RefundBiz {
    pub(crate) out_trade_no: String,
    pub(crate) out_request_no: String,
    pub(crate) refund_amount: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refund_reason: Option<String>,
}

/// What every answer has. Any of it may be left out or null.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Codes {
    code: Option<String>,
    msg: Option<String>,
    sub_code: Option<String>,
    sub_msg: Option<String>,
}

impl Codes {
    pub(crate) fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_default()
    }

    pub(crate) fn msg(&self) -> &str {
        self.msg.as_deref().unwrap_or_default()
    }

    pub(crate) fn sub_code(&self) -> &str {
        self.sub_code.as_deref().unwrap_or_default()
    }

    pub(crate) fn sub_msg(&self) -> &str {
        self.sub_msg.as_deref().unwrap_or_default()
    }
}

/// `alipay.trade.precreate`
#[derive(Debug, Deserialize)]
pub(crate) struct PrecreateReply {
    pub(crate) out_trade_no: Option<String>,
    pub(crate) qr_code: String,
}

/// `alipay.trade.query`
#[derive(Debug, Deserialize)]
pub(crate) struct QueryReply {
    pub(crate) out_trade_no: Option<String>,
    pub(crate) trade_no: Option<String>,
    pub(crate) trade_status: String,
    pub(crate) total_amount: Option<String>,
    pub(crate) buyer_pay_amount: Option<String>,
    pub(crate) receipt_amount: Option<String>,
    pub(crate) point_amount: Option<String>,
    pub(crate) send_pay_date: Option<String>,
    pub(crate) buyer_user_id: Option<String>,
    pub(crate) buyer_open_id: Option<String>,
    pub(crate) trans_currency: Option<String>,
}

/// `alipay.trade.close`
#[derive(Debug, Deserialize)]
pub(crate) struct TradeReply {
    pub(crate) out_trade_no: Option<String>,
}

/// `alipay.trade.refund`
#[derive(Debug, Deserialize)]
pub(crate) struct RefundReplyBody {
    pub(crate) out_trade_no: Option<String>,
    pub(crate) fund_change: Option<String>,
}

/// `alipay.trade.fastpay.refund.query`
#[derive(Debug, Deserialize)]
pub(crate) struct RefundQueryReply {
    pub(crate) out_trade_no: Option<String>,
    pub(crate) out_request_no: Option<String>,
    pub(crate) refund_amount: Option<String>,
    pub(crate) refund_status: Option<String>,
}

/// `alipay.open.app.alipaycert.download`
#[derive(Debug, Deserialize)]
pub(crate) struct CertificateReply {
    pub(crate) alipay_cert_content: String,
}
