//! One RSA key pair and the texts it is handed out as.

use base64::{Engine, prelude::BASE64_STANDARD};
use rand_chacha::ChaCha20Rng;
use rsa::{
    RsaPrivateKey, RsaPublicKey,
    pkcs1::EncodeRsaPrivateKey,
    pkcs1v15::{Signature, SigningKey, VerifyingKey},
    pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding},
    sha2::Sha256,
    signature::{SignatureEncoding, Signer, Verifier},
};
use sha1::Sha1;

use crate::SandboxError;

const BITS: usize = 2_048;

/// An RSA-2048 key pair with its texts, ready to hand out.
pub(crate) struct KeyPair {
    private: RsaPrivateKey,
    public: RsaPublicKey,
    spki_der: Vec<u8>,
    spki_pem: String,
    pkcs8_pem: String,
    pkcs8_der: Vec<u8>,
    pkcs1_pem: String,
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("KeyPair").finish_non_exhaustive()
    }
}

impl KeyPair {
    /// Makes a new key. Takes up to a second.
    pub(crate) fn generate(name: &'static str, mut random: ChaCha20Rng) -> Result<Self, SandboxError> {
        let private = RsaPrivateKey::new(&mut random, BITS).map_err(|error| failed(name, &error))?;
        let public = private.to_public_key();
        let spki = public.to_public_key_der().map_err(|error| failed(name, &error))?;
        let spki_pem = public
            .to_public_key_pem(LineEnding::LF)
            .map_err(|error| failed(name, &error))?;
        let pkcs8 = private.to_pkcs8_der().map_err(|error| failed(name, &error))?;
        let pkcs8_pem = private
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|error| failed(name, &error))?;
        let pkcs1_pem = private
            .to_pkcs1_pem(LineEnding::LF)
            .map_err(|error| failed(name, &error))?;
        Ok(Self {
            public,
            spki_der: spki.into_vec(),
            spki_pem,
            pkcs8_pem: pkcs8_pem.to_string(),
            pkcs8_der: pkcs8.as_bytes().to_vec(),
            pkcs1_pem: pkcs1_pem.to_string(),
            private,
        })
    }

    /// RSA PKCS#1 v1.5 with SHA-256 over `message`, in Base64.
    pub(crate) fn sign(&self, message: &[u8]) -> String {
        BASE64_STANDARD.encode(self.sign_sha256(message))
    }

    /// RSA PKCS#1 v1.5 with SHA-256 over `message`.
    pub(crate) fn sign_sha256(&self, message: &[u8]) -> Vec<u8> {
        SigningKey::<Sha256>::new(self.private.clone())
            .sign(message)
            .to_vec()
    }

    /// RSA PKCS#1 v1.5 with SHA-1 over `message`: only for the old root certificate.
    pub(crate) fn sign_sha1(&self, message: &[u8]) -> Vec<u8> {
        SigningKey::<Sha1>::new(self.private.clone())
            .sign(message)
            .to_vec()
    }

    /// The private half, for decrypting what clients encrypted to this key.
    pub(crate) fn private(&self) -> &RsaPrivateKey {
        &self.private
    }

    /// The public half.
    pub(crate) fn public(&self) -> &RsaPublicKey {
        &self.public
    }

    /// The public half as SPKI DER.
    pub(crate) fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    /// The public half as `-----BEGIN PUBLIC KEY-----`.
    pub(crate) fn spki_pem(&self) -> &str {
        &self.spki_pem
    }

    /// The public half as one line of Base64, as Alipay's key tool prints it.
    pub(crate) fn spki_base64(&self) -> String {
        BASE64_STANDARD.encode(&self.spki_der)
    }

    /// The private half as `-----BEGIN PRIVATE KEY-----`.
    pub(crate) fn pkcs8_pem(&self) -> &str {
        &self.pkcs8_pem
    }

    /// The private half as one line of Base64 (PKCS#8), as Alipay's key tool prints it.
    pub(crate) fn pkcs8_base64(&self) -> String {
        BASE64_STANDARD.encode(&self.pkcs8_der)
    }

    /// The private half as `-----BEGIN RSA PRIVATE KEY-----`.
    pub(crate) fn pkcs1_pem(&self) -> &str {
        &self.pkcs1_pem
    }
}

/// Whether `signature` (Base64) is the RSA PKCS#1 v1.5 SHA-256 signature of `message` under `key`.
pub(crate) fn verify(key: &RsaPublicKey, message: &[u8], signature: &str) -> bool {
    let Ok(bytes) = BASE64_STANDARD.decode(signature) else {
        return false;
    };
    let Ok(signature) = Signature::try_from(bytes.as_slice()) else {
        return false;
    };
    VerifyingKey::<Sha256>::new(key.clone())
        .verify(message, &signature)
        .is_ok()
}

fn failed(name: &'static str, error: &dyn std::error::Error) -> SandboxError {
    SandboxError::Key {
        name,
        reason: error.to_string(),
    }
}
