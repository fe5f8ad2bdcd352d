//! Chinese unless the reader asks for English.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

/// The reader's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    /// 中文
    Chinese,
    /// English
    English,
}

/// The cookie that keeps a choice.
pub(super) const COOKIE: &str = "lang";

impl Lang {
    /// Picks one of two texts.
    pub(crate) fn choose<T>(self, (chinese, english): (T, T)) -> T {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }

    /// The same, for templates.
    pub(crate) fn t(self, chinese: &'static str, english: &'static str) -> &'static str {
        self.choose((chinese, english))
    }

    /// For the `lang` attribute.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    pub(super) fn from_code(code: &str) -> Option<Self> {
        match code.get(..2) {
            Some("zh") => Some(Self::Chinese),
            Some("en") => Some(Self::English),
            _ => None,
        }
    }

    fn of(headers: &HeaderMap) -> Self {
        let accepted = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let chosen = cookie(headers, COOKIE).and_then(|code| Self::from_code(&code));
        let first = || accepted.split(',').find_map(|code| Self::from_code(code.trim()));
        chosen.or_else(first).unwrap_or(Self::Chinese)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Lang {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// The value of a cookie.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter();
    let pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
    named
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lang(cookie: &'static str, accept: &'static str) -> Lang {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookie.parse().unwrap());
        headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
        Lang::of(&headers)
    }

    #[test]
    fn a_choice_goes_before_what_the_browser_says() {
        assert_eq!(lang("", ""), Lang::Chinese);
        assert_eq!(lang("", "en-GB,zh;q=0.5"), Lang::English);
        assert_eq!(lang("", "fr,zh-CN"), Lang::Chinese);
        assert_eq!(lang("user=1; lang=en", "zh-CN"), Lang::English);
        assert_eq!(lang("lang=é", "en"), Lang::English);
    }
}
