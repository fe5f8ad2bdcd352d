//! `alipay.data.dataservice.bill.downloadurl.query` and the download: bills of a day or a month, from the
//! ledger. Unlike the official sandbox's, they tell what really happened.

mod csv;
mod fund;
mod period;
mod trade;
mod zip;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use self::period::Period;
use super::{
    answer::{Fields, Refusal},
    content::{Content, Field, Kind, optional, required},
    envelope,
};
use crate::{
    Channel,
    faults::FaultKind,
    http,
    ledger::{Book, Entry, Order},
    world::World,
};

/// Where bills are downloaded.
pub(super) const DOWNLOAD_PATH: &str = "/downloadBillFile.resource";

const FIELDS: &[Field] = &[
    required("bill_type", Kind::Text(32)),
    required("bill_date", Kind::Text(10)),
    optional("smid", Kind::Text(32)),
];

/// Alipay's spelling.
const INVALID: &str = "INVAILID_ARGUMENTS";

/// Bills that exist at Alipay and not here.
const NOT_PLAYED: &[&str] = &["merchant_act", "trade_zft_merchant", "zft_acc", "settlementMerge"];

/// How long a link works.
const LINK_MS: i64 = 30_000;

/// What a bill lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BillType {
    /// The merchant's trades (业务明细).
    Trade,
    /// The account's movements (账务明细).
    SignCustomer,
}

impl BillType {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "trade" => Some(Self::Trade),
            "signcustomer" => Some(Self::SignCustomer),
            _ => None,
        }
    }
}

/// Files that wait to be downloaded, by token.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    files: Mutex<HashMap<String, Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    name: String,
    archive: Vec<u8>,
    until_ms: i64,
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Waiting>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells where a bill can be downloaded, for half a minute.
pub(super) fn locate(world: &World, content: &Content, base_url: &str) -> Result<Fields, Refusal> {
    content.check(FIELDS, INVALID)?;
    let type_name = content.text("bill_type").unwrap_or_default();
    if NOT_PLAYED.contains(&type_name) {
        return Err(Refusal::new("TYPE_NOT_SUPPORTED", "沙箱不支持该账单类型"));
    }
    let bill_type = BillType::parse(type_name)
        .ok_or_else(|| Refusal::new(INVALID, "参数有误：bill_type不是已知的账单类型"))?;
    let date = content.text("bill_date").unwrap_or_default();
    let period = Period::parse(date)
        .ok_or_else(|| Refusal::new(INVALID, "参数有误：bill_date应为yyyy-MM-dd或yyyy-MM"))?;
    let now_ms = world.clock.now_ms();
    if now_ms < period.available_ms {
        return Err(Refusal::new("BILL_NOT_EXIST", "账单不存在：尚未生成"));
    }
    if lines(world, &period).is_empty() {
        return Err(Refusal::new("NO_BILL_DATA", "账单数据为空"));
    }
    let pid = &world.config.alipay.pid;
    let token = world.random.hex(32);
    let waiting = Waiting {
        name: format!("{pid}_{}.csv.zip", period.compact),
        archive: archive(world, bill_type, &period),
        until_ms: now_ms.saturating_add(LINK_MS),
    };
    let mut files = world.alipay.bills.lock();
    files.retain(|_token, waiting| waiting.until_ms > now_ms);
    files.insert(token.clone(), waiting);
    let url = format!(
        "{base_url}{DOWNLOAD_PATH}?bizType={type_name}&userId={pid}&fileType=csv.zip&bizDates={}&token={token}",
        period.compact,
    );
    Ok(Fields::new().text("bill_download_url", url))
}

/// What a link carries.
#[derive(Debug, Deserialize)]
pub(super) struct Link {
    token: String,
}

/// Serves the file of a link.
pub(super) async fn download(State(world): State<Arc<World>>, Query(link): Query<Link>) -> Response {
    let plan = world.faults.plan(Channel::Alipay, "billdownload");
    if let Some(delay_ms) = plan.delay_ms {
        tokio::time::sleep(Duration::from_millis(u64::from(delay_ms))).await;
    }
    match plan.outcome {
        Some(FaultKind::DropBefore | FaultKind::DropAfter) => return http::hang_up(),
        Some(FaultKind::Status { status, .. }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return envelope::page(&world, status);
        }
        Some(FaultKind::RateLimit) => return envelope::page(&world, StatusCode::TOO_MANY_REQUESTS),
        Some(FaultKind::Garbage) => return envelope::page(&world, StatusCode::OK),
        _ => {}
    }
    let now_ms = world.clock.now_ms();
    let files = world.alipay.bills.lock();
    match files.get(&link.token).filter(|waiting| waiting.until_ms > now_ms) {
        None => (StatusCode::FORBIDDEN, "账单下载链接无效或已过期").into_response(),
        Some(waiting) => {
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
                (
                    header::CONTENT_DISPOSITION,
                    format!("attachment;filename={}", waiting.name),
                ),
            ];
            (headers, waiting.archive.clone()).into_response()
        }
    }
}

/// One movement of money and its order.
#[derive(Debug)]
struct Line {
    entry: Entry,
    order: Order,
}

/// The movements at Alipay in a period, oldest first.
fn lines(world: &World, period: &Period) -> Vec<Line> {
    world.ledger.read(|book| {
        let inside = |entry: &&Entry| period.contains(entry.at_ms);
        let line = |entry: &Entry| {
            let order = order_of(book, entry, world)?;
            Some(Line {
                entry: entry.clone(),
                order,
            })
        };
        let at_alipay = book
            .entries()
            .iter()
            .filter(|entry| entry.channel == Channel::Alipay);
        at_alipay.filter(inside).filter_map(line).collect()
    })
}

fn order_of(book: &Book, entry: &Entry, world: &World) -> Option<Order> {
    let key = world.order_key(Channel::Alipay, &entry.out_trade_no);
    book.order(&key).cloned()
}

/// The two tables of a bill, zipped.
fn archive(world: &World, bill_type: BillType, period: &Period) -> Vec<u8> {
    let frame = csv::Frame {
        account: format!("{}0156", world.config.alipay.pid),
        period,
        exported_ms: world.clock.now_ms(),
    };
    let (word, detail, summary) = match bill_type {
        BillType::Trade => {
            let lines = lines(world, period);
            (
                "业务",
                trade::detail(&frame, &lines),
                trade::summary(&frame, &lines),
            )
        }
        BillType::SignCustomer => {
            let all = lines(world, &period.with_all_before());
            ("账务", fund::detail(&frame, &all), fund::summary(&frame, &all))
        }
    };
    let stem = format!("{}_{}_{word}明细", frame.account, period.compact);
    let files = BTreeMap::from([
        (format!("{stem}.csv"), detail),
        (format!("{stem}(汇总).csv"), summary),
    ]);
    zip::gbk_archive(&files)
}
