//! The one place that writes to the terminal.

use std::io::Write;

use super::Failure;

/// Writes a line to standard output; a reader that went away is no reason to fail.
pub(super) fn line(text: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", text.as_ref());
    let _ = out.flush();
}

/// Writes why a command failed, with its causes, to standard error.
pub fn show_failure(failure: &Failure) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "error: {failure}");
    let mut source = failure.source();
    while let Some(cause) = source {
        let _ = writeln!(out, "  because: {cause}");
        source = cause.source();
    }
}
