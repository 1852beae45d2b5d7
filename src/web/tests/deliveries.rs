use std::sync::Mutex;

use super::*;
use crate::domain::ids::DeliveryId;
use crate::domain::outcome::Fact;
use crate::store::handover::{Change, Page, PagePlan};
use crate::store::outcome::{AttemptRecord, Outcome, PhasesMs};

const ALL: &[Scope] = &[Scope::EventsWrite, Scope::EventsRead, Scope::DeliveriesRead, Scope::DeliveriesWrite];
const FAILED: Fact = Fact::Failed { timed_out: false, gone: false, retry_after: None };

impl House {
    /// An event to the endpoint of `default`; its delivery.
    async fn delivery(&self, key: &str) -> DeliveryId {
        let id = self.publish(key, r#"{"type":"invoice.paid","data":{ "n": 1.0 }}"#).await;
        let list = self.get(key, &format!("/api/v1/events/{id}/deliveries")).await;
        DeliveryId::parse(list.json["data"][0]["id"].as_str().unwrap()).unwrap()
    }

    /// Reports an attempt as a delivery thread would.
    fn settle(&self, delivery: DeliveryId, endpoint: EndpointId, round: u32, fact: Fact) {
        let delivered = fact == Fact::Delivered;
        let attempt = AttemptRecord {
            revision: 1,
            format_revision: 0,
            started_at: UnixMs(1_771_857_001_999),
            duration_ms: 12,
            phases: PhasesMs { dns: Some(1), ..PhasesMs::default() },
            address: Some("198.51.100.7:443".to_owned()),
            signatures: "v1,c2lnbmVk".to_owned(),
            status_code: Some(if delivered { 200 } else { 500 }),
            error: (!delivered).then(|| "the endpoint answered 500".to_owned()),
            response_headers: b"server: x\nset-cookie: a\nset-cookie: b\n".to_vec(),
            response_body: b"oh \xff".to_vec(),
        };
        let store = self.state.service.store();
        store.settle(Outcome { delivery, endpoint, round, fact, jitter: 0, attempt });
        self.write(|_| Ok(()));
    }

    /// Fails a delivery for good.
    fn exhaust(&self, delivery: DeliveryId, endpoint: EndpointId, round: u32) {
        for _ in 0..10 {
            self.settle(delivery, endpoint, round, FAILED);
        }
    }
}

/// A dispatcher that sends nothing: one delivery is in flight if the test says so, and it notes what it is told
/// about single deliveries.
#[derive(Default)]
struct Recorder {
    in_flight: Mutex<Option<DeliveryId>>,
    told: Mutex<Vec<String>>,
}

impl Handover for Recorder {
    fn committed(&self, changes: Vec<Change>) {
        let mut told = self.told.lock().unwrap();
        told.extend(changes.into_iter().filter_map(|change| match change {
            Change::Urgent(job) => Some(format!("urgent {}", job.delivery)),
            Change::Withdrawn(delivery, _) => Some(format!("withdrawn {delivery}")),
            _ => None,
        }));
    }
    fn in_flight(&self, delivery: DeliveryId) -> bool {
        *self.in_flight.lock().unwrap() == Some(delivery)
    }
    fn wants_page(&self) -> Option<(EndpointId, PagePlan)> {
        None
    }
    fn knows(&self, _delivery: DeliveryId) -> bool {
        true
    }
    fn paged(&self, _endpoint: EndpointId, _page: Option<Page>) {}
    fn unavailable(&self, _reason: Option<&str>) {}
    fn time_of_day_changed(&self) {}
}

fn path(delivery: DeliveryId) -> String {
    format!("/api/v1/deliveries/{delivery}")
}

#[actix_web::test]
async fn a_delivery_shows_its_attempts_with_the_requests_rendered_again() {
    let house = House::new();
    let (key, endpoint) = (house.key(ALL, None), house.endpoint("default"));
    let delivery = house.delivery(&key).await;
    house.settle(delivery, endpoint, 1, FAILED);
    let shown = house.get(&key, &path(delivery)).await.json;
    assert_eq!((&shown["status"], &shown["attempts"]), (&"pending".into(), &1.into()));
    assert_eq!(shown["response_body"], "oh \u{fffd}");
    assert_eq!(shown["error"], "the endpoint answered 500");
    assert_eq!(shown["next_retry_at"], "2026-02-23T14:30:05.001Z");
    let event = shown["event_id"].as_str().unwrap();
    let body = format!(
        r#"{{"id":"{event}","type":"invoice.paid","timestamp":"2026-02-23T14:30:00.000Z","tenant":"default","data":{{ "n": 1.0 }}}}"#
    );
    assert_eq!(shown["request_body"], body);
    let attempt = &shown["attempt_list"][0];
    assert_eq!((&attempt["number"], &attempt["round"]), (&1.into(), &1.into()));
    assert_eq!(attempt["phases_ms"]["dns"], 1);
    assert_eq!(attempt["url"], "https://hooks.example/a");
    let headers = &attempt["request_headers"];
    assert_eq!(headers["host"], "hooks.example");
    assert_eq!(headers["webhook-id"], event);
    assert_eq!(headers["webhook-timestamp"], "1771857001");
    assert_eq!(headers["webhook-signature"], "v1,c2lnbmVk");
    assert_eq!(headers["user-agent"], concat!("Postrider/", env!("CARGO_PKG_VERSION")));
    assert_eq!(headers["x-team"], "•••");
    assert_eq!(headers["content-length"], body.len().to_string());
    assert_eq!(attempt["response_headers"]["set-cookie"], serde_json::json!(["a", "b"]));
}

#[actix_web::test]
async fn deliveries_are_listed_by_tenant_endpoint_and_status() {
    let house = House::new();
    let (key, bound) = (house.key(ALL, None), house.key(ALL, Some("acme")));
    let (endpoint, _) = (house.endpoint("default"), house.endpoint("acme"));
    let first = house.delivery(&key).await;
    house.delivery(&key).await;
    house.publish(&bound, r#"{"type":"b","data":1}"#).await;
    house.settle(first, endpoint, 1, Fact::Delivered);
    for (path, count) in [
        ("/api/v1/deliveries".to_owned(), 3),
        ("/api/v1/deliveries?tenant=default".to_owned(), 2),
        ("/api/v1/deliveries?tenant=nobody".to_owned(), 0),
        (format!("/api/v1/deliveries?endpoint={endpoint}&status=delivered"), 1),
        ("/api/v1/deliveries?type=b".to_owned(), 1),
        (format!("/api/v1/endpoints/{endpoint}/deliveries?status=pending"), 1),
        ("/api/v1/endpoints/default-erp/deliveries".to_owned(), 2),
        ("/api/v1/endpoints/acme-erp/deliveries?tenant=acme".to_owned(), 1),
    ] {
        let answer = house.get(&key, &path).await;
        assert_eq!(answer.json["data"].as_array().map(Vec::len), Some(count), "{path}: {}", answer.text);
    }
    assert_eq!(house.get(&bound, "/api/v1/deliveries").await.json["data"].as_array().unwrap().len(), 1);
    for path in [format!("/api/v1/endpoints/{endpoint}/deliveries"), path(first)] {
        assert_eq!(house.get(&bound, &path).await.problem(), (404, "not_found"), "{path}");
    }
    let wrong = house.get(&key, "/api/v1/deliveries?status=sent").await;
    assert_eq!((wrong.problem(), wrong.fields()), ((400, "invalid_query"), vec!["status"]));
}

#[actix_web::test]
async fn a_failed_delivery_gets_a_new_round() {
    let house = House::new();
    let (key, endpoint) = (house.key(ALL, None), house.endpoint("default"));
    let delivery = house.delivery(&key).await;
    house.exhaust(delivery, endpoint, 1);
    assert_eq!(house.get(&key, &path(delivery)).await.json["status"], "failed");
    let answer = house.post(&key, &format!("{}/retry", path(delivery)), "").await;
    assert_eq!((answer.status.as_u16(), &answer.json["status"]), (202, &"pending".into()));
    assert_eq!((&answer.json["attempts"], &answer.json["next_retry_at"]), (&10.into(), &Value::Null));
    house.exhaust(delivery, endpoint, 2);
    let shown = house.get(&key, &path(delivery)).await.json;
    assert_eq!((&shown["status"], &shown["attempts"]), (&"failed".into(), &20.into()));
    assert_eq!(shown["attempt_list"][19]["round"], 2);
}

#[actix_web::test]
async fn a_pending_delivery_is_retried_in_its_round() {
    let house = House::new();
    let (key, endpoint) = (house.key(ALL, None), house.endpoint("default"));
    let delivery = house.delivery(&key).await;
    house.settle(delivery, endpoint, 1, FAILED);
    let answer = house.post(&key, &format!("{}/retry", path(delivery)), "{}").await;
    assert_eq!((answer.status.as_u16(), &answer.json["next_retry_at"]), (202, &Value::Null));
    for _ in 0..9 {
        house.settle(delivery, endpoint, 1, FAILED);
    }
    assert_eq!(house.get(&key, &path(delivery)).await.json["status"], "failed");
}

#[actix_web::test]
async fn the_retry_of_a_delivered_one_is_a_new_delivery() {
    let house = House::new();
    let (key, endpoint) = (house.key(ALL, None), house.endpoint("default"));
    let delivery = house.delivery(&key).await;
    house.settle(delivery, endpoint, 1, Fact::Delivered);
    let answer = house.post(&key, &format!("{}/retry", path(delivery)), "").await.json;
    assert_eq!(answer["replay_of"], delivery.to_string());
    assert_eq!(answer["status"], "pending");
    assert_eq!(house.get(&key, &path(delivery)).await.json["status"], "delivered");
    let event = answer["event_id"].as_str().unwrap();
    let all = house.get(&key, &format!("/api/v1/events/{event}/deliveries")).await.json;
    assert_eq!((all["data"].as_array().unwrap().len(), &all["data"][0]["id"]), (2, &answer["id"]));
}

#[actix_web::test]
async fn what_cannot_be_retried_says_what_to_do() {
    let house = House::new();
    let (key, endpoint) = (house.key(ALL, None), house.endpoint("default"));
    let delivery = house.delivery(&key).await;
    let retry = format!("{}/retry", path(delivery));
    house.disable(endpoint);
    let answer = house.post(&key, &retry, "").await;
    assert_eq!(answer.problem(), (409, "not_retryable"));
    assert!(answer.text.contains("/enable"), "{}", answer.text);
    house.write(move |tx| tx.delete_endpoint(endpoint, &Actor::system()));
    let answer = house.post(&key, &retry, "").await;
    assert_eq!(answer.problem(), (409, "not_retryable"));
    assert!(answer.text.contains("deleted"), "{}", answer.text);
    let unknown = house.post(&key, "/api/v1/deliveries/dlv_0000000000000/retry", "").await;
    assert_eq!(unknown.problem(), (404, "not_found"));
    assert_eq!(house.post(&key, &retry, r#"{"now":true}"#).await.problem(), (422, "invalid"));
}

#[actix_web::test]
async fn what_is_pending_or_held_can_be_canceled_once() {
    let house = House::new();
    let (key, endpoint) = (house.key(ALL, None), house.endpoint("default"));
    let pending = house.delivery(&key).await;
    let held = house.delivery(&key).await;
    let answer = house.post(&key, &format!("{}/cancel", path(pending)), "").await;
    assert_eq!((answer.status.as_u16(), &answer.json["status"]), (202, &"canceled".into()));
    let again = house.post(&key, &format!("{}/cancel", path(pending)), "").await;
    assert_eq!(again.problem(), (409, "not_cancelable"));
    assert!(again.text.contains("canceled already"), "{}", again.text);
    // The receiver has it all the same.
    house.settle(pending, endpoint, 1, Fact::Delivered);
    assert_eq!(house.get(&key, &path(pending)).await.json["status"], "delivered");
    house.disable(endpoint);
    assert_eq!(house.get(&key, &path(held)).await.json["held_reason"], "endpoint_disabled");
    let answer = house.post(&key, &format!("{}/cancel", path(held)), "").await;
    assert_eq!((answer.status.as_u16(), &answer.json["held_reason"]), (202, &Value::Null));
}

#[actix_web::test]
async fn a_key_of_another_tenant_can_do_nothing_to_a_delivery() {
    let house = House::new();
    let (key, bound) = (house.key(ALL, None), house.key(ALL, Some("acme")));
    house.endpoint("default");
    let delivery = house.delivery(&key).await;
    for call in ["retry", "cancel"] {
        let answer = house.post(&bound, &format!("{}/{call}", path(delivery)), "").await;
        assert_eq!(answer.problem(), (404, "not_found"));
    }
    assert_eq!(house.get(&key, &path(delivery)).await.json["status"], "pending");
}

#[actix_web::test]
async fn what_is_in_flight_can_be_canceled_but_not_retried() {
    let recorder = Arc::new(Recorder::default());
    let house = House::with(Arc::clone(&recorder) as Arc<dyn Handover>);
    let (key, endpoint) = (house.key(ALL, None), house.endpoint("default"));
    let delivery = house.delivery(&key).await;
    *recorder.in_flight.lock().unwrap() = Some(delivery);
    let retry = format!("{}/retry", path(delivery));
    assert_eq!(house.post(&key, &retry, "").await.problem(), (409, "not_retryable"));
    let answer = house.post(&key, &format!("{}/cancel", path(delivery)), "").await;
    assert_eq!(answer.json["status"], "canceled");
    house.settle(delivery, endpoint, 1, FAILED);
    assert_eq!(house.get(&key, &path(delivery)).await.json["status"], "canceled");
    *recorder.in_flight.lock().unwrap() = None;
    assert_eq!(house.post(&key, &retry, "").await.json["status"], "pending");
    let told = recorder.told.lock().unwrap().clone();
    assert_eq!(told, [format!("withdrawn {delivery}"), format!("urgent {delivery}")]);
}
