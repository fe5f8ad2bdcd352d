//! Prepay: `POST /v3/pay/transactions/{native|jsapi|app|h5}`.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use rsa::sha2::{Digest, Sha256};
use serde_json::{Map, Value, json};

use super::{
    call::Call,
    refusal::{Location, Refusal},
    reply::Answer,
    route::TradeType,
    schema::{self, Field, Kind, optional, required},
};
use crate::{
    Channel,
    beijing::{self, DAY_MS},
    ledger::{NewOrder, Order, OrderState},
    world::World,
};

const MINUTE_MS: i64 = 60_000;
/// A code lives two hours, whatever the deadline of its order.
const CODE_LIFE_MS: i64 = 120 * MINUTE_MS;
const H5_LIFE_MS: i64 = 5 * MINUTE_MS;
/// An order without a deadline can be paid for seven days; then WeChat Pay closes it.
const OPEN_LIFE_MS: i64 = 7 * DAY_MS;
const DEADLINE_MAX_MS: i64 = 15 * DAY_MS;
/// `detail` as compact JSON may be this long.
const DETAIL_BYTES_MAX: usize = 6_144;

const AMOUNT: &[Field] = &[
    required("total", Kind::Integer(1)),
    optional("currency", Kind::OneOf(&["CNY"])),
];
const GOODS: &[Field] = &[
    required("merchant_goods_id", Kind::Text(32)),
    optional("wechatpay_goods_id", Kind::Text(32)),
    optional("goods_name", Kind::Text(256)),
    required("quantity", Kind::Integer(1)),
    required("unit_price", Kind::Integer(0)),
];
const DETAIL: &[Field] = &[
    optional("cost_price", Kind::Integer(0)),
    optional("invoice_id", Kind::Text(32)),
    optional("goods_detail", Kind::List(GOODS)),
];
const STORE: &[Field] = &[
    required("id", Kind::Text(32)),
    optional("name", Kind::Text(256)),
    optional("area_code", Kind::Text(32)),
    optional("address", Kind::Text(512)),
];
const SCENE: &[Field] = &[
    required("payer_client_ip", Kind::Text(45)),
    optional("device_id", Kind::Text(32)),
    optional("store_info", Kind::Object(STORE)),
];
const H5_SCENE: &[Field] = &[
    required("payer_client_ip", Kind::Text(45)),
    optional("device_id", Kind::Text(32)),
    optional("store_info", Kind::Object(STORE)),
    required("h5_info", Kind::Object(H5_INFO)),
];
const H5_INFO: &[Field] = &[
    required("type", Kind::OneOf(&["iOS", "Android", "Wap"])),
    optional("app_name", Kind::Text(64)),
    optional("app_url", Kind::Text(128)),
    optional("bundle_id", Kind::Text(128)),
    optional("package_name", Kind::Text(128)),
];
const SETTLE: &[Field] = &[optional("profit_sharing", Kind::Bool)];
const LIMITS: &[&str] = &["no_balance", "no_credit", "no_debit", "balance_only"];

/// The fields that every trade type has.
const COMMON: &[Field] = &[
    required("appid", Kind::Text(32)),
    required("mchid", Kind::Text(32)),
    required("description", Kind::Text(127)),
    required("out_trade_no", NUMBER),
    optional("time_expire", Kind::Text(64)),
    optional("attach", Kind::Text(128)),
    required("notify_url", Kind::Text(255)),
    optional("goods_tag", Kind::Text(32)),
    optional("support_fapiao", Kind::Bool),
    required("amount", Kind::Object(AMOUNT)),
    optional("detail", Kind::Object(DETAIL)),
    optional("settle_info", Kind::Object(SETTLE)),
    optional("limit_pay", Kind::Words(LIMITS)),
];
const ANY_SCENE: &[Field] = &[optional("scene_info", Kind::Object(SCENE))];
const H5_ONLY: &[Field] = &[required("scene_info", Kind::Object(H5_SCENE))];
const JSAPI_ONLY: &[Field] = &[required(
    "payer",
    Kind::Object(&[required("openid", Kind::Text(128))]),
)];
const NUMBER: Kind = Kind::Code {
    min: 6,
    max: 32,
    allowed: is_number_char,
};

fn is_number_char(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_-|*".contains(character)
}

/// Opens an order, or gives an open one a new code.
pub(super) fn create(world: &World, call: &Call, trade_type: TradeType) -> Result<Answer, Refusal> {
    let body = call.json()?;
    check_body(&body, trade_type)?;
    call.check_mchid(schema::text(&body, &["mchid"]), Location::Body)?;
    if schema::text(&body, &["appid"]) != Some(world.config.wechat.appid.as_str()) {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "APPID_MCHID_NOT_MATCH",
            "AppID和mch_id不匹配，请检查后再试",
            268_445_527,
        ));
    }
    let new = new_order(world, &body, trade_type)?;
    let now_ms = world.clock.now_ms();
    let token = new.code_token.clone();
    world.ledger.write(|book| match book.order(&new.key) {
        None => book
            .open_order(new, now_ms)
            .map(drop)
            .map_err(|_taken| Refusal::order_closed()),
        Some(order) => {
            re_enter(order, &new.fingerprint)?;
            let replaced = book.replace_code(&new.key, new.code_token, new.code_until_ms);
            replaced.map(drop).map_err(|_gone| Refusal::order_not_exist())
        }
    })?;
    Ok(Answer::Json(code(world, &token, trade_type)))
}

