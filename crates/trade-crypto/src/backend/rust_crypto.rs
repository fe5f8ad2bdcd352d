//! RSA in Rust alone, by the `rsa` crate.
//!
//! RUSTSEC-2023-0071: the private operations of `rsa` 0.9 do not run in constant time. Blinding hides what
//! the time tells, so this module calls only those entry points that take a random number generator.

use std::fmt;

use rsa::{
    Oaep, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey,
    pkcs1v15::SigningKey,
    pkcs8::{DecodePrivateKey, DecodePublicKey},
    rand_core::OsRng,
    signature::{RandomizedSigner, SignatureEncoding},
};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{Hash, Rejected};

/// An RSA private key.
pub struct Private {
    sign: SigningKey<Sha256>,
    decrypt: RsaPrivateKey,
}

// Written by hand because the derived one of `rsa` prints the key.
impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Private").finish_non_exhaustive()
    }
}

impl Private {
    /// Takes the key out of unencrypted PKCS#8 DER and checks that its numbers belong together.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when they do not.
    pub fn from_pkcs8(der: &[u8]) -> Result<Private, Rejected> {
        let decrypt = RsaPrivateKey::from_pkcs8_der(der).map_err(|_| Rejected)?;
        Ok(Private {
            sign: SigningKey::new(decrypt.clone()),
            decrypt,
        })
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 over `message`, blinded.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when the library fails inside.
    pub fn sign_sha256(&self, message: &[u8]) -> Result<Vec<u8>, Rejected> {
        let signature = self
            .sign
            .try_sign_with_rng(&mut OsRng, message)
            .map_err(|_| Rejected)?;
        Ok(signature.to_vec())
    }

    /// RSAES-OAEP with SHA-1, MGF1 with SHA-1 and an empty label, blinded.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when the ciphertext was not made for this key.
    pub fn decrypt_oaep_sha1(&self, ciphertext: &[u8]) -> Result<Vec<u8>, Rejected> {
        self.decrypt
            .decrypt_blinded(&mut OsRng, Oaep::new::<Sha1>(), ciphertext)
            .map_err(|_| Rejected)
    }
}

/// An RSA public key.
#[derive(Debug)]
pub struct Public {
    key: RsaPublicKey,
}

impl Public {
    /// Takes the key out of SPKI DER.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when the numbers cannot be an RSA key.
    pub fn from_spki(der: &[u8]) -> Result<Public, Rejected> {
        let key = RsaPublicKey::from_public_key_der(der).map_err(|_| Rejected)?;
        Ok(Public { key })
    }

    /// Checks an RSASSA-PKCS1-v1_5 signature of `message`.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when it is not one by this key.
    pub fn verify(&self, hash: Hash, message: &[u8], signature: &[u8]) -> Result<(), Rejected> {
        let verdict = match hash {
            Hash::Sha256 => {
                self.key
                    .verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature)
            }
            Hash::Sha1 => self
                .key
                .verify(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(message), signature),
        };
        verdict.map_err(|_| Rejected)
    }

    /// RSAES-OAEP with SHA-1, MGF1 with SHA-1 and an empty label.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when `plain` is longer than the key can carry.
    pub fn encrypt_oaep_sha1(&self, plain: &[u8]) -> Result<Vec<u8>, Rejected> {
        self.key
            .encrypt(&mut OsRng, Oaep::new::<Sha1>(), plain)
            .map_err(|_| Rejected)
    }
}

/// SHA-256 of `data`.
#[must_use]
pub fn sha256(data: &[u8]) -> Vec<u8> {
    Sha256::digest(data).to_vec()
}
