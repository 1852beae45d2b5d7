//! Cookies: the session, the token of forms before there is one, the look, and a notice for the next page.

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

/// What each of them holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The session's text.
    Session,
    /// A random text from which the tokens of the forms of strangers are made.
    Form,
    /// `light` or `dark`.
    Theme,
    /// A sentence for the next page.
    Notice,
}

impl Kind {
    /// Behind https a browser takes a `__Host-` cookie from this very host only (RFC 6265bis, section 4.1.3.2).
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-postrider-session",
            (Self::Session, false) => "postrider-session",
            (Self::Form, true) => "__Host-postrider-form",
            (Self::Form, false) => "postrider-form",
            (Self::Theme, true) => "__Host-postrider-theme",
            (Self::Theme, false) => "postrider-theme",
            (Self::Notice, true) => "__Host-postrider-notice",
            (Self::Notice, false) => "postrider-notice",
        }
    }

    /// How long a browser keeps it; `None`: until it is closed.
    fn age(self) -> Option<Duration> {
        match self {
            // As long as a session lasts at most: the server ends it earlier.
            Self::Session => Some(Duration::days(30)),
            Self::Form => None,
            Self::Theme => Some(Duration::days(365)),
            Self::Notice => Some(Duration::minutes(1)),
        }
    }
}

/// What a request brings. Whatever stands beside it: other programs on the same host set cookies as they like (RFC 6265,
/// section 5.4), and none of theirs signs anybody out here.
pub(super) fn read(request: &HttpRequest, kind: Kind, secure: bool) -> Option<String> {
    let name = kind.name(secure).as_bytes();
    let lines = request.headers().get_all(header::COOKIE);
    let mut pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.find_map(|pair| {
        let value = pair.trim_ascii().strip_prefix(name)?.strip_prefix(b"=")?;
        let text = percent_decode(value).decode_utf8().ok()?;
        (!text.is_empty()).then(|| text.into_owned())
    })
}

/// Sets one; an empty text removes it.
pub(super) fn set(response: &mut HttpResponse, kind: Kind, text: &str, secure: bool) {
    let value = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut cookie = Cookie::new(kind.name(secure), value);
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(secure);
    if text.is_empty() {
        cookie.set_max_age(Duration::ZERO);
    } else if let Some(age) = kind.age() {
        cookie.set_max_age(age);
    }
    // The name and the value are of ASCII letters, digits and a few signs: a header can always hold them.
    if let Err(error) = response.add_cookie(&cookie) {
        tracing::error!(%error, ?kind, "a cookie cannot be set");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn line(kind: Kind, text: &str, secure: bool) -> String {
        let mut response = HttpResponse::Ok().finish();
        set(&mut response, kind, text, secure);
        response.headers().get(header::SET_COOKIE).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn behind_https_a_cookie_is_of_this_host_alone() {
        let line = line(Kind::Session, "abc", true);
        assert!(
            line.starts_with("__Host-postrider-session=abc; HttpOnly; SameSite=Lax; Secure; Path=/"),
            "{line}"
        );
        assert!(!line.contains("Domain"), "{line}");
    }

    #[test]
    fn without_https_it_has_no_secure_flag_and_all_else() {
        let line = line(Kind::Session, "abc", false);
        assert!(line.starts_with("postrider-session=abc; HttpOnly; SameSite=Lax; Path=/"), "{line}");
        assert!(!line.contains("Secure"), "{line}");
    }

    #[test]
    fn any_text_comes_back_as_it_was() {
        for text in ["Enabled; 3 % are \"held\"", "größer\r\nSet-Cookie: x=1"] {
            let line = line(Kind::Notice, text, false);
            assert!(!line.contains('\n'), "{line}");
            let pair = line.split(';').next().unwrap().to_owned();
            let request = TestRequest::default().insert_header((header::COOKIE, pair)).to_http_request();
            assert_eq!(read(&request, Kind::Notice, false).as_deref(), Some(text));
        }
    }

    #[test]
    fn cookies_of_others_are_no_business_of_ours() {
        let read = |line: &[u8]| {
            let value = header::HeaderValue::from_bytes(line).unwrap();
            let request = TestRequest::default().insert_header((header::COOKIE, value)).to_http_request();
            read(&request, Kind::Session, false)
        };
        for line in [
            &b"x=\xff\xfe; postrider-session=abc"[..],
            b"novalue; postrider-session=abc",
            b";;=;postrider-session=abc;y=\"%ff\"",
            b"postrider-session=%ff; postrider-session=abc",
            b"my-postrider-session=no; postrider-session2=no; postrider-session=abc",
        ] {
            assert_eq!(read(line).as_deref(), Some("abc"), "{}", line.escape_ascii());
        }
        assert_eq!(read(b"postrider-session=; x=1"), None);
    }

    #[test]
    fn an_empty_text_removes_it() {
        assert!(line(Kind::Notice, "", false).contains("Max-Age=0"));
    }
}
