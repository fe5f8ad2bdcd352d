//! The text that is signed of a request.

use std::collections::BTreeMap;

/// Parameters by name, in the byte order Alipay sorts by.
pub(crate) type Parameters = BTreeMap<&'static str, String>;

/// All parameters but `sign`, sorted, as `key=value` joined by `&`, values as they are. Parameters
/// without a value are not sent at all, so nobody can differ about them.
pub(crate) fn message(parameters: &Parameters) -> String {
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}
