//! How every write runs: one transaction, in a task of its own.

use std::fmt::Debug;

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use tracing::Instrument;
use trade_core::port::StoreError;

use crate::{engine::Patient, fault::Fault};

/// How often a write is tried when a unique constraint refused it for a row that is gone a moment later,
/// or when the engine rolled it back for the sake of another.
const TRIES: u32 = 10;

/// What is to become of a transaction, and what is answered then.
#[derive(Debug)]
pub(crate) enum Verdict<T> {
    /// It is committed.
    Commit(T),
    /// It is rolled back: nothing of it was written.
    RollBack(T),
}

/// One write.
#[async_trait]
pub(crate) trait Write: Debug + Send + Sync + 'static {
    /// What the caller is told.
    type Outcome: Send + 'static;

    /// What it does, as in "the store failed to …".
    const OPERATION: &'static str;

    /// Does the work. It may run again, so all it decides on is read in `tx`.
    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<Self::Outcome>, Fault>;

    /// What it means that a unique constraint refused the write, read from the rows after it was rolled
    /// back. `None`: nothing a caller can act on. The constraint is the judge, whoever raced; the rows
    /// only tell which one it was, which no engine does in a form that programs can read.
    async fn explain(&self, connection: &DatabaseConnection) -> Result<Option<Self::Outcome>, Fault>;
}

/// Runs a write to its end, even if the caller does not wait for it.
///
/// # Errors
/// It was not committed, or it is not known whether it was.
pub(crate) async fn execute<W: Write>(writer: &Patient, work: W) -> Result<W::Outcome, StoreError> {
    let writer = writer.clone();
    let task = tokio::spawn(async move { explained(&writer, &work).await }.in_current_span());
    let outcome = task.await.map_err(Fault::Task).and_then(|outcome| outcome);
    outcome.map_err(|fault| fault.during(W::OPERATION))
}

async fn explained<W: Write>(writer: &Patient, work: &W) -> Result<W::Outcome, Fault> {
    let mut tries = 0;
    loop {
        tries += 1;
        match once(writer, work).await {
            Err(Fault::Unique(refusal)) => {
                if let Some(outcome) = writer.patience.wait(work.explain(&writer.database())).await? {
                    return Ok(outcome);
                }
                if tries == TRIES {
                    return Err(Fault::Unique(refusal));
                }
            }
            // Nothing of it was written, and all it decides on is read anew.
            Err(Fault::Conflict(_)) if tries < TRIES => {}
            outcome => return outcome,
        }
    }
}

async fn once<W: Write>(writer: &Patient, work: &W) -> Result<W::Outcome, Fault> {
    let (tx, patience) = writer.begin().await?;
    match patience.wait(work.run(&tx)).await {
        Ok(Verdict::Commit(outcome)) => {
            patience.wait(tx.commit()).await.map_err(Fault::of_commit)?;
            Ok(outcome)
        }
        Ok(Verdict::RollBack(outcome)) => {
            patience.wait(tx.rollback()).await?;
            Ok(outcome)
        }
        // Nobody is there to roll back; dropping the transaction gives its connection up.
        Err(fault @ (Fault::Silent(_) | Fault::Gone(_))) => Err(fault),
        Err(fault) => {
            // The engine may have rolled back already; the connection is looked at before its next use.
            if let Err(error) = patience.wait(tx.rollback()).await {
                tracing::debug!(%error, "nothing was left to roll back");
            }
            Err(fault)
        }
    }
}
