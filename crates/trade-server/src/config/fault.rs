//! Why settings cannot be read, without quoting them: the line or value at fault may hold a secret.

use config::ConfigError;

/// What is wrong and where, in one line.
pub(super) fn describe(error: &ConfigError) -> String {
    match error {
        ConfigError::FileParse { uri, cause } => {
            let file = uri.as_ref().map_or_else(String::new, |uri| format!("{uri}: "));
            match cause.downcast_ref::<toml::de::Error>() {
                // Of its own text only the first line, which tells the place; the others show it.
                Some(error) => {
                    let text = error.to_string();
                    let place = text.lines().next().unwrap_or_default();
                    format!("{file}{place}: {}", error.message())
                }
                None => format!("{file}{cause}"),
            }
        }
        ConfigError::Type {
            origin,
            unexpected,
            expected,
            key,
        } => {
            let unexpected = unexpected.to_string();
            let found = if unexpected.starts_with("string") {
                "a text"
            } else {
                &unexpected
            };
            let what = format!("invalid type: {found}, expected {expected}");
            at(&what, key.as_deref(), origin.as_deref())
        }
        ConfigError::At { error, origin, key } => at(&describe(error), key.as_deref(), origin.as_deref()),
        other => other.to_string(),
    }
}

fn at(what: &str, key: Option<&str>, origin: Option<&str>) -> String {
    let what = key.map_or_else(|| what.to_owned(), |key| format!("{what} for key `{key}`"));
    origin.map_or_else(|| what.clone(), |origin| format!("{what} in {origin}"))
}
