//! `/docs`: the reference of the API, made of [`super::openapi`], and pages beside it. HTML from the server alone: no
//! JavaScript, nothing from elsewhere. They look as the console does, light or dark as a person has chosen there.
//!
//! *Add a page:* its Markdown in `templates/docs`, and a line of [`PAGES`] in `pages.rs`.

mod downloads;
mod markdown;
mod pages;
mod reference;
mod still;

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::service::Code;
use crate::web::read;

use super::assets;
use super::problem::Problem;
use super::state::AppState;
use super::ui::theme;

use self::still::Still;

pub use self::pages::{PAGES, Page, Part};

/// What is around every page.
struct Frame {
    title: &'static str,
    /// The name of the page that is shown; empty: the reference.
    here: &'static str,
    /// What is loaded: the words of the design, these pages' own, the icon.
    base: String,
    style: String,
    icon: String,
    /// `light` or `dark`, where a person has chosen in the console.
    theme: Option<&'static str>,
}

impl Frame {
    fn of(title: &'static str, here: &'static str, theme: Option<&'static str>) -> Self {
        let [base, style, icon] = ["base.css", "docs.css", "icon.svg"].map(assets::path);
        Self { title, here, base, style, icon, theme }
    }
}

#[derive(Template)]
#[template(path = "docs/guide.html")]
struct Guide {
    frame: Frame,
    parts: &'static [Part],
    html: String,
}

impl Page {
    fn render(&self, theme: Option<&'static str>) -> askama::Result<String> {
        let frame = Frame::of(self.title, self.name, theme);
        Guide { frame, parts: &Part::ALL, html: markdown::html(&self.markdown()) }.render()
    }
}

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/docs").route(read().to(show_reference)))
        .service(web::resource("/docs/{page}").route(read().to(show_page)));
}

/// The reference in each look. It is the same as long as the program runs.
type Reference = (Option<&'static str>, LazyLock<Result<Still, String>>);

static REFERENCES: [Reference; 3] = [
    (None, LazyLock::new(|| reference(None))),
    (Some("light"), LazyLock::new(|| reference(Some("light")))),
    (Some("dark"), LazyLock::new(|| reference(Some("dark")))),
];

fn reference(theme: Option<&'static str>) -> Result<Still, String> {
    let page = reference::render(Frame::of("API reference", "", theme)).map_err(|error| error.to_string())?;
    Still::of(page).map_err(|error| error.to_string())
}

async fn show_reference(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let theme = theme::chosen(&request, &state);
    let page = REFERENCES.iter().find(|(known, _)| *known == theme).map(|(_, page)| page);
    match page.map(LazyLock::force) {
        Some(Ok(page)) => Ok(page.answer(&request)),
        Some(Err(error)) => Err(Problem::internal(format!("the reference: {error}"))),
        None => Err(Problem::internal("the reference has no such look")),
    }
}

async fn show_page(
    state: Data<AppState>,
    request: HttpRequest,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    if let Some(file) = downloads::find(&name) {
        return Ok(file);
    }
    let Some(page) = PAGES.iter().find(|page| page.name == name.as_str()) else {
        return Err(Problem::new(Code::NotFound, "there is no such page; /docs names those that there are"));
    };
    let text = page.render(theme::chosen(&request, &state));
    let text = text.map_err(|error| Problem::internal(format!("the page {name}: {error}")))?;
    Ok(html(text.into()))
}

/// A page that loads its styles and its icon and nothing else.
fn html(page: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .body(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_rendered_and_linked_from_every_other() {
        for page in PAGES {
            let text = page.render(None).unwrap();
            assert!(text.contains(page.title) && text.contains("href=\"/docs\""), "{}", page.name);
            assert!(!text.contains("<script") && !text.contains(" style="), "{}", page.name);
            for other in PAGES {
                assert!(text.contains(&format!("href=\"/docs/{}\"", other.name)), "{}", other.name);
            }
        }
    }

    #[test]
    fn the_reference_explains_every_code_where_problems_say_so() {
        let reference = reference::render(Frame::of("API reference", "", None)).unwrap();
        for code in Code::ALL {
            assert!(reference.contains(&format!("id=\"{}\"", code.as_str())), "{}", code.as_str());
        }
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere_and_nothing_runs() {
        let reference = reference::render(Frame::of("API reference", "", None)).unwrap();
        assert!(
            !reference.contains("<script") && !reference.contains("src=") && !reference.contains("style=")
        );
        let links = reference.split("<link").skip(1).collect::<Vec<_>>();
        let own = links.iter().all(|link| link.contains("href=\"/static/"));
        assert!(links.len() == 3 && own, "{links:?}");
    }

    #[test]
    fn the_look_that_was_chosen_in_the_console_holds_here() {
        for (theme, expected) in [(None, "<html lang=\"en\">"), (Some("dark"), "data-theme=\"dark\">")] {
            assert!(PAGES[0].render(theme).unwrap().contains(expected), "{theme:?}");
        }
    }

    /// Whether a link from a page with this text leads to a page, and to a place in it.
    fn leads_somewhere(link: &str, here: &str) -> bool {
        if link.starts_with("https://") || link == "/docs" {
            return true;
        }
        let (page, place) = link.split_once('#').unwrap_or((link, ""));
        let there = match page {
            "" => here.to_owned(),
            "/docs" => reference::render(Frame::of("API reference", "", None)).unwrap(),
            name if downloads::DOWNLOADS.iter().any(|file| file.name == name) => String::new(),
            name => match PAGES.iter().find(|page| page.name == name) {
                Some(page) => markdown::html(&page.markdown()),
                None => return false,
            },
        };
        place.is_empty() || there.contains(&format!("id=\"{place}\""))
    }

    #[test]
    fn every_page_begins_with_its_title_and_every_link_leads_somewhere() {
        for page in PAGES {
            let text = page.markdown();
            assert!(text.starts_with(&format!("# {}\n", page.title)), "{}", page.name);
            let html = markdown::html(&text);
            for link in html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(leads_somewhere(link, &html), "{} links to {link}, which is not there", page.name);
            }
        }
    }
}
