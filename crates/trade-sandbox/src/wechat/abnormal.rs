//! Abnormal refunds: `POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund`.

use base64::{Engine, prelude::BASE64_STANDARD};
use rsa::Oaep;
use serde_json::{Map, Value};
use sha1::Sha1;

use super::{
    call::Call,
    gate::same_serial,
    refund,
    refusal::{Location, Refusal},
    reply::Answer,
    schema::{self, Field, Kind, optional, required},
};
use crate::{
    Channel,
    faults::Plan,
    keys::KeyPair,
    ledger::{LedgerError, RefundState},
    world::World,
};

const FIELDS: &[Field] = &[
    required("out_refund_no", Kind::Text(64)),
    required("type", Kind::OneOf(&["USER_BANK_CARD", "MERCHANT_BANK_CARD"])),
    optional("bank_type", Kind::Text(16)),
    optional("bank_account", Kind::Text(1024)),
    optional("real_name", Kind::Text(1024)),
];
const ENCRYPTED: [&str; 2] = ["bank_account", "real_name"];

/// Sends the money of an ABNORMAL refund on its way again.
pub(super) fn apply(world: &World, call: &Call, refund_id: &str, plan: &Plan) -> Result<Answer, Refusal> {
    let body = call.json()?;
    schema::check(&[FIELDS], &body)?;
    if schema::text(&body, &["type"]) == Some("USER_BANK_CARD") {
        for name in ["bank_type", "bank_account", "real_name"] {
            if !body.contains_key(name) {
                return Err(wrong(name, &Value::Null, "必填参数缺失"));
            }
        }
    }
    check_encrypted(world, call, &body)?;
    let number = schema::text(&body, &["out_refund_no"]);
    let settles_ms = world
        .clock
        .now_ms()
        .saturating_add(i64::from(world.config.wechat.refund_delay_ms));
    let key = world.ledger.write(|book| {
        let refund = book
            .refund_by_id(Channel::Wechat, refund_id)
            .filter(|refund| Some(refund.key.number.as_str()) == number)
            .ok_or_else(|| Refusal::resource_not_exists("退款单不存在"))?;
        let key = refund.key.clone();
        match book.resume_refund(&key, settles_ms) {
            Ok(refund) => {
                debug_assert_eq!(refund.state, RefundState::Processing);
                Ok(key)
            }
            Err(LedgerError::RefundFinal(_)) => Err(Refusal::invalid("退款单状态不是退款异常")),
            Err(_) => Err(Refusal::resource_not_exists("退款单不存在")),
        }
    })?;
    world.catch_up();
    refund::show(world, &key, plan)
}

/// Encrypted fields must open with the key that `Wechatpay-Serial` names.
fn check_encrypted(world: &World, call: &Call, body: &Map<String, Value>) -> Result<(), Refusal> {
    let present: Vec<(&str, &str)> = ENCRYPTED
        .iter()
        .filter_map(|name| Some((*name, schema::text(body, &[name])?)))
        .collect();
    if present.is_empty() {
        return Ok(());
    }
    let Some(serial) = &call.wechatpay_serial else {
        return Err(Refusal::invalid(
            "Http头缺少Wechatpay-Serial，请求中含有敏感信息加密字段",
        ));
    };
    for (name, ciphertext) in present {
        if !opens(world, serial, ciphertext) {
            return Err(wrong(
                name,
                &ciphertext.into(),
                "敏感信息解密失败，请检查加密使用的密钥",
            ));
        }
    }
    Ok(())
}

fn opens(world: &World, serial: &str, ciphertext: &str) -> bool {
    let all = world.credentials();
    let mut keys: Vec<&KeyPair> = Vec::new();
    if serial == all.wechat.public_key_id {
        keys.push(&all.wechat.public);
    }
    for platform in &all.wechat.platform {
        if same_serial(&platform.certificate.serial_hex(), serial) {
            keys.push(&platform.key);
        }
    }
    let Ok(ciphertext) = BASE64_STANDARD.decode(ciphertext) else {
        return false;
    };
    keys.into_iter().any(|key| {
        key.private()
            .decrypt(Oaep::new::<Sha1>(), &ciphertext)
            .is_ok_and(|plaintext| !plaintext.is_empty())
    })
}

fn wrong(name: &str, value: &Value, issue: &str) -> Refusal {
    Refusal::param(Location::Body, &format!("/{name}"), value, issue)
}
