//! `alipay.open.app.alipaycert.download`: the Alipay certificate of a number, after a change.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    answer::{Fields, Refusal},
    content::{Content, Field, Kind, required},
    seal,
};
use crate::world::World;

const FIELDS: &[Field] = &[required("alipay_cert_sn", Kind::Text(64))];

/// Hands out a certificate and its intermediate: Base64 of their PEM.
pub(super) fn download(world: &World, content: &Content) -> Result<Fields, Refusal> {
    content.check(FIELDS, "isv.invalid-parameter")?;
    let wanted = content.text("alipay_cert_sn").unwrap_or_default();
    let all = world.credentials();
    let own = &all.alipay;
    let found = own
        .gateway_certificates
        .iter()
        .find(|certificate| seal::cert_sn(certificate) == wanted)
        .ok_or_else(|| Refusal::new("isv.alipay-cert-not-exist", "支付宝公钥证书不存在"))?;
    let pem = format!("{}{}", found.pem(), own.intermediate.pem());
    Ok(Fields::new().text("alipay_cert_content", BASE64_STANDARD.encode(pem)))
}
