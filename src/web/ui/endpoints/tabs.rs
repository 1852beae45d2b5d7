//! What the pages of one endpoint have in common: its name, its state and the links between them
//! (`templates/ui/endpoint.html`).

use crate::service::endpoints::EndpointView;
use crate::web::ui::shown;

/// Characters of a URL in the heading of a page. Settings have all of it.
const HEADING: usize = 300;

/// The pages of one endpoint that are linked at their top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// How it does.
    Overview,
    /// What was sent to it.
    Deliveries,
    /// What its owner has set.
    Settings,
    /// Code that verifies what is sent to it.
    Verify,
    /// Sending it something now.
    Test,
    /// Sending it again what it has missed.
    Replay,
}

impl Tab {
    const ALL: [Self; 6] =
        [Self::Overview, Self::Deliveries, Self::Settings, Self::Verify, Self::Test, Self::Replay];

    /// What it is called.
    fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Deliveries => "Deliveries",
            Self::Settings => "Settings",
            Self::Verify => "Verify",
            Self::Test => "Test",
            Self::Replay => "Replay",
        }
    }

    /// What stands behind the endpoint's path.
    fn suffix(self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::Deliveries => "/deliveries",
            Self::Settings => "/settings",
            Self::Verify => "/verify",
            Self::Test => "/test",
            Self::Replay => "/replay",
        }
    }
}

/// A link to one of the pages.
pub struct TabLink {
    /// Where it leads.
    pub path: String,
    /// What it is called.
    pub name: &'static str,
    /// Whether it is the page that is shown.
    pub here: bool,
}

/// The top of a page of an endpoint.
pub struct Head {
    /// The endpoint.
    pub endpoint: EndpointView,
    here: Tab,
}

impl Head {
    /// The top of the page `here`; a page below a tab, such as that to delete, names the tab that leads to it.
    pub fn new(endpoint: EndpointView, here: Tab) -> Self {
        Self { endpoint, here }
    }

    /// The page's title: where the endpoint is, and what is shown of it.
    pub fn title(&self, page: &str) -> String {
        format!("{page} · {}", shown::url(&self.endpoint.url))
    }

    /// Where it is.
    pub fn url(&self) -> String {
        shown::short(&self.endpoint.url, HEADING)
    }

    /// The path of a page of this endpoint.
    pub fn path(&self, suffix: &str) -> String {
        path(&self.endpoint, suffix)
    }

    /// The links between the pages.
    pub fn tabs(&self) -> Vec<TabLink> {
        let link =
            |tab: Tab| TabLink { path: self.path(tab.suffix()), name: tab.name(), here: tab == self.here };
        Tab::ALL.into_iter().map(link).collect()
    }
}

/// The path of a page of an endpoint; `suffix` is empty or begins with a slash.
pub fn path(endpoint: &EndpointView, suffix: &str) -> String {
    format!("/endpoints/{}{suffix}", endpoint.id)
}
