//! What a request must pass before anybody reads its body: headers, identity, clock, signature.

use axum::http::{HeaderMap, Method, request::Parts};
use serde_json::json;

use super::{authorization::Authorization, call::Call, refusal::Refusal};
use crate::{WechatKeyMode, keys::verify, world::World};

/// How far a request's time may be from ours, in seconds.
const CLOCK_SKEW_S: u64 = 300;
/// How much of a body is shown in a signature error.
const SHOWN_BODY_CHARS: usize = 64;
const NONCE_CHARS_MAX: usize = 32;

/// Lets an authentic request in. A refusal here is answered without a signature.
pub(super) fn admit(world: &World, parts: &Parts, body: Vec<u8>) -> Result<Call, Refusal> {
    for name in ["accept", "user-agent"] {
        if text(&parts.headers, name).is_none_or(str::is_empty) {
            return Err(Refusal::invalid("Http头缺少Accept或User-Agent"));
        }
    }
    let authorization = Authorization::parse(text(&parts.headers, "authorization"))?;
    check_identity(world, &authorization)?;
    check_clock(world, &authorization)?;
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    check_signature(world, &authorization, &parts.method, target, &body)?;
    Ok(Call {
        headers: parts.headers.clone(),
        query: form_urlencoded::parse(parts.uri.query().unwrap_or("").as_bytes())
            .into_owned()
            .collect(),
        body,
        mchid: authorization.mchid,
        wechatpay_serial: text(&parts.headers, "wechatpay-serial").map(str::to_owned),
    })
}

/// Whether the key the client expects the answer under is one of ours. Checked once the request is authentic.
pub(super) fn check_wechatpay_serial(world: &World, call: &Call) -> Result<(), Refusal> {
    let Some(serial) = &call.wechatpay_serial else {
        return Ok(());
    };
    let all = world.credentials();
    let is_public = *serial == all.wechat.public_key_id;
    let is_platform = all
        .wechat
        .platform
        .iter()
        .any(|platform| same_serial(&platform.certificate.serial_hex(), serial));
    let known = match all.wechat.mode {
        // Before the switch is enabled the header has no effect.
        WechatKeyMode::Cert => true,
        WechatKeyMode::PublicKey => is_public,
        WechatKeyMode::Migrating(_) => is_public || is_platform,
    };
    if known {
        return Ok(());
    }
    Err(Refusal::invalid(
        "Http头Wechatpay-Serial值错误，请使用微信支付公钥ID或平台证书序列号",
    ))
}

fn check_identity(world: &World, authorization: &Authorization) -> Result<(), Refusal> {
    if authorization.mchid != world.config.wechat.mchid {
        return Err(Refusal::sign("商户号不存在或与证书序列号不匹配"));
    }
    let serial = world.credentials().wechat.merchant_certificate.serial_hex();
    if !same_serial(&serial, &authorization.serial_no) {
        let mut refusal = Refusal::sign("商户证书序列号有误。请使用签名私钥匹配的证书序列号");
        refusal.detail = Some(json!({
            "location": "authorization",
            "field": "serial_no",
            "value": authorization.serial_no,
            "issue": "serial_no not found",
        }));
        return Err(refusal);
    }
    if authorization.nonce_str.chars().count() > NONCE_CHARS_MAX {
        return Err(Refusal::invalid("Http头Authorization值格式错误"));
    }
    Ok(())
}

fn check_clock(world: &World, authorization: &Authorization) -> Result<(), Refusal> {
    let timestamp: i64 = authorization
        .timestamp
        .parse()
        .map_err(|_error| Refusal::invalid("Http头Authorization值格式错误"))?;
    if world.clock.wire_s().abs_diff(timestamp) <= CLOCK_SKEW_S {
        return Ok(());
    }
    let mut refusal = Refusal::sign("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟");
    refusal.detail = Some(json!({
        "location": "authorization",
        "field": "timestamp",
        "value": authorization.timestamp,
        "issue": "timestamp expired",
    }));
    Err(refusal)
}

fn check_signature(
    world: &World,
    authorization: &Authorization,
    method: &Method,
    target: &str,
    body: &[u8],
) -> Result<(), Refusal> {
    let Authorization {
        timestamp, nonce_str, ..
    } = authorization;
    let head = format!("{method}\n{target}\n{timestamp}\n{nonce_str}\n");
    let mut message = head.clone().into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let merchant = &world.credentials().wechat.merchant;
    if verify(merchant.public(), &message, &authorization.signature) {
        return Ok(());
    }
    let shown: String = String::from_utf8_lossy(body)
        .chars()
        .take(SHOWN_BODY_CHARS)
        .collect();
    let mut refusal = Refusal::sign("错误的签名，验签失败");
    refusal.detail = Some(json!({
        "detail": { "issue": "sign not match" },
        "field": "signature",
        "location": "authorization",
        "sign_information": {
            "method": method.as_str(),
            "url": target,
            "truncated_sign_message": format!("{head}{shown}\n"),
            "sign_message_length": message.len(),
        },
    }));
    Err(refusal)
}

/// Leading zeros and case do not matter: programs print serial numbers differently.
pub(super) fn same_serial(one: &str, other: &str) -> bool {
    one.trim_start_matches('0')
        .eq_ignore_ascii_case(other.trim_start_matches('0'))
}

fn text<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
