//! X.509 certificates: the merchant's, the platform's, the app's, Alipay's, and those that issued them.

use std::{fmt, sync::Arc};

use x509_cert::{
    der::{Decode, Encode},
    ext::pkix::{BasicConstraints, KeyUsage},
    time::Time,
};

use crate::{
    backend::Hash,
    der::{Shape, signed_part},
    error::KeyError,
    found::{Found, Wanted},
    public_key::PublicKey,
    serial, source,
    text::{self, Item},
};

const SHA1_WITH_RSA: &str = "1.2.840.113549.1.1.5";
const SHA256_WITH_RSA: &str = "1.2.840.113549.1.1.11";
const RSA_FAMILY: &str = "1.2.840.113549.1.1.";

/// One X.509 certificate. Cheap to clone.
#[derive(Clone)]
pub struct Certificate {
    inner: Arc<Inner>,
}

struct Inner {
    parsed: x509_cert::Certificate,
    der: Vec<u8>,
    spki: Vec<u8>,
}

impl Certificate {
    /// Takes the first certificate out of a text: PEM or bare base64, however it was pasted, and also a PEM
    /// text that was base64-encoded once more, as `alipay_cert_content` is.
    ///
    /// # Errors
    ///
    /// [`KeyError`] names what the text is instead of a certificate.
    pub fn parse(text: &str) -> Result<Certificate, KeyError> {
        first(Certificate::all_from_bytes(text.as_bytes())?)
    }

    /// Reads the first certificate from the file that `text_or_path` names, with or without `file:` before
    /// it, and takes it for the text of the certificate when there is no such file.
    ///
    /// # Errors
    ///
    /// As [`Certificate::parse`]; [`KeyError::File`] and [`KeyError::NoSuchFile`] for a file that cannot be
    /// read.
    pub fn load(text_or_path: &str) -> Result<Certificate, KeyError> {
        first(Certificate::load_all(text_or_path)?)
    }

    /// Takes every certificate out of a text, in its order. Blocks that are no certificate, or one that
    /// cannot be read, are passed over: Alipay's root bundle holds some.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when no certificate at all can be read.
    pub fn parse_all(text: &str) -> Result<Vec<Certificate>, KeyError> {
        Certificate::all_from_bytes(text.as_bytes())
    }

    /// Does what [`Certificate::parse_all`] does with a file, or a text, as [`Certificate::load`] tells them
    /// apart.
    ///
    /// # Errors
    ///
    /// As [`Certificate::load`].
    pub fn load_all(text_or_path: &str) -> Result<Vec<Certificate>, KeyError> {
        let bytes = source::read(text_or_path, Wanted::Certificate)?;
        Certificate::all_from_bytes(&bytes).map_err(|error| source::explain(error, text_or_path))
    }

    fn all_from_bytes(bytes: &[u8]) -> Result<Vec<Certificate>, KeyError> {
        let items = text::items(bytes, Wanted::Certificate)?;
        let certificates: Vec<Certificate> = items
            .iter()
            .filter(|item| item.shape() == Shape::Certificate)
            .filter_map(|item| Certificate::from_der(item.der()))
            .collect();
        if certificates.is_empty() {
            Err(nothing_in(&items))
        } else {
            Ok(certificates)
        }
    }

    pub(crate) fn from_der(der: &[u8]) -> Option<Certificate> {
        let parsed = x509_cert::Certificate::from_der(der).ok()?;
        let spki = parsed.tbs_certificate().subject_public_key_info().to_der().ok()?;
        Some(Certificate {
            inner: Arc::new(Inner {
                parsed,
                der: der.to_vec(),
                spki,
            }),
        })
    }

