//! Bills: `GET /v3/bill/tradebill`, `GET /v3/bill/fundflowbill`, and the file behind `download_url`.

mod fund_flow;
mod table;
mod trade;

use std::{
    collections::HashMap,
    io::Write,
    sync::{Mutex, PoisonError},
};

use axum::http::StatusCode;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::{
    call::Call,
    refusal::{Location, Refusal},
    reply::Answer,
};
use crate::{
    beijing::{self, DAY_MS},
    world::World,
};

/// Yesterday's bill is ready at nine in the morning.
const READY_MS: i64 = 9 * 3_600_000;
const KEPT_DAYS: i64 = 90;
/// How long a download address works.
const LINK_LIFE_MS: i64 = 5 * 60_000;

/// Files that wait to be downloaded, by token.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    files: Mutex<HashMap<String, Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    content: String,
    gzip: bool,
    until_ms: i64,
}

/// The trade bill: what was paid and refunded on a day.
pub(super) fn trade(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let day_ms = day(world, call)?;
    let kind = match call.param("bill_type").unwrap_or("ALL") {
        "ALL" => trade::Kind::All,
        "SUCCESS" => trade::Kind::Success,
        "REFUND" => trade::Kind::Refund,
        other => return Err(wrong("bill_type", other, "枚举值错误")),
    };
    let content = world
        .ledger
        .read(|book| trade::write(book, kind, day_ms, &world.config.wechat.mchid));
    shelve(world, call, content)
}

/// The fund flow bill: how the merchant's account moved on a day.
pub(super) fn fund_flow(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let day_ms = day(world, call)?;
    let content = match call.param("account_type").unwrap_or("BASIC") {
        "BASIC" => world.ledger.read(|book| fund_flow::write(book, day_ms)),
        // These accounts exist, but nothing in the sandbox moves them.
        "OPERATION" | "FEES" => None,
        other => return Err(wrong("account_type", other, "枚举值错误")),
    };
    shelve(world, call, content)
}

/// The file. Its answer is never signed.
pub(super) fn download(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let token = call.param("token").unwrap_or_default();
    let now_ms = world.clock.now_ms();
    let files = world.wechat.bills.files.lock();
    let files = files.unwrap_or_else(PoisonError::into_inner);
    let waiting = files
        .get(token)
        .filter(|waiting| waiting.until_ms > now_ms)
        .ok_or_else(|| Refusal::invalid("下载地址已失效，请重新申请账单"))?;
    if !waiting.gzip {
        return Ok(Answer::File {
            content: waiting.content.clone().into_bytes(),
            content_type: "text/plain",
        });
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder
        .write_all(waiting.content.as_bytes())
        .and_then(|()| encoder.finish());
    let content = packed.map_err(|_error| Refusal::system_error(StatusCode::INTERNAL_SERVER_ERROR))?;
    Ok(Answer::File {
        content,
        content_type: "application/x-gzip",
    })
}

/// The start of the asked day, if its bill can exist.
fn day(world: &World, call: &Call) -> Result<i64, Refusal> {
    let text = call
        .param("bill_date")
        .ok_or_else(|| Refusal::param(Location::Query, "bill_date", &Value::Null, "必填参数缺失"))?;
    let day_ms =
        beijing::parse_date(text).ok_or_else(|| wrong("bill_date", text, "格式错误，请使用yyyy-MM-DD"))?;
    let now_ms = world.clock.now_ms();
    let today_ms = beijing::day_start(now_ms);
    if day_ms >= today_ms || day_ms < today_ms.saturating_sub(KEPT_DAYS.saturating_mul(DAY_MS)) {
        return Err(Refusal::invalid("账单日期错误，仅支持三个月内且早于当日的账单"));
    }
    let is_yesterday = day_ms.saturating_add(DAY_MS) == today_ms;
    if is_yesterday && now_ms.saturating_sub(today_ms) < READY_MS {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "STATEMENT_CREATING",
            "账单生成中，请稍后再试",
            268_435_461,
        ));
    }
    Ok(day_ms)
}

/// Keeps the file for download and tells where, and its hash.
fn shelve(world: &World, call: &Call, content: Option<String>) -> Result<Answer, Refusal> {
    let gzip = match call.param("tar_type") {
        None => false,
        Some("GZIP") => true,
        Some(other) => return Err(wrong("tar_type", other, "枚举值错误")),
    };
    let content = content.ok_or_else(|| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "NO_STATEMENT_EXIST",
            "账单文件不存在",
            268_435_461,
        )
    })?;
    // The hash is of the plain file, packed or not.
    let hash = format!("{:x}", Sha1::digest(content.as_bytes()));
    let now_ms = world.clock.now_ms();
    let token = world.random.alnum(48);
    let waiting = Waiting {
        content,
        gzip,
        until_ms: now_ms.saturating_add(LINK_LIFE_MS),
    };
    let files = world.wechat.bills.files.lock();
    let mut files = files.unwrap_or_else(PoisonError::into_inner);
    files.retain(|_token, waiting| waiting.until_ms > now_ms);
    files.insert(token.clone(), waiting);
    let tail = if gzip { "&tartype=gzip" } else { "" };
    Ok(Answer::Json(json!({
        "hash_type": "SHA1",
        "hash_value": hash,
        "download_url": format!("{}/v3/billdownload/file?token={token}{tail}", host(world, call)),
    })))
}

/// The address the client reached us by: inside a container it is not the one we know.
fn host(world: &World, call: &Call) -> String {
    let host = call.headers.get("host").and_then(|host| host.to_str().ok());
    host.map_or_else(|| world.api_url.clone(), |host| format!("http://{host}"))
}

fn wrong(name: &str, value: &str, issue: &str) -> Refusal {
    Refusal::param(Location::Query, name, &value.into(), issue)
}
