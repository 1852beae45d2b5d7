//! Settings: what is taken is stored, listed and taken again as it is.

use postrider::domain::retry::RetrySchedule;
use postrider::domain::settings::Settings;
use serde_json::{Map, Value};

pub fn target(bytes: &[u8]) {
    let Ok(patch) = serde_json::from_slice::<Map<String, Value>>(bytes) else { return };
    let default = Settings::default();
    let patched = default.patched(&patch);
    let each = |(name, value): (&String, &Value)| Settings::default().set(name, value).is_ok();
    assert_eq!(patched.is_ok(), patch.iter().all(each), "all or none");
    let Ok(settings) = patched else { return };
    let shown = shown(&settings);
    for (name, value) in &patch {
        let reset = shown_default(name);
        let wanted = by_value(if value.is_null() { &reset } else { value });
        assert_eq!(by_value(&shown[name]), wanted, "{name}");
    }
    assert_eq!(default.patched(&shown).as_ref(), Ok(&settings), "what is shown is taken");
    assert_eq!(settings.patched(&shown).as_ref(), Ok(&settings), "and changes nothing");
    let nulls = shown.keys().map(|name| (name.clone(), Value::Null)).collect();
    assert_eq!(settings.patched(&nulls), Ok(default), "null is the default");
    assert!(
        (1..=3650).contains(&settings.retention_days) && settings.event_days().is_none_or(|days| days > 0)
    );
    waits(&settings.retry_schedule);
}

fn shown(settings: &Settings) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(all)) => all,
        other => panic!("settings are no object: {other:?}"),
    }
}

/// Numbers count by their value: 300 may be written as 300.0.
fn by_value(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or_else(|| value.clone(), Value::from),
        Value::Array(all) => all.iter().map(by_value).collect(),
        other => other.clone(),
    }
}

fn shown_default(name: &str) -> Value {
    shown(&Settings::default()).remove(name).expect("a setting")
}

/// Each wait has 0 to 10 % on top, never less.
fn waits(schedule: &RetrySchedule) {
    for (at, seconds) in (1_u32..).zip(schedule.seconds()) {
        let wait = |jitter| schedule.delay(at, jitter).expect("a wait").as_millis();
        let plain = u128::from(*seconds) * 1000;
        assert!(wait(0) == plain && wait(u32::MAX) == plain + plain / 10 && wait(u32::MAX / 2) >= plain);
    }
    assert_eq!((schedule.delay(0, 0), schedule.delay(schedule.attempts_in_round(), 0)), (None, None));
}
