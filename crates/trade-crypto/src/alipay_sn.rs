//! The serial numbers Alipay makes up for certificates (公钥证书模式).

use md5::{Digest, Md5};

use crate::{certificate::Certificate, error::KeyError};

/// `alipay_root_cert_sn` of a root bundle (`alipayRootCert.crt`), given as its text or its file name.
///
/// It joins [`Certificate::alipay_sn`] of every certificate with an RSA signature by `_`, in the order of the
/// file. The bundle also holds certificates of other algorithms, some of which no strict reader takes; they
/// are passed over, as Alipay does.
///
/// # Errors
///
/// As [`Certificate::load_all`]; [`KeyError::NoRsaRoot`] when nothing remains.
pub fn alipay_root_cert_sn(bundle_text_or_path: &str) -> Result<String, KeyError> {
    let certificates = Certificate::load_all(bundle_text_or_path)?;
    let numbers: Vec<String> = certificates
        .iter()
        .filter(|certificate| certificate.is_rsa_signed())
        .map(Certificate::alipay_sn)
        .collect();
    if numbers.is_empty() {
        return Err(KeyError::NoRsaRoot {
            certificates: certificates.len(),
        });
    }
    Ok(numbers.join("_"))
}

/// MD5 is what the channel prescribes; nothing rests on it being hard to collide.
pub(crate) fn of(issuer: &str, decimal_serial: &str) -> String {
    let digest = Md5::new()
        .chain_update(issuer)
        .chain_update(decimal_serial)
        .finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first RSA root of the bundle every app downloads, and the serial number the channel gives it.
    #[test]
    fn the_serial_of_the_real_root_is_the_channel_s_own() {
        let issuer =
            "CN=Ant Financial Certification Authority R1,OU=Certification Authority,O=Ant Financial,C=CN";
        assert_eq!(
            of(issuer, "2292228364100439313"),
            "687b59193f3f462dd5336e5abf83c5d8"
        );
    }
}
