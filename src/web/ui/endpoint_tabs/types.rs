//! The event types that a test can be made of.

use crate::domain::matching::Pattern;
use crate::service::endpoints::TEST_TYPE;
use crate::web::ui::weight::Room;

/// Bytes of the page that each of the two lists takes, and what stands around a type; any other can be typed.
const ROOM: usize = 6 * 1024;
const AROUND: usize = 20;

/// The types that are offered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Types {
    /// Those that the endpoint subscribes to.
    pub(super) own: Vec<String>,
    /// That of tests, and the others of the catalogue.
    pub(super) others: Vec<String>,
    /// How many the list has no room for.
    pub(super) left_out: usize,
}

impl Types {
    /// Those of an endpoint with these patterns, from the catalogue, and `chosen` whatever it is.
    pub(super) fn of(patterns: &[String], mut catalogue: Vec<String>, chosen: &str) -> Self {
        let patterns: Vec<Pattern> = patterns.iter().filter_map(|text| Pattern::parse(text).ok()).collect();
        let exact = patterns.iter().filter_map(|pattern| match pattern {
            Pattern::Exact(name) => Some(name.to_string()),
            _ => None,
        });
        catalogue.extend(exact);
        catalogue.extend([TEST_TYPE, chosen].into_iter().filter(|name| !name.is_empty()).map(str::to_owned));
        catalogue.sort_unstable();
        catalogue.dedup();
        let subscribed = |name: &String| patterns.iter().any(|pattern| pattern.matches(name));
        let (own, others): (Vec<_>, Vec<_>) =
            catalogue.into_iter().partition(|name| name != TEST_TYPE && subscribed(name));
        let mut types = Self { own, others, left_out: 0 };
        types.cut(chosen);
        types
    }

    /// Cuts both lists, first that of the others; the chosen one and that of tests stay.
    fn cut(&mut self, chosen: &str) {
        let all = self.own.len() + self.others.len();
        for list in [&mut self.own, &mut self.others] {
            let mut room = Room::new(ROOM);
            list.retain(|name| room.takes(name, AROUND) || name == chosen || name == TEST_TYPE);
        }
        self.left_out = all - self.own.len() - self.others.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_the_endpoint_subscribes_to_comes_first() {
        let catalogue = texts(&["user.made", "invoice.paid", "invoice.sent"]);
        let types = Types::of(&texts(&["invoice.*", "order.made"]), catalogue, "own.word");
        assert_eq!(types.own, ["invoice.paid", "invoice.sent", "order.made"]);
        assert_eq!(types.others, ["own.word", "user.made", "webhook.test"]);
        assert_eq!(Types::of(&texts(&["*"]), Vec::new(), "").others, ["webhook.test"]);
    }

    #[test]
    fn a_long_catalogue_is_cut_and_the_chosen_type_stays() {
        let names: Vec<String> = (0..1000).map(|n| format!("a.n{n:04}")).collect();
        let types = Types::of(&texts(&["*"]), names, "a.n0999");
        assert_eq!((types.own.len(), types.others.len(), types.left_out), (228, 1, 772));
        assert_eq!(types.own.last().map(String::as_str), Some("a.n0999"));
    }
}
