//! The request that Postrider makes of the load's events, rendered by its own code.

use postrider::domain::format::{AttemptOnWire, EventOnWire, Format, Rendered};
use postrider::domain::secret::Secret;
use postrider::domain::time::UnixMs;
use serde_json::value::RawValue;

use crate::Fallible;
use crate::load::request::{BODY, event};

/// The tenant of scenarios with one.
pub const TENANT: &str = "default";

/// Headers and body.
pub fn rendered() -> Fallible<Rendered> {
    let data = data()?;
    let on_wire = EventOnWire {
        id: "evt_0000000000000",
        r#type: "order.paid",
        timestamp: UnixMs(1_771_857_000_000),
        tenant: TENANT,
        data: &data,
    };
    let signer = Format::standard().signer(&Secret::generate([7; 32]))?;
    let signers: Vec<_> = signer.iter().collect();
    let attempt = AttemptOnWire { timestamp_seconds: 1_771_857_000, number: 1 };
    Ok(Format::standard().render(&on_wire, &attempt, &signers, &[], "Postrider"))
}

/// The `data` of the load's events.
pub fn data() -> Fallible<String> {
    #[derive(serde::Deserialize)]
    struct Event {
        data: Box<RawValue>,
    }
    let event: Event = serde_json::from_str(&event(TENANT, "order.paid", BODY))?;
    Ok(event.data.get().to_owned())
}
