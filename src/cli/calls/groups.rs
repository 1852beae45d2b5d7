//! The table of commands: endpoints, deliveries, events, replays. What only operators do is in `admin`.

use super::Ability::{Judges, Long};
use super::Shows::{Accepted, Done, Ended, One, Rows, Text};
use super::{Call, Group, admin};

const DELIVERY: &[&str] = &[
    "id",
    "status",
    "event_type",
    "endpoint_id",
    "created_at",
    "attempts",
    "status_code",
    "tenant",
    "next_retry_at",
];
const ATTEMPT: &[&str] = &["number", "round", "started_at", "duration_ms", "status_code", "error"];
const REPLAY: &[&str] = &[
    "id",
    "endpoint_id",
    "status",
    "replayed_status",
    "dry_run",
    "examined",
    "matched",
    "done",
    "created_at",
];

/// The commands with subcommands.
pub(super) const GROUPS: &[Group] = &[
    Group { name: "endpoints", about: "URLs that receive events", calls: ENDPOINTS },
    Group { name: "deliveries", about: "Events on their way to endpoints", calls: DELIVERIES },
    Group { name: "events", about: "What was published", calls: EVENTS },
    Group { name: "replays", about: "What is being sent again in the background", calls: REPLAYS },
    Group { name: "event-types", about: "The catalogue of event types", calls: admin::EVENT_TYPES },
    Group { name: "formats", about: "How deliveries look on the wire", calls: admin::FORMATS },
    Group { name: "tenants", about: "The customers that own endpoints", calls: admin::TENANTS },
    Group { name: "keys", about: "Make, list and revoke API keys", calls: admin::KEYS },
    Group { name: "operators", about: "The people who sign in to the console", calls: admin::OPERATORS },
    Group { name: "settings", about: "What can be changed while it runs", calls: admin::SETTINGS },
    Group { name: "audit", about: "Who changed what", calls: admin::AUDIT },
];

/// The commands without.
pub(super) const SINGLE: &[Call] = &[
    Call::new("replay", "replayEndpoint", One(&[]))
        .says("Send again what an endpoint missed")
        .that(Long)
        .example(&[
            ("replay ep_01m0e3tb0g000 --since 2h", "send again what failed in the last two hours"),
            (
                "replay ep_01m0e3tb0g000 --since 1d --status missing --dry-run --wait",
                "count what it never got",
            ),
        ]),
    admin::ATTENTION,
    admin::CLEANUP,
];

/// `postrider send`, whose flags are its own.
pub(super) const SEND: Call = Call::new("send", "publishEvent", Accepted).words(&["type"]);

const ENDPOINTS: &[Call] = &[
    Call::new(
        "list",
        "listEndpoints",
        Rows(&["id", "uid", "url", "health", "events", "tenant", "last_success_at", "last_failure_at"]),
    )
    .example(&[
        ("endpoints list --health failing", "those that fail"),
        ("endpoints list --tenant acme --all --json", "all of a tenant, for a program"),
    ]),
    Call::new("show", "getEndpoint", One(&[]))
        .example(&[("endpoints show ep_01m0e3tb0g000", "everything about one")]),
    Call::new("create", "createEndpoint", One(&[])).words(&["url"]).example(&[
        (
            "endpoints create https://example.com/hook --tenant acme --events 'invoice.*,order.paid'",
            "the answer shows its secret, this once",
        ),
        (
            "endpoints create https://example.com/hook --filters status=published --headers 'X-Team=blue'",
            "with a filter on the data, and a header that is sent along",
        ),
    ]),
    Call::new("update", "updateEndpoint", One(&[])).renamed(&[("url", "endpoint-url")]).example(&[
        ("endpoints update ep_01m0e3tb0g000 --events '*' --timeout 20s", "what is not named stays"),
        (
            "endpoints update ep_01m0e3tb0g000 --retry-schedule 5s,5m,30m,2h,5h",
            "the waits after failed attempts",
        ),
        ("endpoints update ep_01m0e3tb0g000 --reset rate_limit,retry_schedule", "back to the defaults"),
    ]),
    Call::new("enable", "enableEndpoint", Done("{} receives."))
        .asks_with(("held", "discard"), "Discard what is held for {}?")
        .example(&[("endpoints enable ep_01m0e3tb0g000", "what was held goes out, in order")]),
    Call::new("disable", "disableEndpoint", Done("{} receives nothing until it is enabled."))
        .example(&[("endpoints disable ep_01m0e3tb0g000 --note 'moving house'", "its deliveries are held")]),
    Call::new("test", "testEndpoint", One(&[])).that(Judges).example(&[
        ("endpoints test ep_01m0e3tb0g000", "exits with 1 unless the answer is a 2xx"),
        (
            "endpoints test ep_01m0e3tb0g000 --type order.paid --data '{\"order\": 17}'",
            "an event of your own",
        ),
    ]),
    Call::new("rotate-secret", "rotateSecret", One(&[]))
        .example(&[("endpoints rotate-secret ep_01m0e3tb0g000 --overlap 24h", "both sign for a day")]),
    Call::new("delete", "deleteEndpoint", Done("Deleted {}."))
        .asks("Delete the endpoint {}? What waits for it is canceled.")
        .example(&[("endpoints delete ep_01m0e3tb0g000 --yes", "without being asked")]),
    Call::new("stats", "getStats", One(&[("series", &[])]))
        .example(&[("endpoints stats ep_01m0e3tb0g000 --window 7d --step 1d", "a week, by day")]),
    Call::new("verify-code", "getVerifyCode", Text).example(&[(
        "endpoints verify-code ep_01m0e3tb0g000 --language python",
        "for the receiver's program",
    )]),
];

