//! The catalogue of event types.

mod change;
mod list;
mod show;

use actix_web::web::ServiceConfig;

use crate::service::event_types::EventTypeDraft;
use crate::web::ui::form::Form;

/// Where the list is, and where all forms about types go.
const PATH: &str = "/event-types";

/// Registers the pages. The form for a new type comes before the page of any other.
pub fn routes(config: &mut ServiceConfig) {
    list::routes(config);
    show::routes(config);
}

/// Where a type's page is. Its signs need no escaping but for slashes, of which a browser might take some for folders.
/// `new` is the path of the form for another, so that a type of this name is asked for in another way.
pub(super) fn address(name: &str) -> String {
    if name == "new" {
        format!("{PATH}/new?type=new")
    } else {
        format!("{PATH}/{}", name.replace('/', "%2F"))
    }
}

/// What a form says about a type. A blank field and the text `null` say nothing, as in the API.
fn draft(form: &Form) -> EventTypeDraft {
    let text = |name| form.filled(name).map(str::to_owned);
    let json = |name| text(name).filter(|text| text != "null");
    EventTypeDraft {
        description: text("description"),
        group: text("group"),
        example: json("example"),
        schema: json("schema"),
        reserved: form.has("reserved", "yes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_page_of_its_own() {
        assert_eq!(address("invoice.paid"), "/event-types/invoice.paid");
        assert_eq!(address("a/./b"), "/event-types/a%2F.%2Fb");
        assert_eq!(address("new"), "/event-types/new?type=new");
        assert_eq!(address("new/"), "/event-types/new%2F");
    }
}
