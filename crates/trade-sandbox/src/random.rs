//! Randomness: one seeded generator, so that a seed reproduces a whole run.

use std::sync::{Mutex, PoisonError};

use rand_chacha::ChaCha20Rng;
use rsa::rand_core::{OsRng, RngCore, SeedableRng};

const HEX: &[u8] = b"0123456789abcdef";
const DIGITS: &[u8] = b"0123456789";
const ALNUM: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The sandbox's source of numbers, nonces and keys.
pub(crate) struct Random {
    generator: Mutex<ChaCha20Rng>,
}

impl std::fmt::Debug for Random {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Random").finish_non_exhaustive()
    }
}

impl Random {
    /// A generator that repeats for the same seed.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        let seed = seed.unwrap_or_else(|| OsRng.next_u64());
        Self {
            generator: Mutex::new(ChaCha20Rng::seed_from_u64(seed)),
        }
    }

    /// A generator of its own for a thread.
    pub(crate) fn fork(&self) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(self.number())
    }

    /// Any number.
    pub(crate) fn number(&self) -> u64 {
        self.generator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next_u64()
    }

    /// A number below `bound` (0 when the bound is 0).
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.number().checked_rem(bound).unwrap_or(0)
    }

    /// Lower-case hex digits.
    pub(crate) fn hex(&self, length: usize) -> String {
        self.text(HEX, length)
    }

    /// Decimal digits.
    pub(crate) fn digits(&self, length: usize) -> String {
        self.text(DIGITS, length)
    }

    /// ASCII letters and digits.
    pub(crate) fn alnum(&self, length: usize) -> String {
        self.text(ALNUM, length)
    }

    /// A UUID-shaped text.
    pub(crate) fn uuid(&self) -> String {
        [8, 4, 4, 4, 12].map(|length| self.hex(length)).join("-")
    }

    fn text(&self, alphabet: &[u8], length: usize) -> String {
        let bound = u64::try_from(alphabet.len()).unwrap_or(1);
        (0..length)
            .filter_map(|_| usize::try_from(self.below(bound)).ok())
            .filter_map(|index| alphabet.get(index).copied())
            .map(char::from)
            .collect()
    }
}