/// Whether a repeated request may get a new code.
fn re_enter(order: &Order, fingerprint: &str) -> Result<(), Refusal> {
    match order.state {
        OrderState::Paid | OrderState::Finished => Err(Refusal::order_paid()),
        OrderState::Closed => Err(Refusal::order_closed()),
        OrderState::Created | OrderState::Scanned if order.fingerprint != fingerprint => {
            let mut refusal = Refusal::invalid("请求重入时，参数与首次请求时不一致");
            refusal.number = 268_498_688;
            Err(refusal)
        }
        OrderState::Created | OrderState::Scanned => Ok(()),
    }
}

fn check_body(body: &Map<String, Value>, trade_type: TradeType) -> Result<(), Refusal> {
    match trade_type {
        TradeType::Native | TradeType::App => schema::check(&[COMMON, ANY_SCENE], body)?,
        TradeType::Jsapi => schema::check(&[COMMON, ANY_SCENE, JSAPI_ONLY], body)?,
        TradeType::H5 => schema::check(&[COMMON, H5_ONLY], body)?,
    }
    check_notify_url(schema::text(body, &["notify_url"]))?;
    match body.get("detail") {
        Some(detail) if detail.to_string().len() > DETAIL_BYTES_MAX => {
            Err(wrong("/detail", detail, "长度超过6144字节"))
        }
        _ => Ok(()),
    }
}

/// A full address without a query string.
pub(super) fn check_notify_url(url: Option<&str>) -> Result<(), Refusal> {
    let Some(url) = url else {
        return Ok(());
    };
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    if host.is_some_and(|host| !host.is_empty()) && !url.contains(['?', '#', ' ']) {
        return Ok(());
    }
    let issue = "必须为http或https开头的完整地址，且不能携带参数";
    Err(wrong("/notify_url", &url.into(), issue))
}

fn new_order(world: &World, body: &Map<String, Value>, trade_type: TradeType) -> Result<NewOrder, Refusal> {
    let own = |name: &str| schema::text(body, &[name]).map(str::to_owned);
    let now_ms = world.clock.now_ms();
    let payable_until_ms = deadline_ms(body, now_ms)?;
    let out_trade_no = own("out_trade_no").unwrap_or_default();
    let code_life_ms = match trade_type {
        TradeType::H5 => H5_LIFE_MS,
        TradeType::Native | TradeType::Jsapi | TradeType::App => CODE_LIFE_MS,
    };
    Ok(NewOrder {
        key: world.order_key(Channel::Wechat, &out_trade_no),
        app_id: own("appid").unwrap_or_default(),
        trade_type: trade_type.code().to_owned(),
        amount_fen: schema::integer(body, &["amount", "total"]).unwrap_or_default(),
        description: own("description").unwrap_or_default(),
        attach: own("attach"),
        fingerprint: fingerprint(trade_type, body),
        notify_url: own("notify_url"),
        code_token: new_token(world, trade_type),
        payable_until_ms,
        code_until_ms: now_ms.saturating_add(code_life_ms),
        closes_ms: payable_until_ms.max(now_ms.saturating_add(OPEN_LIFE_MS)),
        memo: BTreeMap::new(),
    })
}

/// Until when the order can be paid. A deadline too near or too far is moved, as WeChat Pay moves it.
fn deadline_ms(body: &Map<String, Value>, now_ms: i64) -> Result<i64, Refusal> {
    let Some(text) = schema::text(body, &["time_expire"]) else {
        return Ok(now_ms.saturating_add(OPEN_LIFE_MS));
    };
    let asked_ms = beijing::parse_rfc3339(text)
        .ok_or_else(|| wrong("/time_expire", &text.into(), "格式错误，请使用RFC3339格式"))?;
    let earliest_ms = now_ms.saturating_add(MINUTE_MS);
    let latest_ms = now_ms.saturating_add(DEADLINE_MAX_MS);
    Ok(asked_ms.clamp(earliest_ms, latest_ms))
}

fn new_token(world: &World, trade_type: TradeType) -> String {
    match trade_type {
        TradeType::Native | TradeType::H5 => world.random.alnum(12),
        TradeType::Jsapi | TradeType::App => {
            format!("wx{}{}", world.random.digits(14), world.random.hex(20))
        }
    }
}

fn code(world: &World, token: &str, trade_type: TradeType) -> Value {
    match trade_type {
        TradeType::Native if world.config.real_qr_shape => {
            json!({ "code_url": format!("weixin://wxpay/bizpayurl?pr={token}") })
        }
        TradeType::Native => json!({ "code_url": world.pay_page(token) }),
        TradeType::Jsapi | TradeType::App => json!({ "prepay_id": token }),
        TradeType::H5 => json!({ "h5_url": world.pay_page(token) }),
    }
}

/// A hash of everything the merchant asked for; the order of the fields does not matter.
fn fingerprint(trade_type: TradeType, body: &Map<String, Value>) -> String {
    let mut hash = Sha256::new_with_prefix(trade_type.code());
    digest_object(&mut hash, body);
    format!("{:x}", hash.finalize())
}

fn digest_object(hash: &mut Sha256, object: &Map<String, Value>) {
    let sorted: BTreeMap<&String, &Value> = object.iter().collect();
    hash.update("{");
    for (name, value) in sorted {
        hash.update(format!("{name:?}:"));
        match value {
            Value::Object(inner) => digest_object(hash, inner),
            other => hash.update(other.to_string()),
        }
    }
    hash.update("}");
}

fn wrong(pointer: &str, value: &Value, issue: &str) -> Refusal {
    Refusal::param(Location::Body, pointer, value, issue)
}