const DELIVERIES: &[Call] = &[
    Call::new("list", "listDeliveries", Rows(DELIVERY)).example(&[
        ("deliveries list --status failed --since 1d", "what failed for good since yesterday"),
        (
            "deliveries list --endpoint ep_01m0e3tb0g000 --type 'invoice.*' --limit 10",
            "the last ten of a kind",
        ),
    ]),
    Call::new("show", "getDelivery", One(&[("attempt_list", ATTEMPT)]))
        .only_ids_of("dlv")
        .example(&[("deliveries show dlv_01m0e3tb0g002", "with its attempts")]),
    Call::new("curl", "getDeliveryAsCurl", Text)
        .only_ids_of("dlv")
        .example(&[("deliveries curl dlv_01m0e3tb0g002 --attempt 1", "the exact request of an attempt")]),
    Call::new("retry", "retryDelivery", One(&[]))
        .only_ids_of("dlv")
        .example(&[("deliveries retry dlv_01m0e3tb0g002", "now, or once more from the start")]),
    Call::new("cancel", "cancelDelivery", Done("Canceled {}."))
        .only_ids_of("dlv")
        .example(&[("deliveries cancel dlv_01m0e3tb0g002", "one that waits or is held")]),
    Call::new("release", "releaseDeliveries", One(&[]))
        .words(&["held"])
        .asks_with(("held", "discard"), "Discard what the restore holds back?")
        .example(&[
            ("deliveries release deliver", "send what a restore holds back"),
            ("deliveries release discard --tenant acme --yes", "or give it up, for one tenant"),
        ]),
];

const EVENTS: &[Call] = &[
    Call::new("list", "listEvents", Rows(&["id", "type", "tenant", "deliveries", "created_at"]))
        .example(&[("events list --type 'order.*' --since 1h", "the last hour's orders")]),
    Call::new("show", "getEvent", One(&[])).example(&[("events show evt_01m0e3tb0g001", "with its data")]),
    Call::new("deliveries", "listDeliveriesOfEvent", Rows(DELIVERY))
        .example(&[("events deliveries evt_01m0e3tb0g001", "where it went")]),
    Call::new("matching", "listMatching", Rows(&["endpoint_id", "url", "enabled", "reason", "message"]))
        .example(&[("events matching evt_01m0e3tb0g001", "why it went where it went")]),
    Call::new("replay", "replayEvent", One(&[])).example(&[
        ("events replay evt_01m0e3tb0g001", "to all that match now"),
        ("events replay evt_01m0e3tb0g001 --endpoint ep_01m0e3tb0g000", "to one endpoint"),
    ]),
    Call::new("delete-data", "deleteEventData", Done("The data of {} is gone."))
        .asks("Delete the data of {}? What waits of it is canceled.")
        .example(&[("events delete-data evt_01m0e3tb0g001 --yes", "personal data; the records stay")]),
];

const REPLAYS: &[Call] = &[
    Call::new("list", "listReplays", Rows(REPLAY))
        .example(&[("replays list --endpoint ep_01m0e3tb0g000", "those of an endpoint")]),
    Call::new("show", "getReplay", One(&[]))
        .only_ids_of("rpl")
        .example(&[("replays show rpl_01m0e3tb0g003", "how far it is")]),
    Call::new("cancel", "cancelReplay", Ended("{} goes no further."))
        .only_ids_of("rpl")
        .example(&[("replays cancel rpl_01m0e3tb0g003", "what is on its way stays so")]),
];
