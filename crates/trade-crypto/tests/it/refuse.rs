//! What does not belong is refused by its name, with what to do instead.

use trade_crypto::{Algorithm, Certificate, Found, KeyError, PrivateKey, PublicKey, Wanted};

use crate::vector::{self, body};

fn check(error: KeyError, wanted: Wanted, found: Found, words: &[&str]) {
    let text = error.to_string();
    match error {
        KeyError::WrongKind {
            wanted: told_wanted,
            found: told_found,
        } => {
            assert_eq!((told_wanted, told_found), (wanted, found), "{text}");
        }
        other => panic!("{found} as {wanted}: {other:?}"),
    }
    for word in words
        .iter()
        .copied()
        .chain([found.to_string().as_str(), wanted.to_string().as_str()])
    {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

fn private(name: &str) -> KeyError {
    PrivateKey::load(&vector::path(name)).expect_err(name)
}

fn public(name: &str) -> KeyError {
    PublicKey::load(&vector::path(name)).expect_err(name)
}

fn certificate(name: &str) -> KeyError {
    Certificate::load(&vector::path(name)).expect_err(name)
}

#[test]
fn a_public_key_or_certificate_where_the_private_key_belongs() {
    let wanted = Wanted::PrivateKey;
    check(
        private("public_spki.pem"),
        wanted,
        Found::SpkiPem,
        &["apiclient_key.pem", "应用私钥"],
    );
    check(
        private("public_pkcs1.pem"),
        wanted,
        Found::Pkcs1PublicPem,
        &["private half"],
    );
    check(
        private("app.pem"),
        wanted,
        Found::CertificatePem,
        &["apiclient_key.pem beside apiclient_cert.pem"],
    );
    let pasted = body(&vector::text("public_spki.pem"));
    check(
        PrivateKey::parse(&pasted).unwrap_err(),
        wanted,
        Found::SpkiBase64,
        &["longer text"],
    );
}

#[test]
fn a_private_key_where_a_public_one_or_a_certificate_belongs() {
    let keep = "keep this private key to yourself";
    check(
        public("key_pkcs8.pem"),
        Wanted::PublicKey,
        Found::Pkcs8Pem,
        &[keep, "支付宝公钥"],
    );
    check(
        public("key_pkcs1.pem"),
        Wanted::PublicKey,
        Found::Pkcs1PrivatePem,
        &[keep, "微信支付公钥"],
    );
    check(
        certificate("key_pkcs8.pem"),
        Wanted::Certificate,
        Found::Pkcs8Pem,
        &[keep],
    );
    check(
        certificate("public_spki.pem"),
        Wanted::Certificate,
        Found::SpkiPem,
        &["public key"],
    );
}

#[test]
fn keys_of_other_kinds() {
    let other = |algorithm| Found::OtherPrivateKey(algorithm);
    let wanted = Wanted::PrivateKey;
    check(
        private("refused_ec_sec1.pem"),
        wanted,
        other(Algorithm::Ec),
        &["RSA keys"],
    );
    check(
        private("refused_ec_pkcs8.pem"),
        wanted,
        other(Algorithm::Ec),
        &["RSA keys"],
    );
    check(
        private("refused_sm2.pem"),
        wanted,
        other(Algorithm::Sm2),
        &["SM2 private key"],
    );
    check(
        private("refused_ed25519.pem"),
        wanted,
        other(Algorithm::Edwards),
        &[],
    );
    check(
        private("refused_rsa_pss.pem"),
        wanted,
        other(Algorithm::RsaPss),
        &[],
    );
    let ec = Found::OtherPublicKey(Algorithm::Ec);
    check(
        public("refused_ec_public.pem"),
        Wanted::PublicKey,
        ec,
        &["EC (elliptic curve) public key"],
    );
    check(public("ec.pem"), Wanted::PublicKey, ec, &[]);
    let error = vector::certificate("ec.pem").public_key().unwrap_err();
    check(error, Wanted::PublicKey, ec, &[]);
}

#[test]
fn things_that_are_no_plain_keys() {
    let wanted = Wanted::PrivateKey;
    let encrypted = Found::EncryptedPrivateKey;
    check(
        private("refused_encrypted_pkcs8.pem"),
        wanted,
        encrypted,
        &["openssl pkcs8 -topk8 -nocrypt"],
    );
    check(
        private("refused_encrypted_pkcs1.pem"),
        wanted,
        encrypted,
        &["pass phrase"],
    );
    let bare = body(&vector::text("refused_encrypted_pkcs8.pem"));
    check(
        PrivateKey::parse(&bare).unwrap_err(),
        wanted,
        encrypted,
        &["pass phrase"],
    );
    check(
        private("refused_openssh.txt"),
        wanted,
        Found::OpenSsh,
        &["ssh-keygen"],
    );
    check(
        PublicKey::parse("ssh-rsa AAAA me@here").unwrap_err(),
        Wanted::PublicKey,
        Found::OpenSsh,
        &[],
    );
    check(
        private("refused_archive.p12"),
        wanted,
        Found::Pkcs12,
        &["apiclient_key.pem"],
    );
    check(
        certificate("refused_archive.p12"),
        Wanted::Certificate,
        Found::Pkcs12,
        &["apiclient_cert.pem"],
    );
    check(
        certificate("refused_request.pem"),
        Wanted::Certificate,
        Found::CertificateRequest,
        &["came back"],
    );
}

#[test]
fn keys_too_short_or_too_long() {
    for (error, told) in [
        (private("refused_1024.pem"), 1024),
        (public("refused_1024_public.pem"), 1024),
        (public("weak.pem"), 1024),
        (vector::certificate("weak.pem").public_key().unwrap_err(), 1024),
        (private("refused_5120.pem"), 5120),
    ] {
        let text = error.to_string();
        assert!(
            matches!(error, KeyError::Size { bits, .. } if bits == told),
            "{text}"
        );
        assert!(
            text.contains(&format!("has {told} bits")) && text.contains("2048"),
            "{text}"
        );
    }
}

#[test]
fn nothing_at_all() {
    for text in ["", "  ", "\n\r\n", "\u{feff}", "\"\"", "\\n"] {
        for error in [
            PrivateKey::load(text).map(drop).unwrap_err(),
            PublicKey::load(text).map(drop).unwrap_err(),
            Certificate::load(text).map(drop).unwrap_err(),
        ] {
            assert!(matches!(error, KeyError::Empty { .. }), "{text:?}: {error:?}");
            assert!(error.to_string().contains("text is empty"), "{error}");
        }
    }
}

#[test]
fn texts_that_are_no_keys_say_where_they_go_wrong() {
    let error = PrivateKey::parse("MIIE 密钥").unwrap_err();
    assert!(
        matches!(
            error,
            KeyError::NotKeyText {
                length: 6,
                position: 5,
                ..
            }
        ),
        "{error:?}"
    );
    let error = PrivateKey::parse("-----BEGIN PRIVATE KEY---\nMIIE").unwrap_err();
    assert!(
        matches!(error, KeyError::NotKeyText { position: 1, .. }),
        "{error:?}"
    );
    let error = PublicKey::parse("{\"code\":\"SIGN_ERROR\"}").unwrap_err();
    assert!(error.to_string().contains("neither PEM nor base64"), "{error}");
}

#[test]
fn keys_cut_or_changed_in_copying() {
    let pem = vector::text("key_pkcs8.pem");
    let cut = body(&pem)[..1000].to_owned();
    let twice = format!("{0}{0}", body(&pem).trim_end_matches('='));
    let without_a_line: String = pem
        .lines()
        .enumerate()
        .filter(|(n, _)| *n != 7)
        .map(|(_, l)| format!("{l}\n"))
        .collect();
    for text in [cut, twice, without_a_line, pem.replace("MII", "MI*")] {
        let error = PrivateKey::parse(&text).unwrap_err();
        assert!(matches!(error, KeyError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains("copy it again, whole"), "{error}");
    }
}

#[test]
fn a_key_with_one_digit_changed() {
    let body = body(&vector::text("key_pkcs8.pem"));
    let (head, tail) = body.split_at(900);
    let digit = if tail.starts_with('A') { "B" } else { "A" };
    let error = PrivateKey::parse(&format!("{head}{digit}{}", &tail[1..])).unwrap_err();
    assert!(
        matches!(
            error,
            KeyError::Inconsistent {
                found: Found::Pkcs8Base64
            }
        ),
        "{error:?}"
    );
}
