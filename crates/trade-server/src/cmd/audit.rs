//! `trade audit`: whether the tables still say what they must.

use std::{path::Path, process::ExitCode};

use super::{Failure, show, store};

/// The store could not be looked at: something else than a finding.
const NOT_OPENED: u8 = 2;

pub(super) async fn run(config: Option<&Path>) -> Result<ExitCode, Failure> {
    let store = match store::open_to_read(config).await {
        Ok(store) => store,
        Err(failure) => {
            show::show_failure(&failure);
            return Ok(ExitCode::from(NOT_OPENED));
        }
    };
    let audit = store.audit().await?;
    for violation in &audit.violations {
        let numbers: Vec<_> = violation.numbers.iter().map(i64::to_string).collect();
        let more = if violation.more { " and more" } else { "" };
        let (invariant, kind) = (violation.invariant, violation.kind);
        show::line(format!("{invariant}: {kind} {}{more}", numbers.join(", ")));
    }
    if audit.violations.is_empty() {
        show::line(format!("all {} invariants hold", audit.checked));
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}
