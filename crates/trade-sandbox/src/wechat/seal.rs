//! WeChat Pay's own crypto: which key signs, the five signature headers, and AES-256-GCM.

use std::sync::Arc;

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    WechatKeyMode,
    faults::FaultKind,
    keys::{Credentials, KeyPair},
    world::World,
};

const SIGNATURE_TYPE: &str = "WECHATPAY2-SHA256-RSA2048";

/// A key of WeChat Pay and its name in `Wechatpay-Serial`.
#[derive(Debug, Clone)]
pub(super) struct SealKey {
    id: String,
    key: Arc<KeyPair>,
}

/// The key that answers a request which asked for `wanted` in its `Wechatpay-Serial`.
pub(super) fn answer_key(world: &World, wanted: Option<&str>) -> SealKey {
    let all = world.credentials();
    match all.wechat.mode {
        WechatKeyMode::Cert => certificate_key(&all),
        WechatKeyMode::PublicKey => public_key(&all),
        WechatKeyMode::Migrating(_) if wanted == Some(all.wechat.public_key_id.as_str()) => public_key(&all),
        WechatKeyMode::Migrating(_) => certificate_key(&all),
    }
}

/// The key that signs the next notice.
pub(super) fn notice_key(world: &World) -> SealKey {
    let all = world.credentials();
    match all.wechat.mode {
        WechatKeyMode::Cert => certificate_key(&all),
        WechatKeyMode::PublicKey => public_key(&all),
        WechatKeyMode::Migrating(permille) if world.random.below(1_000) < u64::from(permille) => {
            public_key(&all)
        }
        WechatKeyMode::Migrating(_) => certificate_key(&all),
    }
}

fn public_key(all: &Credentials) -> SealKey {
    SealKey {
        id: all.wechat.public_key_id.clone(),
        key: Arc::clone(&all.wechat.public),
    }
}

fn certificate_key(all: &Credentials) -> SealKey {
    all.wechat.platform.last().map_or_else(
        || public_key(all),
        |platform| SealKey {
            id: platform.certificate.serial_hex(),
            key: Arc::clone(&platform.key),
        },
    )
}

/// The signature headers for `body`, spoilt as `fault` says.
pub(super) fn headers(
    world: &World,
    seal: &SealKey,
    body: &[u8],
    fault: Option<FaultKind>,
) -> Vec<(&'static str, String)> {
    let timestamp = world.clock.wire_s().to_string();
    let nonce = world.random.alnum(32);
    let mut message = format!("{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let signature = match fault {
        Some(FaultKind::Unsigned) => return Vec::new(),
        Some(FaultKind::BadSignature) => seal.key.sign(b"something else"),
        // Its length is no multiple of four on purpose: the real probes' is not, either.
        Some(FaultKind::ProbeSignature) => {
            format!("WECHATPAY/SIGNTEST/{}", world.random.alnum(342))
        }
        Some(FaultKind::WrongKey) => world.credentials().authority.sign(&message),
        _ => seal.key.sign(&message),
    };
    vec![
        ("Wechatpay-Nonce", nonce),
        ("Wechatpay-Serial", seal.id.clone()),
        ("Wechatpay-Signature", signature),
        ("Wechatpay-Signature-Type", SIGNATURE_TYPE.to_owned()),
        ("Wechatpay-Timestamp", timestamp),
    ]
}

/// `plaintext` as an `AEAD_AES_256_GCM` object under the merchant's APIv3 key.
pub(super) fn encrypt(world: &World, associated_data: &str, plaintext: &[u8]) -> Value {
    let nonce = world.random.alnum(12);
    let apiv3_key = world.credentials().wechat.apiv3_key.clone();
    let ciphertext = seal(apiv3_key.as_bytes(), nonce.as_bytes(), associated_data, plaintext);
    json!({
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": nonce,
        "associated_data": associated_data,
        "ciphertext": BASE64_STANDARD.encode(ciphertext.unwrap_or_default()),
    })
}

/// `None` only if key or nonce had the wrong length.
fn seal(key: &[u8], nonce: &[u8], associated_data: &str, plaintext: &[u8]) -> Option<Vec<u8>> {
    let payload = Payload {
        msg: plaintext,
        aad: associated_data.as_bytes(),
    };
    let cipher = Aes256Gcm::new_from_slice(key).ok()?;
    cipher.encrypt(nonce.try_into().ok()?, payload).ok()
}
