//! Notices: headers, age, key, signature over the raw bytes, envelope, decryption, merchant, facts.

use serde::de::DeserializeOwned;
use trade_core::{
    Channel, EnterpriseId, Fen,
    handler::{
        Acknowledgement, ChannelAnswer, NoticeError, NoticeFact, PaymentNotice, RawNotice, RefundNotice,
        Verdict, VerifiedNotice,
    },
};
use trade_crypto::CryptoError;

use crate::{
    cipher::{self, Sealed},
    client::Line,
    map,
    verify::{Signed, Unverified},
    wire::{Envelope, RefundNoticeBody, Transaction},
};

const OPERATION: &str = "verify_notice";
const BODY_LIMIT: usize = 1024 * 1024;
/// WeChat Pay keeps this much of a refusal.
const REASON_LIMIT: usize = 64;

pub(crate) async fn verify(
    line: &Line,
    enterprise_id: EnterpriseId,
    notice: &RawNotice,
) -> Result<VerifiedNotice, NoticeError> {
    if notice.body.len() > BODY_LIMIT {
        return Err(NoticeError::Malformed("it is larger than 1 MiB".into()));
    }
    let signed = Signed::read(&notice.headers).map_err(refused)?;
    signed.check_age(line.now()).map_err(refused)?;
    let key = line
        .key(signed.serial)
        .await
        .map_err(|error| NoticeError::KeysUnavailable(Box::new(error)))?;
    let key = key.ok_or_else(|| NoticeError::UnknownKey(signed.serial.chars().take(64).collect()))?;
    signed.check(&key, &notice.body).map_err(refused)?;

    let envelope: Envelope = parse(&notice.body)?;
    let plain = open(line, &envelope)?;
    let fact = fact(line, &envelope, &plain)?;
    let text = String::from_utf8_lossy(&plain);
    let answer = ChannelAnswer::new(&envelope.event_type, "", &text, Some(envelope.id.clone()));
    Ok(VerifiedNotice {
        channel: Channel::WechatPay,
        enterprise_id,
        notice_id: envelope.id,
        fact,
        answer,
    })
}

fn open(line: &Line, envelope: &Envelope) -> Result<Vec<u8>, NoticeError> {
    cipher::open(&line.identity.apiv3_key, &envelope.resource).map_err(|error| match error {
        Sealed::Algorithm(_) => NoticeError::Malformed(error.to_string()),
        Sealed::Crypto(CryptoError::AeadNotOpened) => NoticeError::Undecryptable {
            hint: cipher::WRONG_KEY.into(),
            source: Box::new(error),
        },
        Sealed::Crypto(_) => NoticeError::Undecryptable {
            hint: "what is sealed in it is damaged".into(),
            source: Box::new(error),
        },
    })
}

fn fact(line: &Line, envelope: &Envelope, plain: &[u8]) -> Result<NoticeFact, NoticeError> {
    match envelope.event_type.as_str() {
        "TRANSACTION.SUCCESS" => payment(line, plain),
        "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => refund(line, plain),
        other => Ok(NoticeFact::Other(other.to_owned())),
    }
}

fn payment(line: &Line, plain: &[u8]) -> Result<NoticeFact, NoticeError> {
    let combined: serde_json::Value = parse(plain)?;
    if combined.get("combine_out_trade_no").is_some() {
        return Ok(NoticeFact::Other("a combined payment".into()));
    }
    let transaction: Transaction = parse(plain)?;
    same_merchant(line, &transaction.mchid, Some(&transaction.appid))?;
    let status = map::payment_status(OPERATION, &transaction, None)
        .map_err(|error| NoticeError::Malformed(error.to_string()))?;
    Ok(NoticeFact::Payment(PaymentNotice {
        out_trade_no: transaction.out_trade_no,
        status,
    }))
}

fn refund(line: &Line, plain: &[u8]) -> Result<NoticeFact, NoticeError> {
    let body: RefundNoticeBody = parse(plain)?;
    same_merchant(line, &body.mchid, None)?;
    let status = map::refund_status(OPERATION, &body.refund_status, None)
        .map_err(|error| NoticeError::Malformed(error.to_string()))?;
    Ok(NoticeFact::Refund(RefundNotice {
        out_trade_no: body.out_trade_no,
        out_refund_no: Some(body.out_refund_no),
        refund_id: Some(body.refund_id),
        status,
        amount: Fen::new(body.amount.refund).ok(),
        cumulative: None,
        payment: None,
    }))
}

/// One platform key signs for every merchant: whose notice it is stands only inside.
fn same_merchant(line: &Line, mchid: &str, appid: Option<&str>) -> Result<(), NoticeError> {
    let identity = &line.identity;
    if mchid != identity.mchid {
        return Err(NoticeError::WrongMerchant(format!("it names mchid {mchid}")));
    }
    match appid {
        Some(appid) if appid != identity.appid => {
            Err(NoticeError::WrongMerchant(format!("it names appid {appid}")))
        }
        Some(_) | None => Ok(()),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NoticeError> {
    serde_json::from_slice(bytes).map_err(|error| NoticeError::Malformed(error.to_string()))
}

fn refused(why: Unverified) -> NoticeError {
    match why {
        Unverified::Stale(away) => NoticeError::Stale(away),
        other => NoticeError::BadSignature(other.to_string()),
    }
}

pub(crate) fn acknowledge(verdict: Verdict<'_>) -> Acknowledgement {
    let (status, why) = match verdict {
        Verdict::Taken => {
            return Acknowledgement {
                status: 200,
                content_type: None,
                body: String::new(),
            };
        }
        Verdict::Refused(why) => (400, why.to_string()),
        Verdict::Later(why) => (500, why.to_string()),
    };
    let message: String = why.chars().take(REASON_LIMIT).collect();
    let body = serde_json::json!({"code": "FAIL", "message": message}).to_string();
    Acknowledgement {
        status,
        content_type: Some("application/json"),
        body,
    }
}
