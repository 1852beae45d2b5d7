//! What is around every page: the navigation, who is signed in, the look, and what was just done.

use std::sync::LazyLock;

use crate::domain::time::UnixMs;
use crate::web::assets;

use super::moments::{self, Zone};

/// Where the files of `static/` are served.
pub struct Assets {
    /// The words of the design.
    pub base: String,
    /// The console's pieces.
    pub console: String,
    /// What makes pages pleasant: live rows, copying.
    pub script: String,
    /// The icon in a browser's tab.
    pub icon: String,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    base: assets::path("base.css"),
    console: assets::path("console.css"),
    script: assets::path("console.js"),
    icon: assets::path("icon.svg"),
});

/// A page of the navigation.
pub struct Link {
    /// Where it is.
    pub path: &'static str,
    /// What it is called.
    pub name: &'static str,
}

/// Pages under a heading.
pub struct Group {
    /// The heading; empty for the first.
    pub name: &'static str,
    /// The pages.
    pub links: &'static [Link],
}

macro_rules! links {
    ($($path:literal = $name:literal),* $(,)?) => { &[$(Link { path: $path, name: $name }),*] };
}

/// The navigation.
static GROUPS: &[Group] = &[
    Group {
        name: "",
        links: links! {
            "/" = "Overview", "/events" = "Events", "/deliveries" = "Deliveries", "/endpoints" = "Endpoints",
            "/tenants" = "Tenants",
        },
    },
    Group {
        name: "Set up",
        links: links! { "/event-types" = "Event types", "/formats" = "Formats", "/keys" = "API keys" },
    },
    Group {
        name: "This server",
        links: links! { "/settings" = "Settings", "/alerts" = "Alerts", "/operators" = "Operators", "/audit" = "Audit log" },
    },
];

/// Whoever is signed in, as pages show it.
#[derive(Debug, Clone)]
pub struct Who {
    /// Under which they sign in.
    pub email: String,
    /// Whether they may change anything.
    pub admin: bool,
}

/// What was just done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The section of the page that it is told in; empty: at the top.
    place: String,
    text: String,
}

impl Notice {
    /// What is handed to the page at `to`: told in the section that its fragment names.
    pub(super) fn written(to: &str, text: &str) -> String {
        if to.contains('#') { format!("{to}\n{text}") } else { text.to_owned() }
    }

    /// The way back, on the page at `path`. On another one it is told at the top.
    pub(super) fn read(written: &str, path: &str) -> Self {
        let (to, text) = written.split_once('\n').unwrap_or(("", written));
        let is_here = |page: &str| page.split('?').next() == Some(path);
        let place = to.split_once('#').filter(|(page, _)| is_here(page)).map_or("", |(_, place)| place);
        Self { place: place.to_owned(), text: text.to_owned() }
    }
}

/// Everything that a page needs beside its own content.
pub struct Frame {
    /// The page's title.
    pub title: String,
    /// The path of the navigation's link that it belongs to; empty: none.
    pub section: &'static str,
    /// Who is signed in; without anybody there is no navigation.
    pub who: Option<Who>,
    /// The token that every form sends back.
    pub csrf: String,
    /// `light` or `dark`, where a person has chosen.
    pub theme: Option<&'static str>,
    /// What was just done.
    pub notice: Option<Notice>,
    /// This page's path and query: where a form comes back to.
    pub here: String,
    /// What it loads.
    pub assets: &'static Assets,
    pub(super) zone: Zone,
    pub(super) now: UnixMs,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates call methods, with references")]
impl Frame {
    pub(super) fn assets() -> &'static Assets {
        &ASSETS
    }

    /// The page of the navigation that a path is that of, or below.
    pub(super) fn link_to(path: &str) -> Option<&'static Link> {
        let first = path.split('/').nth(1).unwrap_or_default();
        let mut links = GROUPS.iter().flat_map(|group| group.links);
        links.find(|link| !first.is_empty() && link.path.trim_start_matches('/') == first)
    }

    /// The navigation.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    pub fn groups(&self) -> &'static [Group] {
        GROUPS
    }

    /// Whether whoever looks may change anything: buttons are shown to them alone.
    pub fn admin(&self) -> bool {
        self.who.as_ref().is_some_and(|who| who.admin)
    }

    /// What was just done in this section, or for an empty one what is told at the top.
    pub fn told(&self, place: &str) -> Option<&str> {
        self.notice.as_ref().filter(|notice| notice.place == place).map(|notice| notice.text.as_str())
    }

    /// Whether this look, or `system` for none, is the chosen one.
    pub fn has_theme(&self, theme: &str) -> bool {
        self.theme.unwrap_or("system") == theme
    }

    /// `5 min ago`.
    pub fn relative(&self, at: &UnixMs) -> String {
        moments::relative(*at, self.now, &self.zone)
    }

    /// In the time zone of whoever looks.
    pub fn absolute(&self, at: &UnixMs) -> String {
        self.zone.absolute(*at)
    }

    /// To the minute, as the filters `since` and `until` take it.
    pub fn moment(&self, at: &UnixMs) -> String {
        self.zone.typed(*at)
    }

    /// Whether a moment is not ahead any more, or so little that [`Frame::relative`] calls it now.
    pub fn is_due(&self, at: &UnixMs) -> bool {
        at.0 < self.now.0.saturating_add(moments::NOW_MS)
    }

    /// Short, for axes.
    pub fn short(&self, at: &UnixMs) -> String {
        self.zone.short(*at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_told_where_something_was_done_and_is_never_lost() {
        let place = |to: &str, path: &str| {
            let notice = Notice::read(&Notice::written(to, "It is done."), path);
            assert_eq!(notice.text, "It is done.");
            notice.place
        };
        assert_eq!(place("/settings#cleanup", "/settings"), "cleanup");
        assert_eq!(place("/settings?older_than_days=2#cleanup", "/settings"), "cleanup");
        assert_eq!(place("/settings#cleanup", "/keys"), "");
        assert_eq!(place("/settings", "/settings"), "");
    }
}
