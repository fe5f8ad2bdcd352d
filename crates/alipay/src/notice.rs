//! Notices: form, charset, signature over the decoded values, app and seller, facts.

use trade_core::{
    Channel, EnterpriseId, Fen, Timestamp, TransactionId,
    handler::{
        Acknowledgement, ChannelAnswer, NoticeError, NoticeFact, Payment, PaymentNotice, PaymentStatus,
        RawNotice, RefundNotice, RefundStatus, Verdict, VerifiedNotice,
    },
};

use trade_crypto::PublicKey;

use crate::{
    client::Line,
    form::{Form, FormError},
};

const BODY_LIMIT: usize = 64 * 1024;

pub(crate) fn verify(
    line: &Line,
    enterprise_id: EnterpriseId,
    notice: &RawNotice,
) -> Result<VerifiedNotice, NoticeError> {
    if notice.body.len() > BODY_LIMIT {
        return Err(NoticeError::Malformed("it is larger than 64 KiB".into()));
    }
    let form = Form::parse(&notice.body).map_err(malformed)?;
    check_signature(line, &form)?;
    check_merchant(line, &form)?;
    let status = required(&form, "trade_status")?;
    let fact = fact(&form, &status)?;
    let notice_id = required(&form, "notify_id")?;
    let record = record(&form)?;
    let answer = ChannelAnswer::new(&status, "", &record, Some(notice_id.clone()));
    Ok(VerifiedNotice {
        channel: Channel::AliPay,
        enterprise_id,
        notice_id,
        fact,
        answer,
    })
}

/// With every key of Alipay's that is known: notices do not reliably say which certificate signed them.
fn check_signature(line: &Line, form: &Form) -> Result<(), NoticeError> {
    let bad = |why: &str| NoticeError::BadSignature(why.to_owned());
    if form.bytes("sign_type") != Some(b"RSA2") {
        return Err(bad("its sign_type is not RSA2"));
    }
    let sign = form
        .text("sign")
        .map_err(malformed)?
        .ok_or_else(|| bad("it has no sign"))?;
    // Dialects differ about fields without a value; without such fields there is only one text.
    let (dropped, kept) = (form.signed(false), form.signed(true));
    let fits = |key: &PublicKey, message: &[u8]| key.verify_sha256(message, &sign).is_ok();
    let signed_by = |key: &PublicKey| fits(key, &dropped) || (kept != dropped && fits(key, &kept));
    if line.keys.all().iter().any(signed_by) {
        return Ok(());
    }
    Err(bad(
        "the signature does not fit: it is not Alipay's, the body was changed on its way (decoded twice, trimmed), \
         or alipay_public_key is not Alipay's key for this app",
    ))
}

/// One key of Alipay signs for all sellers of an app; whose notice it is stands inside.
fn check_merchant(line: &Line, form: &Form) -> Result<(), NoticeError> {
    let identity = &line.identity;
    let app_id = required(form, "app_id")?;
    let auth_app_id = form.text("auth_app_id").map_err(malformed)?;
    if app_id != identity.app_id && auth_app_id.as_deref() != Some(identity.app_id.as_str()) {
        return Err(NoticeError::WrongMerchant(format!("it names app_id {app_id}")));
    }
    let Some(expected) = &identity.seller_id else {
        return Ok(());
    };
    let seller_id = required(form, "seller_id")?;
    if seller_id == *expected {
        Ok(())
    } else {
        Err(NoticeError::WrongMerchant(format!(
            "it names seller_id {seller_id}"
        )))
    }
}

