//! Alipay's encryption of `biz_content` and of answers (接口内容加密方式, `encrypt_type=AES`): AES in CBC mode with
//! PKCS#7 padding and an initialisation vector of zeros.
//!
//! It does not replace the signature: nothing here notices a change. Verify first, then decrypt.

use std::fmt;

use aes::{Aes128, Aes192, Aes256};
use base64::{Engine, prelude::BASE64_STANDARD};
use cbc::{
    Decryptor, Encryptor,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};
use zeroize::Zeroizing;

use crate::error::{CryptoError, KeyError};

/// The channel fixes the vector, so equal contents have equal ciphertexts.
const ZERO_IV: [u8; 16] = [0; 16];

/// The content key (AES密钥) of an Alipay app: base64 of 16 bytes, as the console shows it.
///
/// ```
/// use trade_crypto::content::ContentKey;
///
/// let key = ContentKey::parse("MDEyMzQ1Njc4OWFiY2RlZg==")?;
/// let sealed = key.encrypt(r#"{"out_trade_no":"T20261123"}"#)?;
/// assert_eq!(key.decrypt(&sealed)?, r#"{"out_trade_no":"T20261123"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ContentKey {
    bytes: Bytes,
}

#[derive(Clone)]
enum Bytes {
    Aes128(Zeroizing<[u8; 16]>),
    Aes192(Zeroizing<[u8; 24]>),
    Aes256(Zeroizing<[u8; 32]>),
}

impl ContentKey {
    /// Takes the key from its base64 text; blanks around it do not count. Keys of 24 and 32 bytes are taken
    /// too.
    ///
    /// # Errors
    ///
    /// [`KeyError::ContentKeyText`] and [`KeyError::ContentKeyLength`].
    pub fn parse(base64: &str) -> Result<ContentKey, KeyError> {
        let text =
            base64.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
        let decoded = BASE64_STANDARD
            .decode(text)
            .map(Zeroizing::new)
            .map_err(|_| KeyError::ContentKeyText)?;
        let key = decoded.as_slice();
        if let Ok(key) = <[u8; 16]>::try_from(key) {
            return Ok(ContentKey {
                bytes: Bytes::Aes128(Zeroizing::new(key)),
            });
        }
        if let Ok(key) = <[u8; 24]>::try_from(key) {
            return Ok(ContentKey {
                bytes: Bytes::Aes192(Zeroizing::new(key)),
            });
        }
        if let Ok(key) = <[u8; 32]>::try_from(key) {
            return Ok(ContentKey {
                bytes: Bytes::Aes256(Zeroizing::new(key)),
            });
        }
        Err(KeyError::ContentKeyLength { length: key.len() })
    }

    /// Encrypts a content; the result is base64, to be put where the content would stand.
    ///
    /// # Errors
    ///
    /// None today: the type leaves room for a cipher that can refuse.
    pub fn encrypt(&self, content: &str) -> Result<String, CryptoError> {
        let plain = content.as_bytes();
        let iv = (&ZERO_IV).into();
        let sealed = match &self.bytes {
            Bytes::Aes128(key) => {
                Encryptor::<Aes128>::new((&**key).into(), iv).encrypt_padded_vec::<Pkcs7>(plain)
            }
            Bytes::Aes192(key) => {
                Encryptor::<Aes192>::new((&**key).into(), iv).encrypt_padded_vec::<Pkcs7>(plain)
            }
            Bytes::Aes256(key) => {
                Encryptor::<Aes256>::new((&**key).into(), iv).encrypt_padded_vec::<Pkcs7>(plain)
            }
        };
        Ok(BASE64_STANDARD.encode(sealed))
    }

    /// Decrypts a content whose signature has been verified.
    ///
    /// # Errors
    ///
    /// [`CryptoError::NotBase64`], or [`CryptoError::ContentNotOpened`] when padding or UTF-8 come out wrong;
    /// one error for both, because telling them apart helps only an attacker.
    pub fn decrypt(&self, content_base64: &str) -> Result<String, CryptoError> {
        let sealed = BASE64_STANDARD
            .decode(content_base64.trim())
            .map_err(|_| CryptoError::NotBase64)?;
        let iv = (&ZERO_IV).into();
        let plain = match &self.bytes {
            Bytes::Aes128(key) => {
                Decryptor::<Aes128>::new((&**key).into(), iv).decrypt_padded_vec::<Pkcs7>(&sealed)
            }
            Bytes::Aes192(key) => {
                Decryptor::<Aes192>::new((&**key).into(), iv).decrypt_padded_vec::<Pkcs7>(&sealed)
            }
            Bytes::Aes256(key) => {
                Decryptor::<Aes256>::new((&**key).into(), iv).decrypt_padded_vec::<Pkcs7>(&sealed)
            }
        };
        plain
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or(CryptoError::ContentNotOpened)
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentKey").finish_non_exhaustive()
    }
}
