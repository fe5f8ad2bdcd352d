//! What can be made wrong with the service, to prove that the simulation notices.

use std::fmt;

#[cfg(feature = "mutants")]
use trade_core::guard::{self, Guard};

use super::world::State;

/// Something that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A guard of trade-core is switched off.
    #[cfg(feature = "mutants")]
    Without(Guard),
    /// A placing that is repeated gets a new number.
    NewTradeNumber,
    /// A refund that is repeated gets a new number.
    NewRefundNumber,
}

impl Flaw {
    /// Every flaw there is.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = Self::of_guards();
        all.extend([Self::NewTradeNumber, Self::NewRefundNumber]);
        all
    }

    #[cfg(feature = "mutants")]
    fn of_guards() -> Vec<Self> {
        Guard::ALL.map(Self::Without).to_vec()
    }

    #[cfg(not(feature = "mutants"))]
    fn of_guards() -> Vec<Self> {
        Vec::new()
    }

    /// Makes it wrong in this thread until what it returns is dropped.
    pub(super) fn begin(self) -> Begun {
        #[cfg(feature = "mutants")]
        if let Self::Without(guard) = self {
            guard::switch_off(Some(guard));
        }
        Begun
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "mutants")]
            Self::Without(guard) => write!(f, "{guard:?}"),
            Self::NewTradeNumber | Self::NewRefundNumber => write!(f, "{self:?}"),
        }
    }
}

/// All is right again when this is dropped.
#[derive(Debug)]
pub(super) struct Begun;

impl Drop for Begun {
    fn drop(&mut self) {
        #[cfg(feature = "mutants")]
        guard::switch_off(None);
    }
}

impl State {
    /// What a service with that flaw adds to the number of a request; a sound one never does.
    pub(super) fn another_number(&mut self, flaw: Flaw) -> Option<i64> {
        (self.flaw == Some(flaw)).then(|| {
            self.renumbered += 1;
            self.renumbered
        })
    }
}
