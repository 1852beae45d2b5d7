//! Pages as answers: their headers, what may go wrong with one, and the page that says so.

use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::ids::EndpointId;
use crate::service::{Code, Kind};
use crate::web::problem::{self, Problem};
use crate::web::state::AppState;

use super::common::Common;
use super::cookies;
use super::form;
use super::frame::Frame;

/// What a page may load and do: its own style, script and icon, and send forms to us. Nothing inline runs.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page with its headers. Nobody on the way keeps it: `errors` adds `no-store`.
///
/// # Errors
/// A template that fails, which is a defect.
pub(super) fn html(template: &impl Template, status: StatusCode) -> Result<HttpResponse, Problem> {
    let text = template.render().map_err(|error| Problem::internal(format!("a page: {error}")))?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .body(text))
}

/// How a failure looks to somebody who looks at the console with a browser.
pub struct Look {
    common: Common,
    /// The text of a session, which may have ended.
    session: Option<String>,
    /// The page above what was asked for.
    above: String,
}

impl Look {
    /// The look of whoever asks; `None`: it is a program, which gets a problem document.
    pub fn of(request: &HttpRequest, state: &AppState) -> Option<Self> {
        let wanted = wanted(request.method(), request.path(), request.headers());
        wanted.then(|| {
            let session = cookies::read(request, cookies::Kind::Session, state.is_https());
            let common = Common::of(request, state, session.as_deref().unwrap_or_default());
            Self { common, session, above: above(request.path()).to_owned() }
        })
    }
}

impl Look {
    /// Where somebody goes on: what is not there may have nothing below it either, so from there to the list.
    fn goes_on(&self, kind: Kind) -> Option<(&str, String)> {
        let link = Frame::link_to(&self.above)?;
        if kind == Kind::NotFound || link.path == self.above {
            return Some((link.path, format!("Go on to {}", link.name)));
        }
        Some((&self.above, "Go back".to_owned()))
    }
}

/// Whether a failure is to be told as a page.
fn wanted(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let machine = ["/api/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/static/"];
    matches!(*method, Method::GET | Method::HEAD | Method::POST)
        && accepts.contains("text/html")
        && !machine.iter().any(|start| path.starts_with(start))
}

/// The page above a path.
pub(super) fn above(path: &str) -> &str {
    let above = path.trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
    within_site(if above.is_empty() { "/" } else { above })
}

/// To the page that is meant by an address which is that of none. `None`: that is not known.
pub fn meant(status: StatusCode, path: &str, query: &str) -> Option<HttpResponse> {
    let to = match status {
        // It takes forms alone: somebody loads the answer to a form again, or changes the look there.
        StatusCode::METHOD_NOT_ALLOWED => above(path).to_owned(),
        StatusCode::NOT_FOUND => {
            let page = within_site(path.strip_suffix('/').filter(|rest| !rest.is_empty())?);
            if query.is_empty() { page.to_owned() } else { format!("{page}?{query}") }
        }
        _ => return None,
    };
    Some(HttpResponse::SeeOther().insert_header((header::LOCATION, to)).finish())
}

/// Where a form wants to come back to, if that is a page of ours; else the overview. Browsers read `\\` as `/`, and
/// `//host` as another host.
pub(super) fn within_site(to: &str) -> &str {
    let own = to.starts_with('/') && !to.starts_with("//") && to.len() <= 2_048;
    if own && !to.contains(|c: char| c == '\\' || c.is_control()) { to } else { "/" }
}

/// A failure as a page.
#[derive(Template)]
#[template(path = "ui/failed.html")]
struct Failed<'a> {
    frame: Frame,
    title: &'a str,
    detail: String,
    fields: Vec<(String, String)>,
    request_id: &'a str,
    signs_in: bool,
    /// An endpoint that was deleted: what is left of it is elsewhere.
    deleted: Option<EndpointId>,
    /// Where to go on, with its words.
    above: Option<(&'a str, String)>,
}

/// The page that tells a failure, with the navigation for whoever is signed in; of a defect its request's id and nothing
/// else.
pub fn failed(problem: &Problem, request_id: &str, look: &Look, state: &AppState) -> HttpResponse {
    let error = &problem.0;
    let kind = error.code.kind();
    let deleted = error.endpoint_deleted.as_deref().copied();
    let detail = match kind {
        _ if deleted.is_some() => "What was sent to it stays here until it is cleaned up.".to_owned(),
        Kind::Internal => "The server's log says more under the request id below.".to_owned(),
        _ if error.code == Code::UnknownPath => "There is no such page. Go on at the overview.".to_owned(),
        _ => form::sentence(error.detail_for_operators()),
    };
    let title = match error.code {
        _ if deleted.is_some() => "The endpoint was deleted",
        Code::InsufficientScope => "You may not do this",
        code => code.title(),
    };
    let fields = if kind == Kind::Internal { Vec::new() } else { error.fields.clone() };
    let session = look.session.as_deref().and_then(|text| state.service.session(text));
    let page = Failed {
        frame: look.common.frame(title, "", session.as_ref()),
        title,
        detail,
        fields: fields.into_iter().map(|error| (error.field, error.message)).collect(),
        request_id,
        signs_in: kind == Kind::Unauthorized,
        deleted,
        above: look.goes_on(kind),
    };
    let mut response =
        look.common.page(&page, problem::status(kind)).unwrap_or_else(|_| problem.answer(request_id));
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(status: StatusCode, address: &str) -> Option<String> {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let answer = meant(status, path, query)?;
        Some(answer.headers().get(header::LOCATION)?.to_str().ok()?.to_owned())
    }

    #[test]
    fn above_an_address_that_takes_forms_alone_is_its_page() {
        for (path, page) in [
            ("/deliveries/dlv_1/retry", "/deliveries/dlv_1"),
            ("/logout", "/"),
            ("/account/password/", "/account"),
        ] {
            assert_eq!(to(StatusCode::METHOD_NOT_ALLOWED, path).as_deref(), Some(page));
        }
        assert_eq!(to(StatusCode::NOT_FOUND, "/endpoints/").as_deref(), Some("/endpoints"));
        assert_eq!(to(StatusCode::NOT_FOUND, "/events/?type=a").as_deref(), Some("/events?type=a"));
        assert_eq!(to(StatusCode::NOT_FOUND, "//evil.example/").as_deref(), Some("/"));
        assert_eq!([to(StatusCode::NOT_FOUND, "/"), to(StatusCode::NOT_FOUND, "/none")], [None, None]);
    }

    #[test]
    fn only_a_page_of_ours_is_come_back_to() {
        for own in ["/", "/endpoints/ep_1?tab=settings", "/events?type=a.%2A"] {
            assert_eq!(within_site(own), own);
        }
        let long = format!("/{}", "a".repeat(2_048));
        for foreign in [
            "",
            "endpoints",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nSet-Cookie: x",
            &long,
        ] {
            assert_eq!(within_site(foreign), "/", "{foreign}");
        }
    }
}
