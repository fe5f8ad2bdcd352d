//! Who may do what operators do.

use serde::Deserialize;
use trade_core::Secret;

/// A shorter token could be guessed.
const SHORTEST: usize = 24;

/// `[admin]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// What callers of `/trade/admin` send as `Authorization: Bearer …`. Without one the routes that start
    /// jobs are closed, and the others are open to whoever reaches them.
    pub token: Option<Secret>,
}

impl Admin {
    pub(super) fn check(&self, wrong: &mut Vec<String>) {
        if let Some(token) = &self.token
            && token.expose().len() < SHORTEST
        {
            wrong.push(format!(
                "admin.token: is shorter than {SHORTEST} characters and could be guessed; `openssl rand -hex 32` makes a good one"
            ));
        }
    }
}
