//! Ordering faults: `/sandbox/faults`.

use std::{ops::RangeInclusive, sync::Arc};

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    Refusal,
    input::{Input, required},
};
use crate::{
    Channel,
    faults::{Fault, FaultKind, FaultRule},
    ledger::RefundOutcome,
    world::World,
};

/// The kinds and the fields each of them has for itself.
const KINDS: [(&str, &[&str]); 15] = [
    ("drop_before", &[]),
    ("drop_after", &[]),
    ("delay", &["delay_ms"]),
    ("status", &["status", "effect"]),
    ("rate_limit", &[]),
    ("garbage", &[]),
    ("bad_signature", &[]),
    ("probe_signature", &[]),
    ("unsigned", &[]),
    ("wrong_key", &[]),
    ("wrong_amount", &["by_fen"]),
    ("gbk", &[]),
    ("duplicate", &["copies"]),
    ("reorder", &[]),
    ("refund", &["outcome"]),
];
const COMMON: [&str; 4] = ["kind", "channel", "operation", "times"];
const OUTCOMES: [&str; 5] = ["success", "processing", "abnormal", "closed", "not_enough"];

const NOTICES: [&str; 3] = ["notice", "notice.payment", "notice.refund"];
const WECHAT: [&str; 13] = [
    "native",
    "jsapi",
    "app",
    "h5",
    "query",
    "close",
    "refund",
    "refund_query",
    "abnormal_refund",
    "certificates",
    "tradebill",
    "fundflowbill",
    "billdownload",
];
const ALIPAY: [&str; 9] = [
    "precreate",
    "query",
    "close",
    "cancel",
    "refund",
    "refund_query",
    "bill",
    "billdownload",
    "certificate",
];

const TIMES: RangeInclusive<i64> = 1..=1_000_000;
const DELAYS_MS: RangeInclusive<i64> = 1..=600_000;
const STATUSES: RangeInclusive<i64> = 300..=599;
const AMOUNTS_FEN: RangeInclusive<i64> = -1_000_000_000..=1_000_000_000;
const COPIES: RangeInclusive<i64> = 1..=20;

/// `GET /sandbox/faults`.
pub(super) async fn list(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "faults": world.faults.list() }))
}

/// `POST /sandbox/faults`.
pub(super) async fn add(State(world): State<Arc<World>>, input: Input) -> Result<Json<FaultRule>, Refusal> {
    let fault = read(&input)?;
    let id = world.faults.add(fault.clone());
    Ok(Json(FaultRule { id, fault }))
}

/// `DELETE /sandbox/faults`.
pub(super) async fn clear(State(world): State<Arc<World>>) -> Json<Value> {
    world.faults.clear();
    list(State(world)).await
}

/// `DELETE /sandbox/faults/{id}`.
pub(super) async fn remove(State(world): State<Arc<World>>, input: Input) -> Result<Json<Value>, Refusal> {
    let id = input.path("id");
    let number = id.parse::<u64>().map_err(|_not_a_number| {
        Refusal::field("id", "must be a whole number, as POST /sandbox/faults answers")
    })?;
    if !world.faults.remove(number) {
        let message = format!("there is no fault {id}: it was used up or removed");
        return Err(Refusal::not_found("fault_not_found", message));
    }
    Ok(list(State(world)).await)
}

fn read(input: &Input) -> Result<Fault, Refusal> {
    let names = KINDS.map(|(name, _)| name);
    let name = required("kind", input.choice("kind", &names)?)?;
    let own = KINDS.into_iter().find(|(known, _)| *known == name);
    let own: &[&str] = own.map_or(&[], |(_, fields)| fields);
    input.only(&[&COMMON, own].concat())?;
    let fault = Fault {
        kind: kind(input, name)?,
        channel: input.channel()?,
        operation: input.text("operation", 32)?,
        times: number(input, "times", &TIMES)?.unwrap_or(1),
    };
    check_operation(&fault)?;
    Ok(fault)
}

fn kind(input: &Input, name: &str) -> Result<FaultKind, Refusal> {
    Ok(match name {
        "drop_before" => FaultKind::DropBefore,
        "drop_after" => FaultKind::DropAfter,
        "delay" => FaultKind::Delay {
            delay_ms: required("delay_ms", number(input, "delay_ms", &DELAYS_MS)?)?,
        },
        "status" => FaultKind::Status {
            status: required("status", number(input, "status", &STATUSES)?)?,
            effect: input.flag("effect")?.unwrap_or(false),
        },
        "rate_limit" => FaultKind::RateLimit,
        "garbage" => FaultKind::Garbage,
        "bad_signature" => FaultKind::BadSignature,
        "probe_signature" => FaultKind::ProbeSignature,
        "unsigned" => FaultKind::Unsigned,
        "wrong_key" => FaultKind::WrongKey,
        "wrong_amount" => FaultKind::WrongAmount {
            by_fen: required("by_fen", input.integer("by_fen", &AMOUNTS_FEN)?)?,
        },
        "gbk" => FaultKind::Gbk,
        "duplicate" => FaultKind::Duplicate {
            copies: number(input, "copies", &COPIES)?.unwrap_or(1),
        },
        "reorder" => FaultKind::Reorder,
        _ => FaultKind::Refund {
            outcome: match required("outcome", input.choice("outcome", &OUTCOMES)?)? {
                "success" => RefundOutcome::Success,
                "processing" => RefundOutcome::Processing,
                "abnormal" => RefundOutcome::Abnormal,
                "closed" => RefundOutcome::Closed,
                _ => RefundOutcome::NotEnough,
            },
        },
    })
}

/// A smaller integer. The ranges above fit their types, so that the conversion cannot fail.
fn number<T: TryFrom<i64>>(
    input: &Input,
    name: &str,
    range: &RangeInclusive<i64>,
) -> Result<Option<T>, Refusal> {
    let number = input.integer(name, range)?;
    Ok(number.and_then(|number| T::try_from(number).ok()))
}

/// A fault that could never strike is refused: waiting for it would waste an afternoon.
fn check_operation(fault: &Fault) -> Result<(), Refusal> {
    if fault.kind == FaultKind::Gbk && fault.channel == Some(Channel::Wechat) {
        return Err(Refusal::field(
            "channel",
            "must not be wechat: only Alipay writes GBK",
        ));
    }
    let channels: &[&[&str]] = match fault.channel {
        Some(Channel::Wechat) => &[&WECHAT, &NOTICES],
        Some(Channel::Alipay) => &[&ALIPAY, &NOTICES],
        None => &[&WECHAT, &ALIPAY, &NOTICES],
    };
    let known = match fault.kind {
        FaultKind::Duplicate { .. } | FaultKind::Reorder => NOTICES.to_vec(),
        FaultKind::Refund { .. } => vec!["refund"],
        _ => channels.concat(),
    };
    match &fault.operation {
        Some(operation) if !known.contains(&operation.as_str()) => {
            let mut names = known;
            names.sort_unstable();
            names.dedup();
            Err(Refusal::field(
                "operation",
                format!("must be one of {}", names.join(", ")),
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_api_is_a_kind_of_the_library() {
        for (name, fields) in KINDS {
            let mut body = json!({ "kind": name });
            for field in fields {
                body[field] = match *field {
                    "effect" => json!(true),
                    "outcome" => json!("abnormal"),
                    "status" => json!(502),
                    _ => json!(2),
                };
            }
            let read: Fault = serde_json::from_value(body.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap()["kind"], name);
        }
    }
}
