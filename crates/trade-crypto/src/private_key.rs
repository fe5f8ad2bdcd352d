//! The merchant's or app's private key.

use std::{fmt, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    backend,
    der::{PublicNumbers, Shape, to_pkcs8},
    error::{BITS_MAX, BITS_MIN, CryptoError, KeyError},
    found::{Found, Wanted},
    public_key::PublicKey,
    source,
    text::{self, Item},
};

/// An RSA private key: 商户API私钥 of WeChat Pay, 应用私钥 of Alipay.
///
/// Cheap to clone and safe to share. It cannot be printed: its [`Debug`](fmt::Debug) shows the fingerprint of
/// the public half. The texts it is read from are wiped as far as this crate made copies of them.
#[derive(Clone)]
pub struct PrivateKey {
    inner: Arc<Inner>,
}

struct Inner {
    key: backend::Private,
    public: PublicKey,
    found: Found,
    bits: usize,
}

impl PrivateKey {
    /// Takes the key out of a text: PKCS#8 or PKCS#1, as PEM or as bare base64, on any number of lines, with
    /// CRLF, a byte order mark, quotes, literal `\n` or stray blanks.
    ///
    /// Of several PEM blocks the first private key counts, so that the output of `openssl pkcs12 -nodes` can
    /// be given as it is.
    ///
    /// # Errors
    ///
    /// [`KeyError`] names what the text is instead of an RSA private key of 2048 to 4096 bits.
    pub fn parse(text: &str) -> Result<PrivateKey, KeyError> {
        PrivateKey::from_bytes(text.as_bytes())
    }

    /// Reads the key from the file that `text_or_path` names, with or without `file:` before it, and takes it
    /// for the text of the key when there is no such file.
    ///
    /// # Errors
    ///
    /// As [`PrivateKey::parse`]; [`KeyError::File`] and [`KeyError::NoSuchFile`] for a file that cannot be
    /// read.
    pub fn load(text_or_path: &str) -> Result<PrivateKey, KeyError> {
        let bytes = source::read(text_or_path, Wanted::PrivateKey)?;
        PrivateKey::from_bytes(&bytes).map_err(|error| source::explain(error, text_or_path))
    }

    fn from_bytes(bytes: &[u8]) -> Result<PrivateKey, KeyError> {
        let items = text::items(bytes, Wanted::PrivateKey)?;
        items
            .iter()
            .find_map(PrivateKey::from_item)
            .unwrap_or_else(|| Err(text::none_fits(&items, Wanted::PrivateKey)))
    }

    /// `None` when the item is something else than an RSA private key.
    fn from_item(item: &Item) -> Option<Result<PrivateKey, KeyError>> {
        let shape = item.shape();
        let found = item.found()?;
        match shape {
            Shape::Pkcs8(pkcs1) | Shape::Pkcs1Private(pkcs1) => Some(PrivateKey::from_pkcs1(pkcs1, found)),
            Shape::Spki(_)
            | Shape::Pkcs1Public(_)
            | Shape::Certificate
            | Shape::Unusable(_)
            | Shape::Unknown => None,
        }
    }

    fn from_pkcs1(pkcs1: &[u8], found: Found) -> Result<PrivateKey, KeyError> {
        let numbers = PublicNumbers::of_private(pkcs1).ok_or(KeyError::Inconsistent { found })?;
        let bits = numbers.bits();
        if !(BITS_MIN..=BITS_MAX).contains(&bits) {
            return Err(KeyError::Size { found, bits });
        }
        let key =
            backend::Private::from_pkcs8(&to_pkcs8(pkcs1)).map_err(|_| KeyError::Inconsistent { found })?;
        let public = PublicKey::from_numbers(&numbers, found)?;
        Ok(PrivateKey {
            inner: Arc::new(Inner {
                key,
                public,
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

    /// The public half, for telling pairs apart.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.inner.public.clone()
    }

    /// Signs `message` by RSASSA-PKCS1-v1_5 with SHA-256; the signature is standard base64 with padding.
    ///
    /// WeChat Pay calls it `WECHATPAY2-SHA256-RSA2048`, Alipay `RSA2`. The same message gives the same
    /// signature.
    ///
    /// # Errors
    ///
    /// [`CryptoError::SigningFailed`], which a key that was loaded does not give.
    pub fn sign_sha256(&self, message: &[u8]) -> Result<String, CryptoError> {
        let signature = self
            .inner
            .key
            .sign_sha256(message)
            .map_err(|_| CryptoError::SigningFailed)?;
        Ok(BASE64_STANDARD.encode(signature))
    }

    /// Opens a field that WeChat Pay encrypted to the merchant's certificate: RSAES-OAEP with SHA-1 and MGF1
    /// with SHA-1, in base64.
    ///
    /// # Errors
    ///
    /// [`CryptoError::NotBase64`], or [`CryptoError::OaepNotOpened`] when the text was made for another key.
    pub fn decrypt_oaep_sha1(&self, base64: &str) -> Result<Vec<u8>, CryptoError> {
        let ciphertext = BASE64_STANDARD
            .decode(base64.trim())
            .map_err(|_| CryptoError::NotBase64)?;
        self.inner
            .key
            .decrypt_oaep_sha1(&ciphertext)
            .map_err(|_| CryptoError::OaepNotOpened)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("found", &self.inner.found)
            .field("bits", &self.inner.bits)
            .field("public", &self.inner.public.fingerprint())
            .finish_non_exhaustive()
    }
}
