//! The channel's public key.

use std::{fmt, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    backend::{self, Hash},
    certificate::Certificate,
    der::{PublicNumbers, Shape, shape},
    error::{BITS_MAX, BITS_MIN, CryptoError, KeyError},
    found::{Found, Wanted},
    source,
    text::{self, Item},
};

/// What RSAES-OAEP with SHA-1 takes of a block for itself: two hashes and two bytes (RFC 8017 §7.1.1).
const OAEP_SHA1_OVERHEAD: usize = 42;

/// The bytes of a fingerprint that are shown.
const FINGERPRINT_BYTES: usize = 8;

/// An RSA public key: 微信支付公钥, the key in a platform certificate, 支付宝公钥.
///
/// Two of them are equal when they are the same key, whatever text each was read from.
#[derive(Clone)]
pub struct PublicKey {
    inner: Arc<Inner>,
}

struct Inner {
    key: backend::Public,
    spki: Vec<u8>,
    found: Found,
    bits: usize,
}

impl PublicKey {
    /// Takes the key out of a text: SPKI or PKCS#1, or an X.509 certificate, as PEM or as bare base64,
    /// however it was pasted (see [`crate::PrivateKey::parse`]). Of several PEM blocks the first that is one
    /// of these counts.
    ///
    /// # Errors
    ///
    /// [`KeyError`] names what the text is instead of an RSA public key of 2048 to 4096 bits.
    pub fn parse(text: &str) -> Result<PublicKey, KeyError> {
        PublicKey::from_bytes(text.as_bytes())
    }

    /// Reads the key from the file that `text_or_path` names, with or without `file:` before it, and takes it
    /// for the text of the key when there is no such file.
    ///
    /// # Errors
    ///
    /// As [`PublicKey::parse`]; [`KeyError::File`] and [`KeyError::NoSuchFile`] for a file that cannot be
    /// read.
    pub fn load(text_or_path: &str) -> Result<PublicKey, KeyError> {
        let bytes = source::read(text_or_path, Wanted::PublicKey)?;
        PublicKey::from_bytes(&bytes).map_err(|error| source::explain(error, text_or_path))
    }

    fn from_bytes(bytes: &[u8]) -> Result<PublicKey, KeyError> {
        let items = text::items(bytes, Wanted::PublicKey)?;
        items
            .iter()
            .find_map(PublicKey::from_item)
            .unwrap_or_else(|| Err(text::none_fits(&items, Wanted::PublicKey)))
    }

    /// `None` when the item has no public key that could be taken.
    fn from_item(item: &Item) -> Option<Result<PublicKey, KeyError>> {
        let found = item.found()?;
        match item.shape() {
            Shape::Spki(pkcs1) | Shape::Pkcs1Public(pkcs1) => Some(PublicKey::from_pkcs1(pkcs1, found)),
            Shape::Certificate => Some(match Certificate::from_der(item.der()) {
                Some(certificate) => PublicKey::from_spki(certificate.spki(), found),
                None => Err(KeyError::Damaged {
                    wanted: Wanted::PublicKey,
                    length: item.der().len(),
                }),
            }),
            Shape::Pkcs8(_) | Shape::Pkcs1Private(_) | Shape::Unusable(_) | Shape::Unknown => None,
        }
    }

    /// From SPKI DER, whose algorithm may turn out not to be RSA.
    pub(crate) fn from_spki(spki: &[u8], found: Found) -> Result<PublicKey, KeyError> {
        match shape(spki) {
            Shape::Spki(pkcs1) => PublicKey::from_pkcs1(pkcs1, found),
            Shape::Unusable(found) => Err(KeyError::WrongKind {
                wanted: Wanted::PublicKey,
                found,
            }),
            Shape::Pkcs8(_)
            | Shape::Pkcs1Private(_)
            | Shape::Pkcs1Public(_)
            | Shape::Certificate
            | Shape::Unknown => Err(KeyError::Inconsistent { found }),
        }
    }

    fn from_pkcs1(pkcs1: &[u8], found: Found) -> Result<PublicKey, KeyError> {
        let numbers = PublicNumbers::of_public(pkcs1).ok_or(KeyError::Inconsistent { found })?;
        PublicKey::from_numbers(&numbers, found)
    }

    pub(crate) fn from_numbers(numbers: &PublicNumbers<'_>, found: Found) -> Result<PublicKey, KeyError> {
        let bits = numbers.bits();
        if !(BITS_MIN..=BITS_MAX).contains(&bits) {
            return Err(KeyError::Size { found, bits });
        }
        if !numbers.are_plausible() {
            return Err(KeyError::Inconsistent { found });
        }
        let spki = numbers.to_spki();
        let key = backend::Public::from_spki(&spki).map_err(|_| KeyError::Inconsistent { found })?;
        Ok(PublicKey {
            inner: Arc::new(Inner {
                key,
                spki,
                found,
                bits,
            }),
        })
    }

    /// What the text was that this key was read from.
    #[must_use]
    pub fn found(&self) -> Found {
        self.inner.found
    }

    /// The length of the modulus in bits.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.inner.bits
    }

    /// Checks that `signature_base64` is the RSASSA-PKCS1-v1_5 signature with SHA-256 of exactly these bytes.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadSignature`] for everything else, including a signature that is not base64.
    pub fn verify_sha256(&self, message: &[u8], signature_base64: &str) -> Result<(), CryptoError> {
        let signature = BASE64_STANDARD
            .decode(signature_base64.trim())
            .map_err(|_| CryptoError::BadSignature)?;
        self.verify(Hash::Sha256, message, &signature)
    }

    pub(crate) fn verify(&self, hash: Hash, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.inner
            .key
            .verify(hash, message, signature)
            .map_err(|_| CryptoError::BadSignature)
    }

    /// Encrypts a sensitive field for WeChat Pay: RSAES-OAEP with SHA-1 and MGF1 with SHA-1, in base64. The
    /// same text gives another ciphertext each time.
    ///
    /// # Errors
    ///
    /// [`CryptoError::OaepTooLong`]: a key of 2048 bits carries 214 bytes.
    pub fn encrypt_oaep_sha1(&self, plain: &[u8]) -> Result<String, CryptoError> {
        let length_max = self.inner.bits.div_ceil(8).saturating_sub(OAEP_SHA1_OVERHEAD);
        let too_long = CryptoError::OaepTooLong {
            length: plain.len(),
            length_max,
        };
        if plain.len() > length_max {
            return Err(too_long);
        }
        let ciphertext = self.inner.key.encrypt_oaep_sha1(plain).map_err(|_| too_long)?;
        Ok(BASE64_STANDARD.encode(ciphertext))
    }

    /// The first 16 hexadecimal digits of the SHA-256 of [`PublicKey::spki_der`]: a name for this key that
    /// may be shown anywhere and compared by eye.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        backend::sha256(&self.inner.spki)
            .iter()
            .take(FINGERPRINT_BYTES)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The key as a DER `SubjectPublicKeyInfo`, the same bytes whatever the key was read from.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.inner.spki
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &PublicKey) -> bool {
        self.inner.spki == other.inner.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("found", &self.inner.found)
            .field("bits", &self.inner.bits)
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}
