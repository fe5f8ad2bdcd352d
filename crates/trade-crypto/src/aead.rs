//! `AEAD_AES_256_GCM` under WeChat Pay's APIv3 key: what notifications and platform certificates arrive in.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

use crate::error::{CryptoError, KeyError};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// The APIv3 key (APIv3密钥): 32 ASCII characters set at the merchant platform, used as they are.
///
/// ```
/// use trade_crypto::aead::ApiV3Key;
///
/// let key = ApiV3Key::parse("0123456789abcdefghijklmnopqrstuv")?;
/// let sealed = key.encrypt("f00dcafe1234", "transaction", br#"{"trade_state":"SUCCESS"}"#)?;
/// assert_eq!(key.decrypt("f00dcafe1234", "transaction", &sealed)?, br#"{"trade_state":"SUCCESS"}"#);
///
/// let error = ApiV3Key::parse("0123456789").unwrap_err();
/// assert!(error.to_string().contains("this text has 10"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ApiV3Key {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl ApiV3Key {
    /// Takes the key from a text; blanks around it do not count.
    ///
    /// # Errors
    ///
    /// [`KeyError::ApiV3KeyLength`] says how long the text was, [`KeyError::ApiV3KeyCharacter`] where
    /// something else than visible ASCII stands.
    pub fn parse(text: &str) -> Result<ApiV3Key, KeyError> {
        let text = text.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
        if let Some(index) = text.chars().position(|character| !character.is_ascii_graphic()) {
            return Err(KeyError::ApiV3KeyCharacter { position: index + 1 });
        }
        let bytes = <[u8; KEY_BYTES]>::try_from(text.as_bytes())
            .map_err(|_| KeyError::ApiV3KeyLength { length: text.len() })?;
        Ok(ApiV3Key {
            bytes: Zeroizing::new(bytes),
        })
    }

    /// Opens the `ciphertext` of a `resource` or an `encrypt_certificate`: base64 of the encrypted text
    /// followed by its tag. `aad` is its `associated_data`, empty when that is missing.
    ///
    /// # Errors
    ///
    /// [`CryptoError::AeadNotOpened`] nearly always means that the key is not this merchant's current APIv3
    /// key; the other variants mean a damaged message.
    pub fn decrypt(&self, nonce: &str, aad: &str, ciphertext_base64: &str) -> Result<Vec<u8>, CryptoError> {
        let nonce = nonce_of(nonce)?;
        let ciphertext = BASE64_STANDARD
            .decode(ciphertext_base64.trim())
            .map_err(|_| CryptoError::NotBase64)?;
        if ciphertext.len() < TAG_BYTES {
            return Err(CryptoError::CiphertextTooShort {
                length: ciphertext.len(),
            });
        }
        self.cipher()
            .decrypt(
                &nonce,
                Payload {
                    msg: &ciphertext,
                    aad: aad.as_bytes(),
                },
            )
            .map_err(|_| CryptoError::AeadNotOpened)
    }

    /// Seals `plain` the way the channel does. `nonce` has 12 bytes and must never be used twice with this
    /// key.
    ///
    /// # Errors
    ///
    /// [`CryptoError::NonceLength`].
    pub fn encrypt(&self, nonce: &str, aad: &str, plain: &[u8]) -> Result<String, CryptoError> {
        let nonce = nonce_of(nonce)?;
        let ciphertext = self
            .cipher()
            .encrypt(
                &nonce,
                Payload {
                    msg: plain,
                    aad: aad.as_bytes(),
                },
            )
            .map_err(|_| CryptoError::AeadTooLong)?;
        Ok(BASE64_STANDARD.encode(ciphertext))
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.bytes).into())
    }
}

impl fmt::Debug for ApiV3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiV3Key").finish_non_exhaustive()
    }
}

fn nonce_of(text: &str) -> Result<Nonce<aes_gcm::aead::consts::U12>, CryptoError> {
    let bytes = <[u8; NONCE_BYTES]>::try_from(text.as_bytes())
        .map_err(|_| CryptoError::NonceLength { length: text.len() })?;
    Ok(bytes.into())
}
