//! An error with everything that caused it.

use std::error::Error;

/// The error and its causes in one line, for logs and for whoever starts the server.
pub(crate) fn one_line(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line = format!("{line}: {cause}");
        source = cause.source();
    }
    line
}
