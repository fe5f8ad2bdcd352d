//! Stores that break one promise each: the suite must find every one of them out.

mod outbox;
mod record;
mod refund;
mod trading;

use std::sync::Arc;

use trade_core::memory::MemoryStore;
use trade_testkit::contract::store::{self, Store};

/// What a mutant does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    ForgetsAField,
    SecondLiveTradingAccepted,
    StaleCommitAccepted,
    WinnerOverwritten,
    ClaimAlwaysWon,
    DueKindsMixed,
    LimitIgnored,
    JournalBackwards,
    RefundNotCovered,
    RefundNumberReused,
    EventsOvertake,
    ClaimForgotten,
    SentComesBack,
    RefusalForgotten,
    StuckIsOffered,
    ResendForgotten,
    NoticeAlwaysNew,
    MarkAlwaysMoved,
    PositionForgotten,
    SurplusRefundDropped,
    RefundTurnIgnored,
    ProductRefundNumberReused,
    SoleRefundDoubled,
    RefundFilterIgnored,
    LateSuccessNotCovered,
    RefundJournalForgotten,
    EventsOfAllOrders,
    NoticesForgotten,
    CallsUnordered,
    PruneLimitIgnored,
    KeyAlwaysYours,
    AnswerForgotten,
    LeaseNeverEnds,
    CensusFrozen,
}

const FAULTS: [Fault; 34] = [
    Fault::ForgetsAField,
    Fault::SecondLiveTradingAccepted,
    Fault::StaleCommitAccepted,
    Fault::WinnerOverwritten,
    Fault::ClaimAlwaysWon,
    Fault::DueKindsMixed,
    Fault::LimitIgnored,
    Fault::JournalBackwards,
    Fault::RefundNotCovered,
    Fault::RefundNumberReused,
    Fault::EventsOvertake,
    Fault::ClaimForgotten,
    Fault::SentComesBack,
    Fault::RefusalForgotten,
    Fault::StuckIsOffered,
    Fault::ResendForgotten,
    Fault::NoticeAlwaysNew,
    Fault::MarkAlwaysMoved,
    Fault::PositionForgotten,
    Fault::SurplusRefundDropped,
    Fault::RefundTurnIgnored,
    Fault::ProductRefundNumberReused,
    Fault::SoleRefundDoubled,
    Fault::RefundFilterIgnored,
    Fault::LateSuccessNotCovered,
    Fault::RefundJournalForgotten,
    Fault::EventsOfAllOrders,
    Fault::NoticesForgotten,
    Fault::CallsUnordered,
    Fault::PruneLimitIgnored,
    Fault::KeyAlwaysYours,
    Fault::AnswerForgotten,
    Fault::LeaseNeverEnds,
    Fault::CensusFrozen,
];

#[derive(Debug)]
struct Mutant {
    fault: Fault,
    inner: MemoryStore,
}

impl Mutant {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_every_mutant_out() {
    for fault in FAULTS {
        let mut found = Vec::new();
        for promise in store::promises() {
            let inner = MemoryStore::default();
            let mutant: Store = Arc::new(Mutant { fault, inner });
            if promise.check(mutant).await.is_err() {
                found.push(promise.name());
            }
        }
        assert!(!found.is_empty(), "{fault:?} passes the whole suite");
        assert!(
            found.len() < store::promises().len(),
            "{fault:?} breaks everything"
        );
    }
}
