//! Nothing is changed for another site: browsers say where a request comes from.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{envelope::Failed, language::Lang};
use crate::error::OrderError;

/// Refuses a request that changes something when a browser sends it from another site. Programs that are
/// no browsers send neither header and are known by other means.
pub(super) async fn same_site(lang: Lang, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && is_foreign(request.headers()) {
        return Failed::new(OrderError::OtherSite, lang).into_response();
    }
    next.run(request).await
}

fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else {
        return false;
    };
    let host = text(header::HOST.as_str()).unwrap_or_default();
    origin.split_once("://").is_none_or(|(_, from)| from != host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_site_and_programs_change_something() {
        let table: [(&[(&str, &str)], bool); 8] = [
            (&[], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("origin", "http://shop:80"), ("host", "shop:80")], false),
            (&[("origin", "http://evil"), ("host", "shop:80")], true),
            (&[("origin", "null"), ("host", "shop:80")], true),
        ];
        for (lines, foreign) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                let name: header::HeaderName = name.parse().unwrap();
                headers.insert(name, value.parse().unwrap());
            }
            assert_eq!(is_foreign(&headers), foreign, "{lines:?}");
        }
    }
}
