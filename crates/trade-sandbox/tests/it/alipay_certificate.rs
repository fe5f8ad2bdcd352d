//! Reading certificates by the documentation alone.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use md5::{Digest, Md5};
use x509_cert::{Certificate, der::Encode};

/// The certificates of a PEM file that can be read; others are skipped.
pub(crate) fn certificates(pem: &str) -> Vec<Certificate> {
    Certificate::load_pem_chain(pem.as_bytes()).unwrap()
}

/// MD5 of issuer and serial number.
pub(crate) fn cert_sn(certificate: &Certificate) -> String {
    let content = certificate.tbs_certificate();
    let serial = rsa::BigUint::from_bytes_be(content.serial_number().as_bytes());
    let digest = Md5::digest(format!("{}{serial}", content.issuer()));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The numbers of the RSA certificates of a bundle.
pub(crate) fn root_cert_sn(pem: &str) -> String {
    let is_rsa = |certificate: &&Certificate| {
        let oid = certificate.signature_algorithm().oid;
        oid.to_string().starts_with("1.2.840.113549.1.1")
    };
    let all = certificates(pem);
    let numbers: Vec<String> = all.iter().filter(is_rsa).map(cert_sn).collect();
    numbers.join("_")
}

/// Whether `issuer` signed `certificate`.
pub(crate) fn signed_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let key = issuer
        .tbs_certificate()
        .subject_public_key_info()
        .to_der()
        .unwrap();
    let message = certificate.tbs_certificate().to_der().unwrap();
    let signature = certificate.signature().raw_bytes();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    certificate.tbs_certificate().issuer() == issuer.tbs_certificate().subject()
        && key.verify(&message, signature).is_ok()
}
