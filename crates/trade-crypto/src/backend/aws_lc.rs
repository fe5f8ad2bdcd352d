//! RSA by AWS-LC, through `aws-lc-rs`.

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    rsa::{
        OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
        PublicEncryptingKey,
    },
    signature::{
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use zeroize::Zeroizing;

use super::{Hash, Rejected};

/// An RSA private key.
#[derive(Debug)]
pub struct Private {
    sign: RsaKeyPair,
    decrypt: OaepPrivateDecryptingKey,
}

impl Private {
    /// Takes the key out of unencrypted PKCS#8 DER and checks that its numbers belong together.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when they do not.
    pub fn from_pkcs8(der: &[u8]) -> Result<Private, Rejected> {
        let sign = RsaKeyPair::from_pkcs8(der).map_err(|_| Rejected)?;
        let decrypt = PrivateDecryptingKey::from_pkcs8(der).map_err(|_| Rejected)?;
        let decrypt = OaepPrivateDecryptingKey::new(decrypt).map_err(|_| Rejected)?;
        Ok(Private { sign, decrypt })
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 over `message`.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when the library fails inside.
    pub fn sign_sha256(&self, message: &[u8]) -> Result<Vec<u8>, Rejected> {
        let mut signature = vec![0; self.sign.public_modulus_len()];
        self.sign
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| Rejected)?;
        Ok(signature)
    }

    /// RSAES-OAEP with SHA-1, MGF1 with SHA-1 and an empty label.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when the ciphertext was not made for this key.
    pub fn decrypt_oaep_sha1(&self, ciphertext: &[u8]) -> Result<Vec<u8>, Rejected> {
        let mut buffer = Zeroizing::new(vec![0; self.decrypt.min_output_size()]);
        self.decrypt
            .decrypt(&OAEP_SHA1_MGF1SHA1, ciphertext, &mut buffer, None)
            .map(|plain| plain.to_vec())
            .map_err(|_| Rejected)
    }
}

/// An RSA public key.
#[derive(Debug)]
pub struct Public {
    verify_sha256: ParsedPublicKey,
    verify_sha1: ParsedPublicKey,
    encrypt: OaepPublicEncryptingKey,
}

impl Public {
    /// Takes the key out of SPKI DER.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when the numbers cannot be an RSA key.
    pub fn from_spki(der: &[u8]) -> Result<Public, Rejected> {
        let verify_sha256 = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).map_err(|_| Rejected)?;
        let verify_sha1 =
            ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, der).map_err(|_| Rejected)?;
        let encrypt = PublicEncryptingKey::from_der(der).map_err(|_| Rejected)?;
        let encrypt = OaepPublicEncryptingKey::new(encrypt).map_err(|_| Rejected)?;
        Ok(Public {
            verify_sha256,
            verify_sha1,
            encrypt,
        })
    }

    /// Checks an RSASSA-PKCS1-v1_5 signature of `message`.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when it is not one by this key.
    pub fn verify(&self, hash: Hash, message: &[u8], signature: &[u8]) -> Result<(), Rejected> {
        let key = match hash {
            Hash::Sha256 => &self.verify_sha256,
            Hash::Sha1 => &self.verify_sha1,
        };
        key.verify_sig(message, signature).map_err(|_| Rejected)
    }

    /// RSAES-OAEP with SHA-1, MGF1 with SHA-1 and an empty label.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when `plain` is longer than the key can carry.
    pub fn encrypt_oaep_sha1(&self, plain: &[u8]) -> Result<Vec<u8>, Rejected> {
        let mut ciphertext = vec![0; self.encrypt.ciphertext_size()];
        let length = self
            .encrypt
            .encrypt(&OAEP_SHA1_MGF1SHA1, plain, &mut ciphertext, None)
            .map_err(|_| Rejected)?
            .len();
        ciphertext.truncate(length);
        Ok(ciphertext)
    }
}

/// SHA-256 of `data`.
#[must_use]
pub fn sha256(data: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, data).as_ref().to_vec()
}
