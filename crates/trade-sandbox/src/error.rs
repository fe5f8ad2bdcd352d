//! What can go wrong with the sandbox itself. (What goes wrong with a client's request is an answer.)

use std::{net::SocketAddr, path::PathBuf};

use crate::ledger::LedgerError;

/// The sandbox could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The address could not be listened on.
    #[error("cannot listen on {listen}: is another program using the port?")]
    Bind {
        /// The address that was asked for.
        listen: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A key or certificate could not be made.
    #[error("cannot make the {name}: {reason}")]
    Key {
        /// Which one.
        name: &'static str,
        /// What the crypto library says.
        reason: String,
    },
    /// The client that sends notices could not be built.
    #[error("cannot build the HTTP client for notices")]
    Client {
        /// The library's reason.
        source: reqwest::Error,
    },
    /// A file of the merchant's kit could not be written.
    #[error("cannot write {path}: check that the folder exists and is writable")]
    Export {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The ledger refused the act.
    #[error("the ledger refuses")]
    Ledger {
        /// Its reason.
        #[from]
        source: LedgerError,
    },
}
