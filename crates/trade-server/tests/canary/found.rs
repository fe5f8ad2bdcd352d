//! Searching what was said.

use base64::{Engine, engine::general_purpose::STANDARD};

/// Texts that must not be found, in every spelling they may be found in.
pub(crate) struct Canaries(Vec<String>);

impl Canaries {
    pub(crate) fn of(secrets: impl IntoIterator<Item = &'static str>) -> Self {
        let mut canaries = Self(Vec::new());
        for secret in secrets {
            canaries.plant(secret);
        }
        canaries
    }

    /// A secret, or each line of one that has many: the lines of a key in the middle are its own.
    pub(crate) fn plant(&mut self, secret: &str) {
        let lines: Vec<_> = secret.lines().filter(|line| !line.starts_with("-----")).collect();
        let own = match lines.as_slice() {
            [line] if line.len() > 200 => vec![&line[100..140]],
            [line] => vec![*line],
            lines => lines[2..lines.len() - 1].to_vec(),
        };
        assert!(!own.is_empty());
        for part in own {
            assert!(part.len() >= 20, "{part} may be found by chance");
            self.0.push(part.to_owned());
            // The first characters of Base64 do not depend on what follows.
            self.0.push(STANDARD.encode(part)[..24].to_owned());
            let bytes = format!("{:?}", &part.as_bytes()[..16]);
            self.0.push(bytes.trim_matches(['[', ']']).to_owned());
        }
    }

    pub(crate) fn not_in(&self, place: &str, text: &str) {
        assert!(!text.is_empty(), "{place} is empty");
        for canary in &self.0 {
            if let Some(at) = text.find(canary) {
                let from = (0..=at.saturating_sub(200))
                    .rev()
                    .find(|from| text.is_char_boundary(*from));
                let around: String = text[from.unwrap()..].chars().take(500).collect();
                panic!("{canary} is in {place}: …{around}…");
            }
        }
    }
}
