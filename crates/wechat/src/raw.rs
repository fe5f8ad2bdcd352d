//! Beyond [`PayHandler`](trade_core::handler::PayHandler): other queries, and the rest of APIv3.

use reqwest::Method;
use trade_core::{ChannelError, TransactionId, handler::Observed};
use trade_crypto::Certificate;

use crate::{
    WechatPay,
    client::RawReply,
    error::{invalid, nonsense},
    handler::{absent, parse},
    wire::Transaction,
};

impl WechatPay {
    /// Asks for a payment by WeChat Pay's own number (微信支付订单号); only paid ones have one.
    ///
    /// # Errors
    /// As [`PayHandler::query`](trade_core::handler::PayHandler::query).
    pub async fn query_by_transaction_id(&self, id: &TransactionId) -> Result<Observed, ChannelError> {
        const OPERATION: &str = "query";
        if id.as_str().is_empty() || !id.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(invalid(OPERATION, "transaction_id", "must be letters and digits"));
        }
        let target = format!("/v3/pay/transactions/id/{id}?mchid={}", self.line.identity.mchid);
        let reply = match self.line.call(OPERATION, Method::GET, &target, None).await {
            Ok(reply) => reply,
            Err(error) => return absent(error),
        };
        let transaction: Transaction = parse(OPERATION, &reply)?;
        if transaction.transaction_id.as_deref() != Some(id.as_str()) {
            return Err(nonsense(
                OPERATION,
                "the reply is about another transaction",
                reply.request_id,
            ));
        }
        self.observed(OPERATION, &transaction, &reply)
    }

    /// Fetches the platform certificates (`GET /v3/certificates`), opened with the APIv3 key and checked
    /// against the signature of the reply, and verifies with them from now on. Verifying does this by
    /// itself when it needs to; there is no need to call it other than to look at them.
    ///
    /// # Errors
    /// `NotFound` for a merchant in public-key mode, who has none; `Unverifiable` when the APIv3 key does
    /// not open them.
    pub async fn download_certificates(&self) -> Result<Vec<Certificate>, ChannelError> {
        let mut asked = self.line.keys.asking().await;
        *asked = Some(self.line.now());
        let certificates = self.line.download().await?;
        self.line.keys.add(&certificates);
        Ok(certificates)
    }

    /// Calls any other interface of APIv3, signed and verified. `target` is the path with its query,
    /// percent-encoded as it is to be sent; `body` is JSON and is sent as it is. Files, which WeChat Pay
    /// does not sign (bills, receipts, images), are returned unverified: compare their digest.
    ///
    /// ```no_run
    /// # async fn example(wechat: trade_wechat::WechatPay) -> Result<(), Box<dyn std::error::Error>> {
    /// use trade_wechat::Method;
    ///
    /// // 申请交易账单, then 下载账单 from the address in the answer, which expires after five minutes.
    /// let target = "/v3/bill/tradebill?bill_date=2026-11-20&bill_type=ALL";
    /// let reply = wechat.call_raw(Method::GET, target, None).await?;
    /// println!("{} {:?}", reply.text(), reply.headers.get("Request-ID"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As every call: typed by certainty. A non-2xx status is an error with the channel's code.
    pub async fn call_raw(
        &self,
        method: Method,
        target: &str,
        body: Option<&str>,
    ) -> Result<RawReply, ChannelError> {
        const OPERATION: &str = "call_raw";
        if !target.starts_with("/v3/") {
            return Err(invalid(OPERATION, "target", "must begin with /v3/"));
        }
        if !is_wire_form(target) {
            let rule = "must be percent-encoded as it is to be sent, without `..` and `#`: what is signed must \
                        be what is sent";
            return Err(invalid(OPERATION, "target", rule));
        }
        self.line.call(OPERATION, method, target, body).await
    }
}

/// Whether an HTTP client would send these very bytes.
fn is_wire_form(target: &str) -> bool {
    let url = reqwest::Url::parse(&format!("http://host{target}"));
    url.is_ok_and(|url| url.fragment().is_none() && url.as_str().strip_prefix("http://host") == Some(target))
}
