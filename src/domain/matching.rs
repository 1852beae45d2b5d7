//! Which events an endpoint wants: patterns of event types, and [`Filters`] on the data.

use super::filters::{Filters, Unmet};
use super::invalid::Invalid;
use super::names::EventType;

/// Most patterns of one endpoint.
pub const MAX_PATTERNS: usize = 500;

/// One pattern of event types, as in an endpoint's `events` or a list's `?type=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// `*`: every type.
    All,
    /// `prefix.*`: everything below the prefix at any depth, and not the prefix itself. Kept with its full stop.
    Below(Box<str>),
    /// Exactly this type.
    Exact(EventType),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is allowed, as the message of a field error.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::All);
        }
        let wrong = |_| {
            "must be an event type such as invoice.paid (1 to 128 of A-Z, a-z, 0-9 and _ . : / -), \
             invoice.* for all below it, or * for all"
                .to_owned()
        };
        match text.strip_suffix(".*") {
            Some(prefix) => {
                EventType::parse(prefix).map(|prefix| Self::Below(format!("{prefix}.").into())).map_err(wrong)
            }
            None => EventType::parse(text).map(Self::Exact).map_err(wrong),
        }
    }

    /// Whether events of `event_type` are meant.
    pub fn matches(&self, event_type: &str) -> bool {
        match self {
            Self::All => true,
            Self::Below(prefix) => event_type.starts_with(&**prefix),
            Self::Exact(exact) => exact.as_str() == event_type,
        }
    }
}

/// What a subscription says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'d> {
    /// It is wanted.
    Matches,
    /// No pattern means its type.
    NotSubscribed,
    /// Its type is meant, and this filter, the first that does not, does not hold for its data.
    Filtered(Unmet<'d>),
}

/// What an endpoint subscribes to, compiled once and shared by everything that matches.
#[derive(Debug, Clone, Default)]
pub struct Subscription {
    all: bool,
    /// Sorted, without repetition.
    exact: Vec<EventType>,
    /// With their full stops; sorted, without repetition.
    prefixes: Vec<Box<str>>,
    filters: Filters,
}

impl Subscription {
    /// Compiles an endpoint's `events`, at most [`MAX_PATTERNS`] (none: it wants nothing), and its `filters`,
    /// a JSON object as text (`None`, `null`, `{}`: no condition on the data).
    ///
    /// # Errors
    /// Every wrong pattern (`events[2]`) and every wrong filter (`filters.post.author`).
    pub fn parse(events: &[String], filters: Option<&str>) -> Result<Self, Invalid> {
        let (mut invalid, mut subscription) = (Invalid::new(), Self::default());
        if events.len() > MAX_PATTERNS {
            invalid.push("events", format!("must hold at most {MAX_PATTERNS} patterns"));
        }
        for (index, text) in events.iter().take(MAX_PATTERNS).enumerate() {
            match invalid.check(&format!("events[{index}]"), Pattern::parse(text)) {
                Some(Pattern::All) => subscription.all = true,
                Some(Pattern::Below(prefix)) => subscription.prefixes.push(prefix),
                Some(Pattern::Exact(exact)) => subscription.exact.push(exact),
                None => {}
            }
        }
        subscription.exact.sort_unstable();
        subscription.exact.dedup();
        subscription.prefixes.sort_unstable();
        subscription.prefixes.dedup();
        if let Some(filters) = invalid.absorb(Filters::parse(filters.unwrap_or("null"))) {
            subscription.filters = filters;
        }
        invalid.into_result(subscription)
    }

    /// Whether an event of this type with this data (the text of one JSON value) is wanted.
    pub fn matches(&self, event_type: &str, data: &str) -> bool {
        self.matches_type(event_type) && self.filters.hold(data)
    }

