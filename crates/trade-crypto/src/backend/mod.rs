//! The two RSA implementations, of one shape, so that either can stand in for the other.
//!
//! [`crate::PrivateKey`] and [`crate::PublicKey`] use `aws_lc` where that feature is on, otherwise
//! `rust_crypto`. Both stay reachable here when both features are on, so that a test can hold one against the
//! other; a program has no reason to call this module.
//!
//! A backend takes canonical DER only (PKCS#8 for a private key, SPKI for a public one). Which text it came
//! from, and whether its size is acceptable, has been settled before.

#[cfg(feature = "aws-lc")]
pub mod aws_lc;
#[cfg(feature = "rustcrypto")]
pub mod rust_crypto;

#[cfg(feature = "aws-lc")]
pub(crate) use aws_lc::{Private, Public, sha256};
#[cfg(all(feature = "rustcrypto", not(feature = "aws-lc")))]
pub(crate) use rust_crypto::{Private, Public, sha256};

/// The hash under an RSASSA-PKCS1-v1_5 signature that is to be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256: every message of both channels, and today's certificates.
    Sha256,
    /// SHA-1: the signatures of some old certificates, never of a message.
    Sha1,
}

/// A backend refused: a key that is not a key, a signature that does not fit, a ciphertext that does not
/// open.
///
/// It carries no reason: telling reasons apart is what padding oracles are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected;
