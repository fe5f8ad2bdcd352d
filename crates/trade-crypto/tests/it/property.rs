//! What holds for every text, and for every bit of a signature or a ciphertext.

use base64::{Engine, prelude::BASE64_STANDARD};
use proptest::{prelude::*, sample::select};
use trade_crypto::{
    Certificate, CryptoError, PrivateKey, PublicKey, aead::ApiV3Key, alipay_root_cert_sn,
    content::ContentKey, normalise_serial,
};

use crate::vector;

/// Gives a text to everything that takes one.
fn load_everywhere(text: &str) {
    let _ = PrivateKey::load(text).map(|key| key.sign_sha256(b"message"));
    let _ = PublicKey::load(text).map(|key| key.verify_sha256(b"message", text));
    let _ = Certificate::load_all(text).map(|all| {
        for certificate in &all {
            let _ = (
                certificate.alipay_sn(),
                certificate.subject(),
                certificate.serial_hex(),
            );
            let _ = (certificate.public_key(), certificate.is_issued_by(certificate));
        }
    });
    let _ = alipay_root_cert_sn(text);
    let _ = ApiV3Key::parse(text);
    let _ = ContentKey::parse(text).map(|key| key.decrypt(text));
    let _ = normalise_serial(text);
}

/// Texts made of the pieces keys are made of.
fn fragments() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        select(vec![
            "-----BEGIN ",
            "-----END ",
            "-----",
            "RSA PRIVATE KEY",
            "PUBLIC KEY",
            "CERTIFICATE",
            "\n",
            "\\n",
            "\\",
            "\"",
            "\u{feff}",
            "=",
            "==",
            "ssh-rsa ",
            "file:",
            "Proc-Type: 4,ENCRYPTED\n",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
            "/",
            "~",
            ".pem",
            "密",
            "\0",
            "LS0tLS1CRUdJTiA",
        ])
        .prop_map(str::to_owned),
        "[A-Za-z0-9+/]{0,80}",
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn ders() -> impl Strategy<Value = Vec<u8>> {
    let names = vec![
        "key_pkcs8.pem",
        "key_pkcs1.pem",
        "public_spki.pem",
        "public_pkcs1.pem",
        "app.pem",
        "root_sm2.pem",
        "refused_request.pem",
        "refused_encrypted_pkcs8.pem",
        "refused_ec_sec1.pem",
    ];
    select(names).prop_map(|name| {
        let pem = vector::text(name);
        let last = pem.rfind("-----BEGIN").unwrap();
        BASE64_STANDARD.decode(vector::body(&pem[last..])).unwrap()
    })
}

fn flip(data: &[u8], bit: prop::sample::Index) -> Vec<u8> {
    let mut changed = data.to_vec();
    let bit = bit.index(data.len() * 8);
    changed[bit / 8] ^= 1 << (bit % 8);
    changed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_makes_a_loader_panic(text in prop_oneof![any::<String>(), fragments()]) {
        load_everywhere(&text);
    }

    #[test]
    fn no_bytes_make_a_loader_panic(bytes: Vec<u8>) {
        load_everywhere(&BASE64_STANDARD.encode(&bytes));
        load_everywhere(&format!("-----BEGIN X-----\n{}\n-----END X-----", BASE64_STANDARD.encode(&bytes)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn no_damage_to_a_key_makes_a_loader_panic(
        der in ders(),
        at: prop::sample::Index,
        bytes in prop::collection::vec(any::<u8>(), 0..4),
        cut in 0_usize..3,
    ) {
        let mut damaged = der;
        let start = at.index(damaged.len());
        let end = (start + cut).min(damaged.len());
        damaged.splice(start..end, bytes);
        load_everywhere(&BASE64_STANDARD.encode(&damaged));
    }

    #[test]
    fn every_bit_of_a_signature_counts(bit: prop::sample::Index) {
        let signature = BASE64_STANDARD.decode(vector::line("message.signature")).unwrap();
        let changed = BASE64_STANDARD.encode(flip(&signature, bit));
        let verdict = vector::public().verify_sha256(&vector::bytes("message.txt"), &changed);
        prop_assert_eq!(verdict, Err(CryptoError::BadSignature));
    }

    #[test]
    fn every_bit_of_a_message_counts(bit: prop::sample::Index) {
        let changed = flip(&vector::bytes("message.txt"), bit);
        let verdict = vector::public().verify_sha256(&changed, &vector::line("message.signature"));
        prop_assert_eq!(verdict, Err(CryptoError::BadSignature));
    }

    #[test]
    fn every_bit_under_gcm_counts(bit: prop::sample::Index, plain: Vec<u8>) {
        let key = ApiV3Key::parse("0123456789abcdefghijklmnopqrstuv").unwrap();
        let sealed = key.encrypt("593BEC0C930B", "transaction", &plain).unwrap();
        prop_assert_eq!(key.decrypt("593BEC0C930B", "transaction", &sealed), Ok(plain));
        let changed = BASE64_STANDARD.encode(flip(&BASE64_STANDARD.decode(sealed).unwrap(), bit));
        let verdict = key.decrypt("593BEC0C930B", "transaction", &changed);
        prop_assert_eq!(verdict, Err(CryptoError::AeadNotOpened));
    }

    /// CBC has no tag, so a change is not always noticed; it never goes without any effect.
    #[test]
    fn no_bit_under_cbc_is_idle(bit: prop::sample::Index, content: String) {
        let key = ContentKey::parse(&vector::line("content_16.key")).unwrap();
        let sealed = key.encrypt(&content).unwrap();
        prop_assert_eq!(key.decrypt(&sealed), Ok(content.clone()));
        let changed = BASE64_STANDARD.encode(flip(&BASE64_STANDARD.decode(sealed).unwrap(), bit));
        prop_assert_ne!(key.decrypt(&changed), Ok(content));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_bit_under_oaep_counts(bit: prop::sample::Index) {
        let sealed = BASE64_STANDARD.decode(vector::line("secret.oaep")).unwrap();
        let changed = BASE64_STANDARD.encode(flip(&sealed, bit));
        prop_assert_eq!(vector::key().decrypt_oaep_sha1(&changed), Err(CryptoError::OaepNotOpened));
    }

    #[test]
    fn every_signature_verifies(message: Vec<u8>) {
        let signature = vector::key().sign_sha256(&message).unwrap();
        prop_assert_eq!(signature.len(), 344);
        prop_assert_eq!(vector::public().verify_sha256(&message, &signature), Ok(()));
    }
}