    /// The same with the reason. It walks the data as [`Subscription::matches`] does, and notes more.
    pub fn judge<'d>(&self, event_type: &str, data: &'d str) -> Verdict<'d> {
        if !self.matches_type(event_type) {
            return Verdict::NotSubscribed;
        }
        self.filters.first_unmet(data).map_or(Verdict::Matches, Verdict::Filtered)
    }

    /// Whether events of this type can be wanted, filters aside.
    pub fn matches_type(&self, event_type: &str) -> bool {
        let stops = || event_type.bytes().enumerate().filter(|(_, byte)| *byte == b'.');
        let below =
            |(at, _): (usize, u8)| self.prefixes.binary_search_by(|p| (**p).cmp(&event_type[..=at])).is_ok();
        self.all
            || self.exact.binary_search_by(|exact| exact.as_str().cmp(event_type)).is_ok()
            || (!self.prefixes.is_empty() && stops().any(below))
    }

    /// Whether the data matters at all.
    pub fn has_filters(&self) -> bool {
        !self.filters.is_empty()
    }

    /// Whether nothing can ever match, because `events` is empty.
    pub fn wants_nothing(&self) -> bool {
        !self.all && self.exact.is_empty() && self.prefixes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wants(events: &[&str], event_type: &str) -> bool {
        let events: Vec<String> = events.iter().map(ToString::to_string).collect();
        Subscription::parse(&events, None).unwrap().matches(event_type, "{}")
    }

    #[test]
    fn a_prefix_means_everything_below_it_and_not_itself() {
        assert!(wants(&["invoice.*"], "invoice.paid"));
        assert!(wants(&["invoice.*"], "invoice.line.added"));
        assert!(wants(&["a", "invoice.line.*"], "invoice.line.added"));
        assert!(!wants(&["invoice.*"], "invoice"));
        assert!(!wants(&["invoice.*"], "invoices.paid"));
        assert!(!wants(&["invoice.line.*"], "invoice.paid"));
    }

    #[test]
    fn exact_names_mean_themselves_alone() {
        assert!(wants(&["b", "a.b", "c"], "a.b"));
        assert!(!wants(&["a.b"], "a"));
        assert!(!wants(&["a.b"], "a.b.c"));
        assert!(!wants(&["a.b"], "A.b"));
    }

    #[test]
    fn no_patterns_want_nothing_and_a_star_everything() {
        assert!(wants(&["*"], "any.thing"));
        assert!(!wants(&[], "any.thing"));
        assert!(Subscription::parse(&[], None).unwrap().wants_nothing());
    }

    #[test]
    fn type_and_filters_must_both_match() {
        let subscription = Subscription::parse(&["a".to_owned()], Some(r#"{"k":1}"#)).unwrap();
        assert!(subscription.has_filters());
        assert!(subscription.matches("a", r#"{"k":1}"#));
        assert!(!subscription.matches("b", r#"{"k":1}"#));
        assert!(!subscription.matches("a", r#"{"k":2}"#));
        assert!(subscription.matches_type("a"));
    }

    #[test]
    fn a_verdict_names_the_first_filter_that_does_not_hold() {
        let filters = r#"{"a": 1, "b.c": ["x", "y"], "b": 7}"#;
        let subscription = Subscription::parse(&["t".to_owned()], Some(filters)).unwrap();
        let judge = |data| subscription.judge("t", data);
        let filtered = |index, got| Verdict::Filtered(Unmet { index, got });
        assert_eq!(subscription.judge("u", "{}"), Verdict::NotSubscribed);
        assert_eq!(judge("{}"), filtered(0, None));
        assert_eq!(judge("[1]"), filtered(0, None));
        assert_eq!(judge(r#"{"a": "1"}"#), filtered(0, Some(r#""1""#)));
        assert_eq!(judge(r#"{"a": 1, "a": {"x": 2}}"#), filtered(0, Some(r#"{"x": 2}"#)), "the last counts");
        assert_eq!(judge(r#"{"a": 1, "b": {"c": null}}"#), filtered(1, Some("null")));
        assert_eq!(
            judge(r#"{"a": 1, "b": {"c": "y"}, "b": 8}"#),
            filtered(1, None),
            "it is gone with its object"
        );
        assert_eq!(
            super::super::filters::at(filters, 1),
            Some(("b.c".to_owned(), r#"["x", "y"]"#.to_owned()))
        );
        assert_eq!(super::super::filters::at(filters, 3), None);
    }

    #[test]
    fn every_wrong_pattern_and_filter_is_named_at_once() {
        let events = ["ok", "*.created", "inv*", "", ".*", "a.*.b", "**"].map(str::to_owned);
        let invalid = Subscription::parse(&events, Some(r#"{"a":{}}"#)).unwrap_err();
        let fields: Vec<&str> = invalid.0.iter().map(|error| error.field.as_str()).collect();
        let expected =
            ["events[1]", "events[2]", "events[3]", "events[4]", "events[5]", "events[6]", "filters.a"];
        assert_eq!(fields, expected);
        assert!(invalid.0[0].message.contains("invoice.*"));
    }

    #[test]
    fn at_most_five_hundred_patterns() {
        let events = |count: usize| (0..count).map(|n| format!("t{n}")).collect::<Vec<_>>();
        assert!(Subscription::parse(&events(500), None).is_ok());
        assert!(Subscription::parse(&events(501), None).is_err_and(|e| e.0[0].field == "events"));
    }

    proptest! {
        #[test]
        fn the_verdict_is_that_of_matching(
            paths in prop::collection::btree_map("[ab](\\.[ab]){0,2}", "1|2|\"x\"|\\[1,2\\]", 0..4),
            data in "(\\{(\"[ab]\":(1|2|\"x\"|\\{\"[ab]\":[12](,\"[ab]\":1)?\\})(,\"[ab]\":[12])?)?\\})|1",
        ) {
            let filters: Vec<_> = paths.iter().map(|(path, value)| format!("\"{path}\":{value}")).collect();
            let filters = format!("{{{}}}", filters.join(","));
            let subscription = Subscription::parse(&["t".to_owned()], Some(&filters)).unwrap();
            let verdict = subscription.judge("t", &data);
            prop_assert_eq!(verdict == Verdict::Matches, subscription.matches("t", &data));
            if let Verdict::Filtered(unmet) = verdict {
                // Alone it does not hold either.
                let (path, wanted) = super::super::filters::at(&filters, unmet.index).unwrap();
                let alone = Filters::parse(&format!("{{\"{path}\":{wanted}}}")).unwrap();
                prop_assert!(!alone.hold(&data));
            }
        }

        #[test]
        fn compiled_patterns_decide_as_each_alone(
            patterns in prop::collection::vec("\\*|[ab](\\.[ab]){0,3}(\\.\\*)?", 0..6),
            event_type in "[ab](\\.[ab]){0,4}",
        ) {
            let naive = patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => event_type.starts_with(prefix),
                None => *pattern == event_type,
            });
            let subscription = Subscription::parse(&patterns, None).unwrap();
            prop_assert_eq!(subscription.matches_type(&event_type), naive);
            let alone = patterns.iter().any(|pattern| Pattern::parse(pattern).unwrap().matches(&event_type));
            prop_assert_eq!(alone, naive);
        }
    }
}
