//! X.509 certificates: a small writer, enough for what merchants are handed.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use rsa::BigUint;

use super::{der, pair::KeyPair};

const SHA256_WITH_RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];
const SHA1_WITH_RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x05];
const ECDSA_WITH_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const PRIME256V1: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x13];

/// The generator of P-256: a valid point that is nobody's key.
const P256_POINT: &[u8] = &[
    0x04, 0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5, 0x63, 0xA4, 0x40, 0xF2,
    0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB, 0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96, 0x4F,
    0xE3, 0x42, 0xE2, 0xFE, 0x1A, 0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F, 0x9E, 0x16, 0x2B, 0xCE,
    0x33, 0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6, 0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5,
];

/// A distinguished name: country, organisation, unit, common name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    organisation: String,
    unit: String,
    common: String,
}

impl Name {
    pub(crate) fn new(organisation: &str, unit: &str, common: &str) -> Self {
        Self {
            organisation: organisation.to_owned(),
            unit: unit.to_owned(),
            common: common.to_owned(),
        }
    }

    /// The RFC 2253 text, most specific part first: `CN=...,OU=...,O=...,C=CN`.
    pub(crate) fn rfc2253(&self) -> String {
        format!("CN={},OU={},O={},C=CN", self.common, self.unit, self.organisation)
    }

    fn der(&self) -> Vec<u8> {
        const PRINTABLE: u8 = 0x13;
        const UTF8: u8 = 0x0C;
        let part = |kind: u8, tag: u8, text: &str| {
            let pair = der::sequence(&[
                &der::oid(&[0x55, 0x04, kind]),
                &der::element(tag, text.as_bytes()),
            ]);
            der::set(&[&pair])
        };
        der::sequence(&[
            &part(6, PRINTABLE, "CN"),
            &part(10, UTF8, &self.organisation),
            &part(11, UTF8, &self.unit),
            &part(3, UTF8, &self.common),
        ])
    }
}

/// What a certificate says.
#[derive(Debug, Clone)]
pub(crate) struct Contents {
    pub(crate) subject: Name,
    pub(crate) issuer: Name,
    /// Big-endian, at most 20 bytes, top bit clear.
    pub(crate) serial: Vec<u8>,
    pub(crate) not_before_ms: i64,
    pub(crate) not_after_ms: i64,
    /// Whether the subject may issue certificates.
    pub(crate) authority: bool,
}

/// How a certificate is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signing {
    /// SHA-256 with RSA.
    Sha256,
    /// SHA-1 with RSA, as one of the old roots.
    Sha1,
}

/// A certificate, ready to hand out.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    contents: Contents,
    pem: String,
}

impl Certificate {
    /// Issues a certificate for `subject_key`.
    pub(crate) fn issue(
        contents: Contents,
        subject_key: &KeyPair,
        issuer_key: &KeyPair,
        signing: Signing,
    ) -> Self {
        let algorithm = match signing {
            Signing::Sha256 => der::sequence(&[&der::oid(SHA256_WITH_RSA), &der::null()]),
            Signing::Sha1 => der::sequence(&[&der::oid(SHA1_WITH_RSA), &der::null()]),
        };
        let body = body(&contents, &algorithm, subject_key.spki_der());
        let signature = match signing {
            Signing::Sha256 => issuer_key.sign_sha256(&body),
            Signing::Sha1 => issuer_key.sign_sha1(&body),
        };
        Self::assemble(contents, &body, &algorithm, &signature)
    }

    /// A certificate of another family (ECDSA) that clients must skip. Its signature is nonsense.
    pub(crate) fn foreign(contents: Contents) -> Self {
        let algorithm = der::sequence(&[&der::oid(ECDSA_WITH_SHA256)]);
        let key_kind = der::sequence(&[&der::oid(EC_PUBLIC_KEY), &der::oid(PRIME256V1)]);
        let key = der::sequence(&[&key_kind, &der::bit_string(P256_POINT)]);
        let body = body(&contents, &algorithm, &key);
        let signature = der::sequence(&[&der::unsigned(&[0x5A; 32]), &der::unsigned(&[0x3C; 32])]);
        Self::assemble(contents, &body, &algorithm, &signature)
    }

    fn assemble(contents: Contents, body: &[u8], algorithm: &[u8], signature: &[u8]) -> Self {
        let der = der::sequence(&[body, algorithm, &der::bit_string(signature)]);
        Self {
            contents,
            pem: pem("CERTIFICATE", &der),
        }
    }

    /// What it says.
    pub(crate) fn contents(&self) -> &Contents {
        &self.contents
    }

    /// `-----BEGIN CERTIFICATE-----`.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// The serial number in upper-case hex, as WeChat Pay prints it.
    pub(crate) fn serial_hex(&self) -> String {
        self.contents
            .serial
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect()
    }

    /// The serial number in decimal, as Alipay hashes it.
    pub(crate) fn serial_decimal(&self) -> String {
        BigUint::from_bytes_be(&self.contents.serial).to_string()
    }
}

fn body(contents: &Contents, algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let validity = der::sequence(&[&time(contents.not_before_ms), &time(contents.not_after_ms)]);
    let constraints = if contents.authority {
        der::sequence(&[&der::yes()])
    } else {
        der::sequence(&[])
    };
    let extension = der::sequence(&[
        &der::oid(BASIC_CONSTRAINTS),
        &der::yes(),
        &der::octets(&constraints),
    ]);
    der::sequence(&[
        &der::context(0, &der::unsigned(&[2])),
        &der::unsigned(&contents.serial),
        algorithm,
        &contents.issuer.der(),
        &validity,
        &contents.subject.der(),
        key,
        &der::context(3, &der::sequence(&[&extension])),
    ])
}

/// UTCTime before 2050, GeneralizedTime from then on, as RFC 5280 wants.
fn time(at_ms: i64) -> Vec<u8> {
    const YEAR_2050_MS: i64 = 2_524_608_000_000;
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let (tag, pattern) = if at_ms < YEAR_2050_MS {
        (0x17, "%y%m%d%H%M%SZ")
    } else {
        (0x18, "%Y%m%d%H%M%SZ")
    };
    der::element(tag, at.strftime(pattern).to_string().as_bytes())
}

fn pem(label: &str, der: &[u8]) -> String {
    let encoded = BASE64_STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for (index, character) in encoded.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            out.push('\n');
        }
        out.push(character);
    }
    out.push_str(&format!("\n-----END {label}-----\n"));
    out
}
