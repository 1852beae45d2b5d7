//! Patterns of event types, against a plain comparison of each.

use postrider::domain::matching::{MAX_PATTERNS, Pattern, Subscription};
use postrider::domain::names::EventType;

/// Patterns with commas between them, and a type.
pub fn target(bytes: &[u8]) {
    let Some([patterns, event_type]) = super::texts(bytes) else { return };
    let patterns: Vec<String> = patterns.split(',').map(str::to_owned).collect();
    let good =
        |text: &String| *text == "*" || EventType::parse(text.strip_suffix(".*").unwrap_or(text)).is_ok();
    for text in &patterns {
        assert_eq!(Pattern::parse(text).is_ok(), good(text), "{text}");
    }
    let parsed = Subscription::parse(&patterns, None);
    assert_eq!(parsed.is_ok(), patterns.iter().all(good) && patterns.len() <= MAX_PATTERNS);
    let Ok(subscription) = parsed else { return };
    assert!(!subscription.has_filters() && !subscription.wants_nothing());
    let asked = [event_type.to_owned()];
    for event_type in patterns.iter().chain(&asked) {
        let found = subscription.matches_type(event_type);
        let expected = patterns.iter().any(|pattern| matches(pattern, event_type));
        if EventType::parse(event_type).is_ok() {
            assert_eq!(found, expected, "{event_type} under {patterns:?}");
            assert_eq!(subscription.matches(event_type, "0"), expected);
            let one = |text: &String| Pattern::parse(text).is_ok_and(|pattern| pattern.matches(event_type));
            assert_eq!(patterns.iter().any(one), expected, "one by one");
        }
    }
}

fn matches(pattern: &str, event_type: &str) -> bool {
    let (wanted, given): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), event_type.split('.').collect());
    match wanted.as_slice() {
        ["*"] => true,
        [prefix @ .., "*"] => given.len() > prefix.len() && given.starts_with(prefix),
        exact => given == exact,
    }
}
