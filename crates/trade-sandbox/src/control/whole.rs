//! The sandbox as a whole: state, ledger, clock, keys, notices, reset.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::{
    Refusal,
    input::{Input, required},
};
use crate::{Channel, SandboxError, beijing, keys::Certificate, ledger::Book, world::World};

/// 400 days: past the year in which an order can be refunded.
const ADVANCE_S: std::ops::RangeInclusive<i64> = 1..=34_560_000;

/// `GET /sandbox/state`. It contains no secrets.
pub(super) async fn state(State(world): State<Arc<World>>) -> Json<Value> {
    world.catch_up();
    Json(describe(&world))
}

/// Clock, addresses, ids, modes, counts.
pub(super) fn describe(world: &World) -> Value {
    let (orders, refunds) = world
        .ledger
        .read(|book| (book.orders().count(), book.refunds().count()));
    let config = &world.config;
    json!({
        "clock": clock(world),
        "urls": {
            "api": world.api_url,
            "page": world.page_url,
            "wechat": world.api_url,
            "alipay": format!("{}/gateway.do", world.api_url),
        },
        "real_qr_shape": config.real_qr_shape,
        "notice_speed": config.notice_speed,
        "wechat": {
            "mchid": config.wechat.mchid,
            "appid": config.wechat.appid,
            "refund_delay_ms": config.wechat.refund_delay_ms,
            "refund_spacing": config.wechat.refund_spacing,
            "keys": keys(world, Channel::Wechat),
        },
        "alipay": {
            "app_id": config.alipay.app_id,
            "pid": config.alipay.pid,
            "encrypted": config.alipay.encrypted,
            "escaped_slashes": config.alipay.escaped_slashes,
            "keys": keys(world, Channel::Alipay),
        },
        "counts": {
            "orders": orders,
            "refunds": refunds,
            "notices": world.notices.list().len(),
            "faults": world.faults.list().len(),
        },
    })
}

fn clock(world: &World) -> Value {
    let now_ms = world.clock.now_ms();
    json!({
        "now_ms": now_ms,
        "now": beijing::rfc3339(now_ms),
        "frozen": world.clock.is_frozen(),
    })
}

/// Modes and the serial numbers of certificates, oldest first.
fn keys(world: &World, channel: Channel) -> Value {
    let all = world.credentials();
    match channel {
        Channel::Wechat => {
            let platform = all.wechat.platform.iter();
            let serials: Vec<String> = platform.map(|key| key.certificate.serial_hex()).collect();
            json!({
                "mode": all.wechat.mode,
                "merchant_serial_no": all.wechat.merchant_certificate.serial_hex(),
                "public_key_id": all.wechat.public_key_id,
                "platform_serial_nos": serials,
            })
        }
        Channel::Alipay => {
            let gateway = all.alipay.gateway_certificates.iter();
            let serials: Vec<String> = gateway.map(Certificate::serial_hex).collect();
            json!({
                "mode": world.config.alipay.key_mode,
                "app_serial_no": all.alipay.app_certificate.serial_hex(),
                "alipay_serial_nos": serials,
            })
        }
    }
}

/// `GET /sandbox/ledger`.
pub(super) async fn ledger(State(world): State<Arc<World>>) -> Json<Value> {
    world.catch_up();
    let snapshot = world.ledger.read(Book::snapshot);
    let totals = |channel| {
        let (paid_fen, refunded_fen) = (snapshot.paid_fen(channel), snapshot.refunded_fen(channel));
        json!({
            "paid_fen": paid_fen,
            "refunded_fen": refunded_fen,
            "net_fen": paid_fen.saturating_sub(refunded_fen),
        })
    };
    Json(json!({
        "orders": snapshot.orders,
        "refunds": snapshot.refunds,
        "entries": snapshot.entries,
        "totals": { "wechat": totals(Channel::Wechat), "alipay": totals(Channel::Alipay) },
    }))
}

/// `POST /sandbox/clock/advance`.
pub(super) async fn advance(State(world): State<Arc<World>>, input: Input) -> Result<Json<Value>, Refusal> {
    input.only(&["seconds"])?;
    let seconds = required("seconds", input.integer("seconds", &ADVANCE_S)?)?;
    world.advance(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
    Ok(Json(clock(&world)))
}

/// `POST /sandbox/keys/rotate`.
pub(super) async fn rotate(State(world): State<Arc<World>>, input: Input) -> Result<Json<Value>, Refusal> {
    input.only(&["channel"])?;
    let channel = required("channel", input.channel()?)?;
    let rotating = Arc::clone(&world);
    let rotated = spawn_blocking(move || rotating.rotate(channel)).await;
    rotated.map_err(|_panic| SandboxError::Key {
        name: "new key",
        reason: "its thread panicked".to_owned(),
    })??;
    Ok(Json(json!({ "channel": channel, "keys": keys(&world, channel) })))
}

/// `POST /sandbox/reset`.
pub(super) async fn reset(State(world): State<Arc<World>>, input: Input) -> Result<Json<Value>, Refusal> {
    input.only(&[])?;
    world.reset();
    Ok(Json(describe(&world)))
}

/// `GET /sandbox/notices`.
pub(super) async fn notices(State(world): State<Arc<World>>) -> Json<Value> {
    world.catch_up();
    Json(json!({ "notices": world.notices.list() }))
}

/// `POST /sandbox/notices/{id}/resend`.
pub(super) async fn resend(State(world): State<Arc<World>>, input: Input) -> Result<Json<Value>, Refusal> {
    input.only(&[])?;
    let id = input.path("id");
    if !world.notices.resend(id, world.clock.now_ms()) {
        let message = format!("there is no notice {id}: GET /sandbox/notices lists them");
        return Err(Refusal::not_found("notice_not_found", message));
    }
    world.wake();
    Ok(Json(json!({ "id": id, "resent": true })))
}
