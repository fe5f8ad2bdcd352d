//! Signatures and certificate numbers, as faults want them or as they should be.

use std::sync::Arc;

use md5::{Digest, Md5};

use crate::{
    config::AlipayKeyMode,
    faults::FaultKind,
    keys::{AlipayCredentials, Certificate},
    world::World,
};

/// Alipay's signature of `signed` in Base64; `None` when a fault says unsigned.
pub(super) fn sign(world: &World, signed: &[u8], fault: Option<FaultKind>) -> Option<String> {
    let (gateway, stranger) = {
        let all = world.credentials();
        (Arc::clone(&all.alipay.gateway), Arc::clone(&all.authority))
    };
    match fault {
        None => Some(gateway.sign(signed)),
        Some(FaultKind::Unsigned) => None,
        Some(FaultKind::WrongKey) => Some(stranger.sign(signed)),
        Some(_) => Some(gateway.sign(b"other content")),
    }
}

/// The number of the Alipay certificate in use; `None` when the app uses plain keys.
pub(super) fn alipay_cert_sn(world: &World) -> Option<String> {
    match world.config.alipay.key_mode {
        AlipayKeyMode::Key => None,
        AlipayKeyMode::Cert => world
            .credentials()
            .alipay
            .gateway_certificates
            .last()
            .map(cert_sn),
    }
}

/// The number of a certificate: MD5 of issuer and serial number.
pub(super) fn cert_sn(certificate: &Certificate) -> String {
    let mut hash = Md5::new();
    hash.update(certificate.contents().issuer.rfc2253());
    hash.update(certificate.serial_decimal());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The number of the root bundle: those of its RSA certificates, joined.
pub(super) fn root_cert_sn(credentials: &AlipayCredentials) -> String {
    // The first certificate of the bundle is an elliptic one.
    let numbers: Vec<String> = credentials.roots.iter().skip(1).map(cert_sn).collect();
    numbers.join("_")
}
