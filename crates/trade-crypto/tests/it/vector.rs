//! The files made by other programs.

use std::path::PathBuf;

use trade_crypto::{Certificate, PrivateKey, PublicKey};

pub(crate) fn path(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(name);
    path.to_str().unwrap().to_owned()
}

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).unwrap()
}

/// A one line file without its line break.
pub(crate) fn line(name: &str) -> String {
    text(name).trim_end().to_owned()
}

pub(crate) fn key() -> PrivateKey {
    PrivateKey::parse(&text("key_pkcs8.pem")).unwrap()
}

pub(crate) fn public() -> PublicKey {
    PublicKey::parse(&text("public_spki.pem")).unwrap()
}

pub(crate) fn certificate(name: &str) -> Certificate {
    Certificate::parse(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What stands between the BEGIN and END lines, on one line.
pub(crate) fn body(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}
