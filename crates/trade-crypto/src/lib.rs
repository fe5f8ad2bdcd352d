//! Keys as people paste them; the signatures and ciphers of WeChat Pay and Alipay.
//!
//! ```
//! use trade_crypto::{Certificate, PrivateKey, PublicKey};
//!
//! // A file name, or the text itself in whatever shape it was copied: here without armour and line breaks.
//! let ours = PrivateKey::load("tests/vectors/key_pkcs8.pem")?;
//! let pasted = std::fs::read_to_string("tests/vectors/public_spki.pem")?;
//! let pasted: String = pasted.lines().filter(|line| !line.starts_with("--")).collect();
//! let theirs = PublicKey::load(&pasted)?;
//! assert_eq!(ours.found().to_string(), "PKCS#8 private key (PEM)");
//! assert_eq!(theirs.found().to_string(), "public key (base64 without armour)");
//!
//! // RSA with SHA-256, as both channels sign.
//! let message = b"GET\n/v3/certificates\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n";
//! let signature = ours.sign_sha256(message)?;
//! theirs.verify_sha256(message, &signature)?;
//!
//! // What the channels call a certificate by.
//! let certificate = Certificate::load("tests/vectors/app.pem")?;
//! assert_eq!(certificate.serial_hex(), "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567");
//! assert_eq!(certificate.alipay_sn().len(), 32);
//!
//! // The wrong file in the wrong place is refused by its name.
//! let error = PrivateKey::load("tests/vectors/app.pem").unwrap_err();
//! assert!(error.to_string().contains("X.509 certificate (PEM)"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is here
//!
//! | need | item |
//! |---|---|
//! | sign, verify | [`PrivateKey::sign_sha256`], [`PublicKey::verify_sha256`] |
//! | WeChat Pay: notices and platform certificates | [`aead::ApiV3Key`] |
//! | WeChat Pay: sensitive fields | [`PublicKey::encrypt_oaep_sha1`], [`PrivateKey::decrypt_oaep_sha1`] |
//! | WeChat Pay: serials | [`Certificate::serial_hex`] to send, [`normalise_serial`] to compare |
//! | Alipay: encrypted contents | [`content::ContentKey`] |
//! | Alipay: certificate mode | [`Certificate::alipay_sn`], [`alipay_root_cert_sn`], [`check_chain`] |
//!
//! Nothing here reads the clock, opens a socket or logs.
//!
//! # Secrets
//!
//! [`PrivateKey`], [`aead::ApiV3Key`] and [`content::ContentKey`] have no `Display` and a `Debug` without
//! their content, no error repeats a key, and buffers that held one are wiped.
//!
//! ```compile_fail
//! # let key = trade_crypto::PrivateKey::load("tests/vectors/key_pkcs8.pem").unwrap();
//! println!("{key}");
//! ```
//!
//! # Features
//!
//! - `aws-lc` (default): RSA by AWS-LC, at the speed of OpenSSL. Needs a C compiler.
//! - `rustcrypto`: RSA by the `rsa` crate, in Rust alone. With `aws-lc` on as well, that one is used.

#[cfg(not(any(feature = "aws-lc", feature = "rustcrypto")))]
compile_error!(
    "trade-crypto needs an RSA implementation: leave its default feature `aws-lc` on, or turn on \
     `rustcrypto` for a build without a C compiler."
);

pub mod aead;
mod alipay_sn;
pub mod backend;
mod certificate;
mod chain;
pub mod content;
mod der;
mod error;
mod found;
mod private_key;
mod public_key;
mod serial;
mod source;
mod text;

pub use alipay_sn::alipay_root_cert_sn;
pub use certificate::Certificate;
pub use chain::{ChainError, check_chain};
pub use error::{BITS_MAX, BITS_MIN, CryptoError, KeyError};
pub use found::{Algorithm, Found, Wanted};
pub use private_key::PrivateKey;
pub use public_key::PublicKey;
pub use serial::normalise_serial;
