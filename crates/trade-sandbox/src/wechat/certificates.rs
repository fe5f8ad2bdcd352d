//! Platform certificates: `GET /v3/certificates`.

use serde_json::{Value, json};

use super::{call::Call, refusal::Refusal, reply::Answer, seal};
use crate::{WechatKeyMode, beijing, world::World};

/// All platform certificates, each encrypted under the APIv3 key. A merchant in public-key mode has none.
pub(super) fn list(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let platform = {
        let all = world.credentials();
        match all.wechat.mode {
            WechatKeyMode::PublicKey => {
                return Err(Refusal::resource_not_exists(
                    "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。",
                ));
            }
            WechatKeyMode::Cert | WechatKeyMode::Migrating(_) => all.wechat.platform.clone(),
        }
    };
    match call.param("algorithm_type") {
        None | Some("RSA" | "ALL") => {}
        Some(_) => return Err(Refusal::resource_not_exists("无可用的平台证书")),
    }
    let now_ms = world.clock.now_ms();
    let data: Vec<Value> = platform
        .iter()
        .map(|platform| &platform.certificate)
        .filter(|certificate| certificate.contents().not_after_ms > now_ms)
        .map(|certificate| {
            json!({
                "serial_no": certificate.serial_hex(),
                "effective_time": beijing::rfc3339(certificate.contents().not_before_ms),
                "expire_time": beijing::rfc3339(certificate.contents().not_after_ms),
                "encrypt_certificate": seal::encrypt(world, "certificate", certificate.pem().as_bytes()),
            })
        })
        .collect();
    Ok(Answer::Json(json!({ "data": data })))
}
