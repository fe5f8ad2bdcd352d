//! RSASSA-PKCS1-v1_5 with SHA-256, against the signatures of the OpenSSL command.

use trade_crypto::{CryptoError, PublicKey};

use crate::vector;

#[test]
fn signs_as_openssl_does() {
    let key = vector::key();
    assert_eq!(
        key.sign_sha256(&vector::bytes("message.txt")).unwrap(),
        vector::line("message.signature")
    );
    assert_eq!(key.sign_sha256(b"").unwrap(), vector::line("empty.signature"));
}

#[test]
fn verifies_what_openssl_signed() {
    let message = vector::bytes("message.txt");
    vector::public()
        .verify_sha256(&message, &vector::line("message.signature"))
        .unwrap();
    vector::public()
        .verify_sha256(b"", &vector::line("empty.signature"))
        .unwrap();
    vector::certificate("app.pem")
        .public_key()
        .unwrap()
        .verify_sha256(&message, &vector::line("message.signature"))
        .unwrap();
}

#[test]
fn refuses_another_message_key_padding_or_hash() {
    let message = vector::bytes("message.txt");
    let signature = vector::line("message.signature");
    let mut trimmed = message.clone();
    trimmed.pop();
    let refused = [
        vector::public().verify_sha256(&trimmed, &signature),
        PublicKey::parse(&vector::text("other_public.pem"))
            .unwrap()
            .verify_sha256(&message, &signature),
        vector::public().verify_sha256(&message, &vector::line("empty.signature")),
        vector::public().verify_sha256(&message, &vector::line("refused_pss.signature")),
        vector::public().verify_sha256(&message, &vector::line("refused_sha1.signature")),
    ];
    assert_eq!(refused, [const { Err(CryptoError::BadSignature) }; 5]);
}

#[test]
fn a_signature_that_is_not_base64_is_a_bad_signature_and_nothing_else() {
    let message = vector::bytes("message.txt");
    let good = vector::line("message.signature");
    let probe_of_full_length = format!("WECHATPAY/SIGNTEST/{good}");
    let cut = &good[..good.len() - 1];
    for signature in [
        "WECHATPAY/SIGNTEST/abc",
        &probe_of_full_length,
        "",
        " ",
        "=",
        "中文",
        "\0",
        cut,
    ] {
        let verdict = vector::public().verify_sha256(&message, signature);
        assert_eq!(verdict, Err(CryptoError::BadSignature), "{signature:?}");
    }
}

#[test]
fn the_error_tells_what_to_suspect() {
    let text = vector::public()
        .verify_sha256(b"", "WECHATPAY/SIGNTEST/abc")
        .unwrap_err()
        .to_string();
    for word in ["message was changed", "another key", "probes", "do not act"] {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}
