//! HTML that is escaped by construction: text becomes [`Html`] only through [`Html::text`].

/// Markup that is safe to put into a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

impl Html {
    /// Text from anywhere, for an element's content or a quoted attribute.
    pub(crate) fn text(text: &str) -> Self {
        let mut safe = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                '&' => safe.push_str("&amp;"),
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '"' => safe.push_str("&quot;"),
                '\'' => safe.push_str("&#39;"),
                other => safe.push(other),
            }
        }
        Self(safe)
    }

    /// Markup of our own. `'static` keeps other people's text out.
    pub(crate) fn markup(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// A template of our own: each `{{name}}` becomes its value, an unknown name becomes nothing. Values are not
    /// searched for names again.
    pub(crate) fn fill(template: &'static str, values: &[(&str, Self)]) -> Self {
        let mut parts = template.split("{{");
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once("}}").unwrap_or(("", part));
            if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
                filled.push_str(&value.0);
            }
            filled.push_str(rest);
        }
        Self(filled)
    }

    /// The markup, for the wire.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<T: IntoIterator<Item = Html>>(pieces: T) -> Self {
        Self(pieces.into_iter().map(|piece| piece.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let text = "<script>alert('x' & \"y\")</script>";
        let safe = "&lt;script&gt;alert(&#39;x&#39; &amp; &quot;y&quot;)&lt;/script&gt;";
        assert_eq!(Html::text(text).into_string(), safe);
    }

    #[test]
    fn a_template_takes_values_once() {
        let values = [("a", Html::text("{{b}}")), ("b", Html::markup("<b>"))];
        let filled = Html::fill("1 {{a}} {{b}} {{c}}2", &values);
        assert_eq!(filled.into_string(), "1 {{b}} <b> 2");
    }
}
