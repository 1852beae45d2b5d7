use super::*;

const ALL: &[Scope] = &[Scope::EventsRead, Scope::EventsWrite, Scope::DeliveriesRead];

fn ids(answer: &Answer) -> Vec<String> {
    let rows = answer.json["data"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_published_event_is_shown_with_its_data_byte_for_byte() {
    let house = House::new();
    let key = house.key(ALL, None);
    house.endpoint("default");
    let body = r#"{"type":"invoice.paid","data":{ "n": 12345678901234567890,"n":1.0 },"timestamp":"2026-02-20T00:00:00+01:00"}"#;
    let answer = house.post(&key, "/api/v1/events", body).await;
    let id = answer.json["id"].as_str().unwrap();
    let expected = format!(
        r#"{{"id":"{id}","type":"invoice.paid","tenant":"default","timestamp":"2026-02-19T23:00:00.000Z","created_at":"2026-02-23T14:30:00.000Z","deliveries":1}}"#
    );
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (202, expected.as_str()));
    let shown = house.get(&key, &format!("/api/v1/events/{id}")).await;
    assert!(
        shown.text.ends_with(
            r#","deliveries":1,"data":{ "n": 12345678901234567890,"n":1.0 },"data_deleted_at":null}"#
        ),
        "{}",
        shown.text
    );
}

#[actix_web::test]
async fn an_event_for_nobody_is_accepted_with_a_warning() {
    let house = House::new();
    let key = house.key(ALL, None);
    let answer = house.post(&key, "/api/v1/events", r#"{"type":"a","data":null,"tenant":"acme"}"#).await;
    assert_eq!(answer.json["deliveries"], 0);
    assert!(answer.json["warnings"][0].as_str().unwrap().contains("acme"), "{}", answer.text);
}

#[actix_web::test]
async fn a_repetition_with_the_same_key_and_bytes_gets_the_same_answer() {
    let house = House::new();
    let key = house.key(ALL, None);
    let post = |body: &'static str| {
        let request = TestRequest::post().uri("/api/v1/events").set_payload(body);
        let request = request.insert_header(("content-type", "application/json"));
        house.call(bearer(request.insert_header(("idempotency-key", "k1")), &key))
    };
    let first = post(r#"{"type":"a","data":1}"#).await;
    house.endpoint("default");
    let second = post(r#"{"type":"a","data":1}"#).await;
    assert_eq!((first.header("idempotent-replayed"), second.header("idempotent-replayed")), ("", "true"));
    assert_eq!((first.text, second.status), (second.text, first.status));
    assert_eq!(post(r#"{"type":"a","data":2}"#).await.problem(), (409, "idempotency_key_reused"));
    let twice = TestRequest::post().uri("/api/v1/events").append_header(("idempotency-key", "a"));
    let answer = house.call(bearer(twice.append_header(("idempotency-key", "b")), &key)).await;
    assert_eq!((answer.problem(), answer.fields()), ((400, "invalid_header"), vec!["Idempotency-Key"]));
}

#[actix_web::test]
async fn an_own_id_is_looked_up_in_its_tenant() {
    let house = House::new();
    let (key, bound) = (house.key(ALL, None), house.key(ALL, Some("acme")));
    let body = r#"{"type":"a","data":1,"id":"order-1","tenant":"acme"}"#;
    assert_eq!(house.publish(&key, body).await, "order-1");
    assert_eq!(house.get(&key, "/api/v1/events/order-1").await.problem(), (404, "not_found"));
    assert_eq!(house.get(&key, "/api/v1/events/order-1?tenant=acme").await.json["tenant"], "acme");
    assert_eq!(house.get(&bound, "/api/v1/events/order-1").await.json["id"], "order-1");
    assert_eq!(house.get(&bound, "/api/v1/events/order-1/deliveries").await.status, StatusCode::OK);
    let again = house.post(&bound, "/api/v1/events", r#"{"type":"a","data":1,"id":"order-1"}"#).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    let other = house.post(&bound, "/api/v1/events", r#"{"type":"a","data":2,"id":"order-1"}"#).await;
    assert_eq!(other.problem(), (409, "id_taken"));
}

#[actix_web::test]
async fn a_bound_key_sees_nothing_of_other_tenants() {
    let house = House::new();
    let (key, bound) = (house.key(ALL, None), house.key(ALL, Some("acme")));
    let id = house.publish(&key, r#"{"type":"a","data":1}"#).await;
    let own = house.publish(&bound, r#"{"type":"a","data":1}"#).await;
    for path in [format!("/api/v1/events/{id}"), format!("/api/v1/events/{id}/deliveries")] {
        assert_eq!(house.get(&bound, &path).await.problem(), (404, "not_found"));
    }
    assert_eq!(ids(&house.get(&bound, "/api/v1/events").await), [own]);
    assert_eq!(house.get(&bound, "/api/v1/events?tenant=default").await.problem(), (404, "not_found"));
    let other = r#"{"type":"a","data":1,"tenant":"default"}"#;
    assert_eq!(house.post(&bound, "/api/v1/events", other).await.problem(), (404, "not_found"));
}

#[actix_web::test]
async fn lists_are_paged_filtered_and_without_data() {
    let house = House::new();
    let key = house.key(ALL, None);
    let mut published = Vec::new();
    for kind in ["a.b", "a.c", "b", "a.b"] {
        published.push(house.publish(&key, &format!(r#"{{"type":"{kind}","data":1}}"#)).await);
    }
    published.reverse();
    let first = house.get(&key, "/api/v1/events?limit=3").await;
    assert_eq!(ids(&first), published[..3]);
    assert_eq!(first.json["data"][0].get("data"), None);
    let cursor = first.json["next_cursor"].as_str().unwrap();
    let second = house.get(&key, &format!("/api/v1/events?limit=3&cursor={cursor}")).await;
    assert_eq!((ids(&second), &second.json["next_cursor"]), (published[3..].to_vec(), &Value::Null));
    assert_eq!(ids(&house.get(&key, "/api/v1/events?type=a.*").await).len(), 3);
    assert_eq!(ids(&house.get(&key, "/api/v1/events?tenant=nobody").await).len(), 0);
    let since = "/api/v1/events?since=2026-02-23T14:30:00.002Z&until=2026-02-23T14:30:00.003Z";
    assert_eq!(ids(&house.get(&key, since).await), published[1..2]);
}

#[actix_web::test]
async fn strictness_refuses_what_is_unknown() {
    let house = House::new();
    let key = house.key(ALL, None);
    house.settings(|settings| (settings.strict_tenants, settings.strict_event_types) = (true, true));
    let answer = house.post(&key, "/api/v1/events", r#"{"type":"a","data":1}"#).await;
    assert_eq!((answer.problem(), answer.fields()), ((422, "unknown_event_type"), vec!["type"]));
    house.settings(|settings| settings.strict_tenants = true);
    let answer = house.post(&key, "/api/v1/events", r#"{"type":"a","data":1,"tenant":"new"}"#).await;
    assert_eq!(answer.problem(), (422, "unknown_tenant"));
}

#[actix_web::test]
async fn data_may_be_as_long_as_the_setting_says() {
    let house = House::new();
    let key = house.key(ALL, None);
    house.settings(|settings| settings.data_limit_bytes = 1024);
    let body = |length: usize| format!(r#"{{"type":"a","data":"{}"}}"#, "x".repeat(length - 2));
    assert_eq!(house.post(&key, "/api/v1/events", &body(1024)).await.status, StatusCode::ACCEPTED);
    let answer = house.post(&key, "/api/v1/events", &body(1025)).await;
    assert_eq!(answer.problem(), (413, "too_large"));
    assert!(answer.text.contains("1025 bytes") && answer.text.contains("1024"), "{}", answer.text);
}
