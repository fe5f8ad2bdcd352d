//! Content encryption (接口内容加密方式): AES-128 in CBC mode, PKCS#7 padding, an IV of zeros, Base64.

use aes::Aes128;
use base64::{Engine, prelude::BASE64_STANDARD};
use cbc::{
    Decryptor, Encryptor,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};

const ZERO_IV: [u8; 16] = [0; 16];

/// The ciphertext of `plain` in Base64; `None` when the key is not 16 bytes in Base64.
pub(super) fn encrypt(key: &str, plain: &str) -> Option<String> {
    let key = BASE64_STANDARD.decode(key).ok()?;
    let encryptor = Encryptor::<Aes128>::new_from_slices(&key, &ZERO_IV).ok()?;
    Some(BASE64_STANDARD.encode(encryptor.encrypt_padded_vec::<Pkcs7>(plain.as_bytes())))
}

/// The plain text of a ciphertext in Base64; `None` when the key or the ciphertext is wrong.
pub(super) fn decrypt(key: &str, encrypted: &str) -> Option<String> {
    let key = BASE64_STANDARD.decode(key).ok()?;
    let encrypted = BASE64_STANDARD.decode(encrypted).ok()?;
    let decryptor = Decryptor::<Aes128>::new_from_slices(&key, &ZERO_IV).ok()?;
    let plain = decryptor.decrypt_padded_vec::<Pkcs7>(&encrypted).ok()?;
    String::from_utf8(plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vector of Alipay's EasySDK.
    #[test]
    fn the_ciphertext_is_the_one_alipay_writes() {
        let key = "aa4BtZ4tspm2wnXLb1ThQA==";
        let encrypted = "ILpoMowjIQjfYMR847rnFQ==";
        assert_eq!(encrypt(key, "test1234567").as_deref(), Some(encrypted));
        assert_eq!(decrypt(key, encrypted).as_deref(), Some("test1234567"));
        assert_eq!(decrypt(key, "ILpoMowjIQjfYMR847rnFg=="), None);
        assert_eq!(decrypt("c2hvcnQ=", encrypted), None);
    }
}
