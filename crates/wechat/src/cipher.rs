//! Opening what WeChat Pay seals with the APIv3 key: notices and platform certificates.

use trade_crypto::{CryptoError, aead::ApiV3Key};

use crate::wire::Resource;

const ALGORITHM: &str = "AEAD_AES_256_GCM";
/// What nearly always is the matter when the tag does not fit.
pub(crate) const WRONG_KEY: &str = "the configured APIv3 key does not open it: it was reset on the merchant \
                                    platform, is the one of another mchid, or is the v2 API key; set the \
                                    APIv3 key of this mchid (账户中心 > API安全 > APIv3密钥)";

/// Why something sealed could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Sealed {
    #[error("it is sealed with the unknown algorithm `{0}`: only {ALGORITHM} is spoken here")]
    Algorithm(String),
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

pub(crate) fn open(key: &ApiV3Key, sealed: &Resource) -> Result<Vec<u8>, Sealed> {
    if sealed.algorithm != ALGORITHM {
        return Err(Sealed::Algorithm(sealed.algorithm.chars().take(32).collect()));
    }
    // Missing and null mean the same as empty.
    let associated = sealed.associated_data.as_deref().unwrap_or_default();
    Ok(key.decrypt(&sealed.nonce, associated, &sealed.ciphertext)?)
}
