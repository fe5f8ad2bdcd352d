//! What a certificate says, against the OpenSSL command and md5sum.

use base64::{Engine, prelude::BASE64_STANDARD};
use trade_crypto::{Certificate, KeyError, PublicKey, alipay_root_cert_sn, normalise_serial};

use crate::vector;

#[test]
fn says_what_openssl_says() {
    for name in ["root", "root_sha1", "middle", "app", "other", "expired"] {
        let certificate = vector::certificate(&format!("{name}.pem"));
        let facts = vector::text(&format!("{name}.facts"));
        let ours = [
            certificate.serial_hex(),
            certificate.alipay_sn(),
            certificate.not_before_ms().to_string(),
            certificate.not_after_ms().to_string(),
            certificate.subject(),
            certificate.issuer(),
        ];
        // OpenSSL escapes a quote inside a name as RFC 2253 allows; so do we.
        assert_eq!(ours.as_slice(), facts.lines().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn keeps_the_leading_zero_of_a_serial_and_drops_the_sign_byte() {
    assert_eq!(
        vector::certificate("app.pem").serial_hex(),
        "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567"
    );
    assert_eq!(
        vector::certificate("other.pem").serial_hex(),
        "F0E1D2C3B4A5968778695A4B3C2D1E0F00112233"
    );
}

#[test]
fn one_spelling_for_every_serial() {
    for spelling in [
        "0A1B2C",
        "a1b2c",
        "0a:1b:2c",
        " 00A1B2C\n",
        "serial=0A1B2C",
        "0A 1B 2C",
    ] {
        assert_eq!(normalise_serial(spelling), "A1B2C", "{spelling}");
    }
    assert_eq!(normalise_serial("000"), "0");
    assert_eq!(normalise_serial(""), "");
    let name = "PUB_KEY_ID_0111211111111111111111111111111111";
    assert_eq!(normalise_serial(name), name);
    let certificate = vector::certificate("app.pem");
    assert_eq!(
        normalise_serial(&certificate.serial_hex()),
        "A1B2C3D4E5F60718293A4B5C6D7E8F901234567"
    );
}

#[test]
fn the_key_of_a_certificate_is_its_owner_s() {
    let key = vector::certificate("app.pem").public_key().unwrap();
    assert_eq!(key, vector::key().public_key());
    assert_ne!(vector::certificate("other.pem").public_key().unwrap(), key);
}

#[test]
fn the_root_serial_counts_rsa_only_and_survives_what_cannot_be_read() {
    let expected = vector::line("bundle.sn");
    assert_eq!(
        alipay_root_cert_sn(&vector::path("bundle.crt")).unwrap(),
        expected
    );
    assert_eq!(
        alipay_root_cert_sn(&vector::text("bundle.crt")).unwrap(),
        expected
    );
    assert_eq!(
        alipay_root_cert_sn(&vector::text("bundle.crt").replace('\n', "\r\n")).unwrap(),
        expected
    );
}

#[test]
fn a_bundle_without_rsa_has_no_root_serial() {
    let error = alipay_root_cert_sn(&vector::path("bundle_without_rsa.crt")).unwrap_err();
    assert!(
        matches!(error, KeyError::NoRsaRoot { certificates: 2 }),
        "{error:?}"
    );
    let error = alipay_root_cert_sn(&vector::path("key_pkcs8.pem")).unwrap_err();
    assert!(error.to_string().contains("PKCS#8 private key (PEM)"), "{error}");
    let error = alipay_root_cert_sn("alipayRootCert.crt").unwrap_err();
    assert!(matches!(error, KeyError::NoSuchFile { .. }), "{error:?}");
}

#[test]
fn a_file_of_several_gives_the_first_or_all() {
    let both = format!("{}{}", vector::text("app.pem"), vector::text("middle.pem"));
    assert_eq!(Certificate::parse(&both).unwrap(), vector::certificate("app.pem"));
    let all = Certificate::parse_all(&both).unwrap();
    assert_eq!(
        all,
        [vector::certificate("app.pem"), vector::certificate("middle.pem")]
    );
    let with_key = format!("{}{both}", vector::text("key_pkcs8.pem"));
    assert_eq!(Certificate::parse_all(&with_key).unwrap(), all);
}

#[test]
fn a_certificate_cut_in_copying_is_damaged() {
    let pem = vector::text("app.pem");
    let error = Certificate::parse(&vector::body(&pem)[..800]).unwrap_err();
    assert!(matches!(error, KeyError::Damaged { .. }), "{error:?}");

    // Whole by its length, and with a validity that is none: 13 for the month.
    let der = vector::bytes("app.der");
    let at = der.windows(13).position(|part| part == b"240229120000Z").unwrap();
    let mut odd = der;
    odd[at + 2..at + 4].copy_from_slice(b"13");
    let text = BASE64_STANDARD.encode(&odd);
    for error in [
        Certificate::parse(&text).map(drop),
        PublicKey::parse(&text).map(drop),
    ] {
        assert!(
            matches!(error, Err(KeyError::Damaged { length, .. }) if length == odd.len()),
            "{error:?}"
        );
    }
}
