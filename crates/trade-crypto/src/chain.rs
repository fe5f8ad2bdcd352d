//! Whether a certificate leads back to one that is trusted.

use crate::certificate::Certificate;

/// A certificate does not lead back to a trusted root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// A certificate on the way is not valid yet, or no longer.
    #[error(
        "the certificate {serial} ({subject}) is outside its validity: check this machine's clock, and \
         download the current certificate from the console"
    )]
    OutsideValidity {
        /// [`Certificate::serial_hex`].
        serial: String,
        /// [`Certificate::subject`].
        subject: String,
    },

    /// Nobody among the certificates given issued this one.
    #[error(
        "nothing given issued the certificate {serial} ({subject}); its issuer is {issuer}: add the \
         file that holds the issuer, and take roots and certificate from the same environment (Alipay's \
         sandbox issues from a root that its own bundle lacks)"
    )]
    NoIssuer {
        /// [`Certificate::serial_hex`].
        serial: String,
        /// [`Certificate::subject`].
        subject: String,
        /// [`Certificate::issuer`].
        issuer: String,
    },
}

/// Checks that `leaf` was issued, over any number of `intermediates`, by one of `roots`, and that every
/// certificate on the way is valid at `now_ms` (milliseconds since 1970 UTC).
///
/// `intermediates` may hold anything, in any order: nothing in there is trusted by itself. Passing all
/// certificates of the file that `leaf` came from is fine.
///
/// # Errors
///
/// [`ChainError`] about the certificate on the way where it went wrong.
pub fn check_chain(
    leaf: &Certificate,
    intermediates: &[Certificate],
    roots: &[Certificate],
    now_ms: i64,
) -> Result<(), ChainError> {
    let mut reached = vec![leaf];
    let mut next = 0;
    let mut failure = None;
    // Every certificate is looked at once, so certificates that issue each other do not go round.
    while let Some(current) = reached.get(next).copied() {
        next += 1;
        if !current.is_valid_at(now_ms) {
            failure = Some(outside_validity(current));
            continue;
        }
        if roots.contains(current) {
            return Ok(());
        }
        let count_before = reached.len();
        for candidate in roots.iter().chain(intermediates) {
            if !reached.contains(&candidate) && current.is_issued_by(candidate) {
                reached.push(candidate);
            }
        }
        if reached.len() == count_before && failure.is_none() {
            failure = Some(no_issuer(current));
        }
    }
    Err(failure.unwrap_or_else(|| no_issuer(leaf)))
}

fn outside_validity(certificate: &Certificate) -> ChainError {
    ChainError::OutsideValidity {
        serial: certificate.serial_hex(),
        subject: certificate.subject(),
    }
}

fn no_issuer(certificate: &Certificate) -> ChainError {
    ChainError::NoIssuer {
        serial: certificate.serial_hex(),
        subject: certificate.subject(),
        issuer: certificate.issuer(),
    }
}