    /// The serial number in upper case hexadecimal, two digits a byte: what `openssl x509 -serial` prints and
    /// what `serial_no` in the `Authorization` of WeChat Pay takes.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        serial::hex(self.serial_bytes())
    }

    /// The key that is certified.
    ///
    /// # Errors
    ///
    /// [`KeyError::WrongKind`] when it is not an RSA key, [`KeyError::Size`] when it is too short or too
    /// long.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        PublicKey::from_spki(&self.inner.spki, Found::CertificatePem)
    }

    /// The moment the certificate becomes valid, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn not_before_ms(&self) -> i64 {
        epoch_ms(self.inner.parsed.tbs_certificate().validity().not_before)
    }

    /// The last moment the certificate is valid, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn not_after_ms(&self) -> i64 {
        epoch_ms(self.inner.parsed.tbs_certificate().validity().not_after)
    }

    /// Whether `now_ms` (milliseconds since 1970 UTC) is within the validity.
    #[must_use]
    pub fn is_valid_at(&self, now_ms: i64) -> bool {
        (self.not_before_ms()..=self.not_after_ms()).contains(&now_ms)
    }

    /// Whose certificate it is, in the order of RFC 2253: the most specific part first, as in
    /// `CN=…,OU=…,O=…,C=…`.
    #[must_use]
    pub fn subject(&self) -> String {
        self.inner.parsed.tbs_certificate().subject().to_string()
    }

    /// Who issued it, in the order of [`Certificate::subject`].
    #[must_use]
    pub fn issuer(&self) -> String {
        self.inner.parsed.tbs_certificate().issuer().to_string()
    }

    /// Alipay's own serial number (`app_cert_sn`, `alipay_cert_sn`): the MD5, in lower case hexadecimal, of
    /// [`Certificate::issuer`] followed by the decimal serial number.
    #[must_use]
    pub fn alipay_sn(&self) -> String {
        crate::alipay_sn::of(&self.issuer(), &serial::decimal(self.serial_bytes()))
    }

    /// Whether `issuer` issued this certificate: the names match, `issuer` may issue certificates, and the
    /// signature (RSA with SHA-256 or SHA-1) is by its key. Validity in time is not looked at; see
    /// [`crate::check_chain`].
    #[must_use]
    pub fn is_issued_by(&self, issuer: &Certificate) -> bool {
        let names_match =
            self.inner.parsed.tbs_certificate().issuer() == issuer.inner.parsed.tbs_certificate().subject();
        names_match && issuer.may_issue() && self.is_signed_by(issuer)
    }

    /// Whether the certificate names itself as its issuer, as a root does.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        let tbs = self.inner.parsed.tbs_certificate();
        tbs.issuer() == tbs.subject()
    }

    /// Without this, whoever holds any certificate of a trusted authority could issue one for Alipay itself.
    fn may_issue(&self) -> bool {
        let tbs = self.inner.parsed.tbs_certificate();
        let is_authority = match tbs.get_extension::<BasicConstraints>() {
            Ok(Some((_, constraints))) => constraints.ca,
            // Roots older than the extension have none.
            Ok(None) => self.is_self_issued(),
            Err(_) => false,
        };
        let may_sign = match tbs.get_extension::<KeyUsage>() {
            Ok(Some((_, usage))) => usage.key_cert_sign(),
            Ok(None) => true,
            Err(_) => false,
        };
        is_authority && may_sign
    }

    fn is_signed_by(&self, issuer: &Certificate) -> bool {
        let hash = match self.signature_oid().as_str() {
            SHA256_WITH_RSA => Hash::Sha256,
            SHA1_WITH_RSA => Hash::Sha1,
            _ => return false,
        };
        let parts = signed_part(&self.inner.der).zip(self.inner.parsed.signature().as_bytes());
        let Some((signed, signature)) = parts else {
            return false;
        };
        issuer
            .public_key()
            .is_ok_and(|key| key.verify(hash, signed, signature).is_ok())
    }

    /// Whether the certificate is signed with RSA, by whatever hash.
    pub(crate) fn is_rsa_signed(&self) -> bool {
        self.signature_oid().starts_with(RSA_FAMILY)
    }

    pub(crate) fn spki(&self) -> &[u8] {
        &self.inner.spki
    }

    fn signature_oid(&self) -> String {
        self.inner.parsed.signature_algorithm().oid.to_string()
    }

    fn serial_bytes(&self) -> &[u8] {
        self.inner.parsed.tbs_certificate().serial_number().as_bytes()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Certificate) -> bool {
        self.inner.der == other.inner.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("serial", &self.serial_hex())
            .field("subject", &self.subject())
            .field("issuer", &self.issuer())
            .field("not_after_ms", &self.not_after_ms())
            .finish_non_exhaustive()
    }
}

fn first(certificates: Vec<Certificate>) -> Result<Certificate, KeyError> {
    certificates.into_iter().next().ok_or(KeyError::Empty {
        wanted: Wanted::Certificate,
    })
}

/// A certificate that cannot be read is damaged, not of the wrong kind.
fn nothing_in(items: &[Item]) -> KeyError {
    match items.iter().find(|item| item.shape() == Shape::Certificate) {
        Some(item) => KeyError::Damaged {
            wanted: Wanted::Certificate,
            length: item.der().len(),
        },
        None => text::none_fits(items, Wanted::Certificate),
    }
}

fn epoch_ms(time: Time) -> i64 {
    i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(i64::MAX)
}
