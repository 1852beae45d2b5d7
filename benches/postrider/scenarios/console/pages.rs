//! Which pages there are, with what people filter lists by.

use crate::Fallible;
use crate::fill::seed::tenant;
use crate::server::Server;

use super::super::history::calls::{self, Draw};

/// Pages that are about nothing in particular.
const FIXED: &[&str] = &[
    "/",
    "/?window=1h",
    "/?window=7d",
    "/?window=30d",
    "/account",
    "/audit",
    "/audit?action=endpoint.*",
    "/audit?actor=nobody",
    "/endpoints/new",
    "/endpoints?search=seed",
    "/endpoints?search=none-such",
    "/event-types",
    "/event-types?search=none",
    "/event-types/new",
    "/events/new",
    "/formats",
    "/formats?search=none",
    "/formats/new",
    "/formats/standard",
    "/keys?search=none",
    "/operators",
    "/operators?search=none",
    "/settings",
    "/tenant-deletions",
    "/tenants?search=7",
    "/tenants?search=none-such",
];
/// Of an endpoint, a delivery, an event and a tenant: what stands behind its path.
const OF_AN_ENDPOINT: &[&str] = &[
    "",
    "?window=7d",
    "?window=30d",
    "/settings",
    "/verify",
    "/test",
    "/replay",
    "/enable",
    "/disable",
    "/delete",
    "/rotate-secret",
];
const OF_A_DELIVERY: &[&str] = &["", "?body=raw"];
const OF_AN_EVENT: &[&str] = &["", "?data=raw", "/data", "/delete-data"];
const OF_A_TENANT: &[&str] = &["", "?window=1h", "?window=7d", "?window=30d"];

/// Every page. What it leaves open is drawn `draws` times.
///
/// # Errors
/// The server's.
pub fn all(server: &Server, draw: &Draw<'_>, draws: usize) -> Fallible<Vec<String>> {
    let mut pages: Vec<String> = FIXED.iter().map(|path| (*path).to_owned()).collect();
    // The lists of the console have the paths and the filters of the API's.
    for call in calls::all(draw).iter().filter(|call| !call.path.starts_with("/cleanups")) {
        pages.extend((0..draws).map(|nth| draw.page(call, nth)));
    }
    for nth in 0..draws {
        let endpoint = draw.endpoint();
        add(&mut pages, &format!("/endpoints/{endpoint}"), OF_AN_ENDPOINT);
        add(&mut pages, &format!("/tenants/{}", tenant(nth)), OF_A_TENANT);
        let path = format!("/endpoints/{endpoint}/deliveries?limit=1");
        let listed = server.get(&path)?;
        let delivery = listed["data"][0].clone();
        if let (Some(id), Some(event)) = (delivery["id"].as_str(), delivery["event_id"].as_str()) {
            add(&mut pages, &format!("/deliveries/{id}"), OF_A_DELIVERY);
            if delivery["attempts"] != 0 {
                add(&mut pages, &format!("/deliveries/{id}"), &["/curl"]);
            }
            add(&mut pages, &format!("/events/{event}"), OF_AN_EVENT);
        }
    }
    Ok(pages)
}

fn add(pages: &mut Vec<String>, path: &str, behind: &[&str]) {
    pages.extend(behind.iter().map(|behind| format!("{path}{behind}")));
}
