//! Whether a form was sent by one of our own pages. Two checks, each of which is enough for today's browsers: where
//! the browser says that the request comes from, and a token that only our pages know.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap};
use subtle::ConstantTimeEq;
use url::Url;

use crate::service::Code;
use crate::web::problem::Problem;
use crate::web::state::AppState;

/// Refuses what comes from another site, as `Sec-Fetch-Site` (Fetch Metadata) and `Origin` (RFC 6454) tell. A client
/// that sends neither is no browser, or an old one: for it there is the token.
pub(super) fn check(request: &HttpRequest, state: &AppState) -> Result<(), Problem> {
    if is_own(request.headers(), &state.public_url) { Ok(()) } else { Err(foreign()) }
}

/// Compares the token of a form with the one that it was given, without telling by the time how much of it fits.
pub(super) fn check_token(given: &str, wanted: &str) -> Result<(), Problem> {
    if bool::from(given.as_bytes().ct_eq(wanted.as_bytes())) { Ok(()) } else { Err(foreign()) }
}

/// Whether a browser tells that a form comes from a page of ours: for what is shown without a token to compare.
pub(super) fn is_told(request: &HttpRequest, state: &AppState) -> bool {
    let told =
        request.headers().contains_key("sec-fetch-site") || request.headers().contains_key(header::ORIGIN);
    told && is_own(request.headers(), &state.public_url)
}

/// Why the token of a form is not that of its browser, where the console is for https and was opened without: browsers
/// then keep none of its cookies (RFC 6265bis, section 5.7).
pub(super) fn without_cookies(request: &HttpRequest, state: &AppState) -> Option<Problem> {
    let origin = request.headers().get(header::ORIGIN)?.as_bytes();
    (state.is_https() && origin.starts_with(b"http://")).then(|| {
        let detail = format!(
            "this page was opened over http, where a browser keeps no session of this console; open {} instead",
            state.public_url
        );
        Problem::new(Code::ForeignForm, detail)
    })
}

fn foreign() -> Problem {
    let detail = "the form was not sent by a page of this console, or the page is older than your session; \
                  load the page again and repeat";
    Problem::new(Code::ForeignForm, detail)
}

fn is_own(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("null"));
    if text(header::HeaderName::from_static("sec-fetch-site")).is_some_and(|site| site != "same-origin") {
        return false;
    }
    let Some(origin) = text(header::ORIGIN) else { return true };
    if origin == public_url {
        return true;
    }
    // A proxy in front may have changed the scheme; the host is what the browser has dialled.
    let (Ok(origin), Some(host)) = (Url::parse(origin), text(header::HOST)) else { return false };
    let Ok(own) = Url::parse(&format!("{}://{host}/", origin.scheme())) else { return false };
    origin.host().is_some() && origin.host() == own.host() && origin.port() == own.port()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn own(pairs: &[(&'static str, &str)]) -> bool {
        let mut request = TestRequest::post();
        for pair in pairs {
            request = request.insert_header(*pair);
        }
        is_own(request.to_http_request().headers(), "https://hooks.example.com")
    }

    #[test]
    fn a_page_of_another_site_is_refused_by_either_header() {
        for pairs in [
            [("sec-fetch-site", "cross-site"), ("host", "h.example")],
            [("sec-fetch-site", "same-site"), ("host", "h.example")],
            [("sec-fetch-site", "none"), ("host", "h.example")],
            [("origin", "https://evil.example"), ("host", "h.example")],
            [("origin", "http://h.example:81"), ("host", "h.example")],
            [("origin", "null"), ("host", "h.example")],
            [("origin", "https://h.example.evil.example"), ("host", "h.example")],
        ] {
            assert!(!own(&pairs), "{pairs:?}");
        }
    }

    #[test]
    fn our_own_pages_are_taken_by_the_host_that_was_dialled_or_the_public_url() {
        for pairs in [
            [("origin", "http://127.0.0.1:8383"), ("host", "127.0.0.1:8383")],
            [("origin", "https://h.example"), ("host", "h.example")],
            [("origin", "https://hooks.example.com"), ("host", "127.0.0.1:8383")],
            [("sec-fetch-site", "same-origin"), ("host", "h.example")],
        ] {
            assert!(own(&pairs), "{pairs:?}");
        }
        assert!(own(&[]));
    }

    #[test]
    fn a_token_fits_as_a_whole_or_not_at_all() {
        assert!(check_token("abc", "abc").is_ok());
        for bad in ["", "ab", "abd", "abcd"] {
            assert!(check_token(bad, "abc").is_err(), "{bad}");
        }
    }
}