fn fact(form: &Form, status: &str) -> Result<NoticeFact, NoticeError> {
    let out_trade_no = required(form, "out_trade_no")?;
    let cumulative = yuan(form, "refund_fee")?.filter(|fee| *fee > Fen::ZERO);
    let out_biz_no = text(form, "out_biz_no")?;
    let out_request_no = text(form, "out_request_no")?;
    let is_refund = cumulative.is_some() || out_biz_no.is_some() || text(form, "gmt_refund")?.is_some();
    let was_paid = text(form, "gmt_payment")?.is_some();
    let status = match status {
        "WAIT_BUYER_PAY" => PaymentStatus::Waiting,
        "TRADE_SUCCESS" | "TRADE_FINISHED" => PaymentStatus::Paid(payment(form)?),
        "TRADE_CLOSED" if is_refund || was_paid => PaymentStatus::Paid(payment(form)?),
        "TRADE_CLOSED" => PaymentStatus::Closed,
        other => return Ok(NoticeFact::Other(format!("trade_status {other}"))),
    };
    match status {
        PaymentStatus::Paid(payment) if is_refund => Ok(NoticeFact::Refund(RefundNotice {
            out_trade_no,
            out_refund_no: out_biz_no.or(out_request_no),
            refund_id: None,
            status: refund_status(form)?,
            amount: yuan(form, "refund_amount")?,
            cumulative,
            payment: Some(payment),
        })),
        status => Ok(NoticeFact::Payment(PaymentNotice { out_trade_no, status })),
    }
}

/// Alipay refunds at once and says nothing about it; what a later version may say is not overheard.
fn refund_status(form: &Form) -> Result<RefundStatus, NoticeError> {
    match text(form, "refund_status")?.as_deref() {
        None | Some("REFUND_SUCCESS") => Ok(RefundStatus::Success),
        Some("REFUND_FAIL") => Ok(RefundStatus::Closed),
        Some(_) => Ok(RefundStatus::Processing),
    }
}

fn payment(form: &Form) -> Result<Payment, NoticeError> {
    let total = yuan(form, "total_amount")?;
    Ok(Payment {
        transaction_id: TransactionId::new(required(form, "trade_no")?),
        total: total.ok_or_else(|| NoticeError::Malformed("it has no total_amount".into()))?,
        currency: text(form, "trans_currency")?.unwrap_or_else(|| "CNY".to_owned()),
        payer_total: yuan(form, "buyer_pay_amount")?,
        paid_at: text(form, "gmt_payment")?
            .as_deref()
            .and_then(Timestamp::from_beijing_text),
        payer_id: text(form, "buyer_id")?.or(text(form, "buyer_open_id")?),
    })
}

/// The fields for the record, as JSON, without the signature.
fn record(form: &Form) -> Result<String, NoticeError> {
    const KEPT: [&str; 12] = [
        "notify_id",
        "notify_type",
        "notify_time",
        "trade_no",
        "out_trade_no",
        "out_biz_no",
        "trade_status",
        "total_amount",
        "receipt_amount",
        "refund_fee",
        "gmt_payment",
        "gmt_refund",
    ];
    let mut kept = serde_json::Map::new();
    for name in KEPT {
        if let Some(value) = text(form, name)? {
            kept.insert(name.to_owned(), value.into());
        }
    }
    Ok(serde_json::Value::Object(kept).to_string())
}

fn text(form: &Form, name: &str) -> Result<Option<String>, NoticeError> {
    form.text(name).map_err(malformed)
}

fn required(form: &Form, name: &str) -> Result<String, NoticeError> {
    text(form, name)?.ok_or_else(|| NoticeError::Malformed(format!("it has no {name}")))
}

fn yuan(form: &Form, name: &str) -> Result<Option<Fen>, NoticeError> {
    let Some(text) = text(form, name)? else {
        return Ok(None);
    };
    Fen::from_yuan(&text)
        .map(Some)
        .map_err(|error| NoticeError::Malformed(format!("{name}: {error}")))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
fn malformed(error: FormError) -> NoticeError {
    NoticeError::Malformed(error.to_string())
}

pub(crate) fn acknowledge(verdict: Verdict<'_>) -> Acknowledgement {
    let (status, body) = match verdict {
        Verdict::Taken => (200, "success"),
        Verdict::Refused(_) => (400, "fail"),
        Verdict::Later(_) => (500, "fail"),
    };
    Acknowledgement {
        status,
        content_type: Some("text/plain"),
        body: body.to_owned(),
    }
}
