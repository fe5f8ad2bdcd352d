//! Every way people paste a key gives the same key, and its name is told.

use base64::{Engine, prelude::BASE64_STANDARD};
use proptest::{prelude::*, sample::select};
use trade_crypto::{Certificate, Found, PrivateKey, PublicKey};

use crate::vector::{self, body};

#[test]
fn names_the_form_of_a_private_key() {
    let pkcs8 = vector::text("key_pkcs8.pem");
    let pkcs1 = vector::text("key_pkcs1.pem");
    for (text, found, name) in [
        (pkcs8.clone(), Found::Pkcs8Pem, "PKCS#8 private key (PEM)"),
        (
            body(&pkcs8),
            Found::Pkcs8Base64,
            "PKCS#8 private key (base64 without armour)",
        ),
        (pkcs1.clone(), Found::Pkcs1PrivatePem, "PKCS#1 private key (PEM)"),
        (
            body(&pkcs1),
            Found::Pkcs1PrivateBase64,
            "PKCS#1 private key (base64 without armour)",
        ),
        // The label does not decide: people put the one they remember on what they have.
        (
            pkcs8.replace("PRIVATE", "RSA PRIVATE"),
            Found::Pkcs8Pem,
            "PKCS#8 private key (PEM)",
        ),
        (
            pkcs1.replace("RSA PRIVATE", "PUBLIC"),
            Found::Pkcs1PrivatePem,
            "PKCS#1 private key (PEM)",
        ),
    ] {
        let key = PrivateKey::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            (key.found(), key.found().to_string().as_str(), key.bits()),
            (found, name, 2048)
        );
        assert_eq!(key.public_key(), vector::public());
    }
}

#[test]
fn names_the_form_of_a_public_key() {
    let spki = vector::text("public_spki.pem");
    let pkcs1 = vector::text("public_pkcs1.pem");
    let certificate = vector::text("app.pem");
    for (text, found) in [
        (spki.clone(), Found::SpkiPem),
        (body(&spki), Found::SpkiBase64),
        (pkcs1.clone(), Found::Pkcs1PublicPem),
        (body(&pkcs1), Found::Pkcs1PublicBase64),
        (certificate.clone(), Found::CertificatePem),
        (body(&certificate), Found::CertificateBase64),
        (vector::text("archive.txt"), Found::CertificatePem),
    ] {
        let key = PublicKey::parse(&text).unwrap_or_else(|error| panic!("{found}: {error}"));
        assert_eq!((key.found(), key.bits()), (found, 2048));
        assert_eq!(key, vector::key().public_key());
        assert_eq!(key.fingerprint(), vector::line("public.fingerprint"));
        assert_eq!(key.spki_der(), BASE64_STANDARD.decode(body(&spki)).unwrap());
    }
}

#[test]
fn takes_the_private_key_out_of_a_file_of_several() {
    let archive = vector::text("archive.txt");
    assert_eq!(
        PrivateKey::parse(&archive).unwrap().public_key(),
        vector::public()
    );
    assert_eq!(
        Certificate::parse(&archive).unwrap(),
        vector::certificate("app.pem")
    );
}

#[test]
fn takes_a_pem_text_that_was_encoded_once_more() {
    let content = BASE64_STANDARD.encode(vector::text("app.pem"));
    assert_eq!(
        Certificate::parse(&content).unwrap(),
        vector::certificate("app.pem")
    );
    let secret = BASE64_STANDARD.encode(vector::text("key_pkcs1.pem"));
    assert_eq!(
        PrivateKey::parse(&secret).unwrap().found(),
        Found::Pkcs1PrivatePem
    );
}

#[test]
fn keys_differ_when_they_are_not_the_same() {
    let other = PublicKey::parse(&vector::text("other_public.pem")).unwrap();
    assert_ne!(other, vector::public());
    assert_ne!(other.fingerprint(), vector::public().fingerprint());
}

#[derive(Clone, Debug)]
struct Paste {
    armour: bool,
    end_line: bool,
    line_length: usize,
    line_break: &'static str,
    before: &'static str,
    after: &'static str,
    padding: bool,
}

fn pastes() -> impl Strategy<Value = Paste> {
    (
        any::<bool>(),
        any::<bool>(),
        1_usize..2000,
        select(vec![
            "\n", "\r\n", "\r", "\\n", "\\r\\n", "\\\\n", " ", "\n\n", "\n    ", "\t\n", "\\\n", "\u{3000}",
        ]),
        select(vec![
            "",
            "\u{feff}",
            " ",
            "\n\n",
            "\"",
            "'",
            "\u{200b}",
            "\u{feff}\"\\n",
        ]),
        select(vec![
            "",
            "\n",
            " \r\n",
            "\"",
            "'",
            "\\n",
            "\u{a0}",
            "\\n\"\u{200b}",
        ]),
        any::<bool>(),
    )
        .prop_map(
            |(armour, end_line, line_length, line_break, before, after, padding)| Paste {
                armour,
                end_line,
                line_length,
                line_break,
                before,
                after,
                padding,
            },
        )
}

impl Paste {
    fn of(&self, pem: &str) -> String {
        let label = pem
            .lines()
            .next()
            .unwrap()
            .trim_matches('-')
            .strip_prefix("BEGIN ")
            .unwrap()
            .to_owned();
        let body = body(pem);
        let body = if self.padding {
            body.as_str()
        } else {
            body.trim_end_matches('=')
        };
        let mut lines: Vec<String> = body
            .as_bytes()
            .chunks(self.line_length)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        if self.armour {
            lines.insert(0, format!("-----BEGIN {label}-----"));
            if self.end_line {
                lines.push(format!("-----END {label}-----"));
            }
        }
        format!("{}{}{}", self.before, lines.join(self.line_break), self.after)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_private_key_survives_every_paste(
        paste in pastes(),
        name in select(vec!["key_pkcs8.pem", "key_pkcs1.pem"]),
    ) {
        let key = PrivateKey::parse(&paste.of(&vector::text(name)));
        prop_assert_eq!(key.map_err(|error| error.to_string()).unwrap().public_key(), vector::public());
    }

    #[test]
    fn a_public_key_survives_every_paste(
        paste in pastes(),
        name in select(vec!["public_spki.pem", "public_pkcs1.pem", "app.pem"]),
    ) {
        let key = PublicKey::parse(&paste.of(&vector::text(name)));
        prop_assert_eq!(key.map_err(|error| error.to_string()).unwrap(), vector::public());
    }

    #[test]
    fn a_certificate_survives_every_paste(paste in pastes()) {
        let certificate = Certificate::parse(&paste.of(&vector::text("app.pem")));
        let certificate = certificate.map_err(|error| error.to_string());
        prop_assert_eq!(certificate, Ok(vector::certificate("app.pem")));
    }
}
