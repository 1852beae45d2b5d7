//! Who takes part in the demonstration: tenants, event types with examples, endpoints.

use serde_json::{Value, json};

/// Tenants: their handle and their name.
pub(super) const TENANTS: [(&str, &str); 4] = [
    ("acme-books", "Acme Books"),
    ("nordwind", "Nordwind Reisen"),
    ("pixelworks", "Pixelworks Studio"),
    ("lumen", "Lumen Energy"),
];

/// An event type of the catalogue.
pub(super) struct Type {
    pub(super) name: &'static str,
    pub(super) group: &'static str,
    pub(super) description: &'static str,
    /// How many of a hundred events are of this type.
    pub(super) share: u32,
    /// The data of the event with this number.
    pub(super) data: fn(u64) -> Value,
}

const FIRST_NAMES: [&str; 8] = ["Ada", "Grace", "Linus", "Margaret", "Dennis", "Barbara", "Ken", "Radia"];
const CITIES: [&str; 6] = ["Lyon", "Hamburg", "Porto", "Gdańsk", "Utrecht", "Bergen"];
const PLANS: [&str; 3] = ["starter", "team", "business"];

/// One of these, by the event's number.
fn one_of(all: &[&'static str], number: u64) -> &'static str {
    let at = usize::try_from(number * 7 % 101).unwrap_or_default();
    all[at % all.len()]
}

fn cents(number: u64) -> u64 {
    990 + number * 379 % 24_000
}

fn customer(number: u64) -> Value {
    let name = one_of(&FIRST_NAMES, number);
    json!({ "id": format!("cus_{}", 1_000 + number % 400), "name": name, "city": one_of(&CITIES, number) })
}

/// The catalogue.
pub(super) const TYPES: [Type; 8] = [
    Type {
        name: "order.created",
        group: "Orders",
        description: "A customer has placed an order.",
        share: 26,
        data: |n| json!({ "order": 10_000 + n, "customer": customer(n), "total_cents": cents(n), "currency": "EUR" }),
    },
    Type {
        name: "order.paid",
        group: "Orders",
        description: "The payment of an order was received.",
        share: 22,
        data: |n| json!({ "order": 10_000 + n, "total_cents": cents(n), "method": one_of(&["card", "sepa", "paypal"], n) }),
    },
    Type {
        name: "order.shipped",
        group: "Orders",
        description: "An order has left the warehouse.",
        share: 16,
        data: |n| json!({ "order": 10_000 + n, "carrier": one_of(&["dhl", "ups", "postnl"], n), "parcels": 1 + n % 3 }),
    },
    Type {
        name: "invoice.finalized",
        group: "Billing",
        description: "An invoice is final and was sent.",
        share: 10,
        data: |n| json!({ "invoice": format!("R-2026-{:05}", n), "total_cents": cents(n), "due_in_days": 14 }),
    },
    Type {
        name: "invoice.payment_failed",
        group: "Billing",
        description: "A card was declined.",
        share: 5,
        data: |n| json!({ "invoice": format!("R-2026-{:05}", n), "attempt": 1 + n % 4, "reason": "card_declined" }),
    },
    Type {
        name: "subscription.upgraded",
        group: "Billing",
        description: "A customer has chosen a larger plan.",
        share: 5,
        data: |n| json!({ "customer": customer(n), "plan": one_of(&PLANS, n), "seats": 3 + n % 40 }),
    },
    Type {
        name: "user.created",
        group: "People",
        description: "Somebody has signed up.",
        share: 11,
        data: |n| json!({ "user": { "id": n, "name": one_of(&FIRST_NAMES, n), "plan": one_of(&PLANS, n) } }),
    },
    Type {
        name: "user.deleted",
        group: "People",
        description: "An account was closed; forget what you know of it.",
        share: 5,
        data: |n| json!({ "user": { "id": n } }),
    },
];

/// Whom the endpoint belongs to, how it behaves, and what it has besides.
pub(super) struct Role {
    pub(super) tenant: &'static str,
    /// The first segment of its path.
    pub(super) behaviour: &'static str,
    pub(super) description: &'static str,
    pub(super) events: &'static [&'static str],
    /// Fields besides.
    pub(super) fields: fn() -> Value,
}

/// A few tries within a minute, so that a person sees them.
fn soon() -> Value {
    json!([4, 8, 15, 30, 300, 3600])
}

/// Endpoints that were there all the time.
pub(super) const OLD: [Role; 7] = [
    Role {
        tenant: "acme-books",
        behaviour: "shop",
        description: "The shop: all is well",
        events: &["order.*", "invoice.*"],
        fields: || json!({ "uid": "shop", "metadata": { "team": "storefront" } }),
    },
    Role {
        tenant: "acme-books",
        behaviour: "slow",
        description: "The warehouse: answers after a second or two",
        events: &["order.paid", "order.shipped"],
        fields: || json!({ "uid": "warehouse", "max_in_flight": 4 }),
    },
    Role {
        tenant: "acme-books",
        behaviour: "failing",
        description: "A program that nobody looks after: fails for days, until it is disabled",
        events: &["user.*"],
        fields: || json!({ "uid": "crm" }),
    },
    Role {
        tenant: "nordwind",
        behaviour: "flapping",
        description: "Well for a while, and then not: retries help",
        events: &["*"],
        fields: || json!({ "uid": "bookings", "retry_schedule": soon() }),
    },
    Role {
        tenant: "nordwind",
        behaviour: "stripe",
        description: "Written for Stripe's webhooks",
        events: &["invoice.*", "subscription.*"],
        fields: || json!({ "format": "stripe" }),
    },
    Role {
        tenant: "pixelworks",
        behaviour: "github",
        description: "Written for GitHub's webhooks",
        events: &["order.*"],
        fields: || json!({ "format": "github" }),
    },
    Role {
        tenant: "pixelworks",
        behaviour: "cloudevents",
        description: "An event mesh that speaks CloudEvents; only what is paid by card",
        events: &["order.paid", "user.*"],
        fields: || json!({ "format": "cloudevents", "filters": { "method": ["card"] } }),
    },
];

/// Endpoints that are made when a person begins to look.
pub(super) const NEW: [Role; 3] = [
    Role {
        tenant: "pixelworks",
        behaviour: "hanging",
        description: "Takes the request and never answers",
        events: &["order.created"],
        fields: || json!({ "timeout_seconds": 2, "retry_schedule": soon() }),
    },
    Role {
        tenant: "lumen",
        behaviour: "gone",
        description: "Was removed: answers 410, is disabled at once, and what comes is held",
        events: &["*"],
        fields: || json!({ "uid": "old-billing" }),
    },
    Role {
        tenant: "lumen",
        behaviour: "meter",
        description: "New today: what it has missed is replayed",
        events: &["order.*", "user.*"],
        // Some twenty seconds for a hundred: long enough to be seen.
        fields: || json!({ "uid": "meter", "rate_limit": 5 }),
    },
];

/// The event with this number: its type, its data, and whose it is.
pub(super) fn event(number: u64) -> Value {
    let draw = u32::try_from(number * 61 % 100).unwrap_or_default();
    let mut sum = 0;
    let kind = TYPES.iter().find(|kind| {
        sum += kind.share;
        draw < sum
    });
    let kind = kind.unwrap_or(&TYPES[0]);
    // Not in step with the types.
    let at = usize::try_from((number / 100 + number * 3) % 4).unwrap_or_default();
    json!({ "type": kind.name, "tenant": TENANTS[at].0, "data": (kind.data)(number) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn shares_are_of_a_hundred_and_every_tenant_sees_every_type() {
        assert_eq!(TYPES.iter().map(|kind| kind.share).sum::<u32>(), 100);
        let seen: HashSet<_> = (0..2_000)
            .map(event)
            .map(|event| (event["type"].to_string(), event["tenant"].to_string()))
            .collect();
        assert_eq!(seen.len(), TYPES.len() * TENANTS.len());
    }
}
