//! What arrives at a receiver, and who gets what.

use std::time::Duration;

use postrider::domain::ids::EndpointId;
use postrider::domain::secret::Secret;
use postrider::domain::time::UnixMs;
use postrider::store::StoreError;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::receiver::{Received, Receiver, Reply};

/// Whether the published library takes a request for one that was signed with this secret, now.
fn verifies(request: &Received, secret: &str) -> bool {
    let mut headers = http::HeaderMap::new();
    for (name, value) in &request.headers {
        let name = http::HeaderName::try_from(name.as_str()).expect("a header name");
        headers.insert(name, value.parse().expect("a header value"));
    }
    let webhook = Webhook::new(secret).expect("a secret of Standard Webhooks");
    webhook.verify(&request.body, &headers).is_ok()
}

#[test]
fn a_delivery_is_a_post_that_the_published_library_verifies() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let made = app.create_endpoint(&json!({ "url": receiver.url("/hooks?team=7"), "events": ["*"] }));
    let event = app.publish("invoice.paid", &json!({ "amount": 4200 }));
    let request = receiver.next();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hooks"));
    assert_eq!(request.query.as_deref(), Some("team=7"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("user-agent"), Some(concat!("Postrider/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(request.header("host"), Some(receiver.address().to_string().as_str()));
    assert_eq!(request.header("webhook-id"), event["id"].as_str());
    let secret = text(&made, "secret");
    assert!(verifies(&request, &secret), "{:?}", request.headers);
    assert!(!verifies(&request, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "of another");
    let forged = Received { body: b"{}".to_vec(), ..(*request).clone() };
    assert!(!verifies(&forged, &secret), "another body");
    app.settle();
    let delivery = app.delivery_of(&event);
    shows(&delivery, &json!({ "status": "delivered", "status_code": 200 }));
    assert!(delivery["delivered_at"].is_string() && delivery["error"].is_null(), "{delivery}");
}

#[test]
fn the_body_is_the_event_with_its_data_byte_for_byte() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    let all = [
        "12345678901234567890",
        r#"{ "n" : 12345678901234567890,  "x":1.0,"e":1E+2 ,"d": -0.00}"#,
        r#""\u00e9\ud83d\ude00 é😀 \/ \t""#,
        r#"{"a":1,"a":2,"b":[ ],"":null}"#,
        "[\n\t1,\r\n 2 ]",
        "null",
        "false",
        "0.1234567890123456789012345678901234567890",
    ];
    for data in all {
        let event = app.publish_text(&format!(r#"{{"type":"a.b","data": {data} ,"tenant":null}}"#));
        let expected = format!(
            r#"{{"id":"{}","type":"a.b","timestamp":"2026-02-23T14:30:00.000Z","tenant":"default","data":{data}}}"#,
            text(&event, "id")
        );
        assert_eq!(std::str::from_utf8(&receiver.next().body), Ok(expected.as_str()));
        app.settle();
        let id = text(&app.delivery_of(&event), "id");
        assert_eq!(app.delivery(&id)["request_body"], json!(expected), "shown as it was sent");
    }
}

#[test]
fn own_ids_own_times_and_tenants_arrive() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.create_endpoint(&json!({ "url": receiver.url("/"), "events": ["*"], "tenant": "acme" }));
    app.post(
        "/events",
        &json!({ "type": "t", "data": 1, "tenant": "acme", "id": "order-17", "timestamp": "2020-01-02T03:04:05+02:00" }),
    )
    .expect(202);
    let request = receiver.next();
    assert_eq!(request.header("webhook-id"), Some("order-17"));
    let body =
        r#"{"id":"order-17","type":"t","timestamp":"2020-01-02T01:04:05.000Z","tenant":"acme","data":1}"#;
    assert_eq!(std::str::from_utf8(&request.body), Ok(body));
}

#[test]
fn every_attempt_has_the_same_id_and_a_time_and_a_signature_of_its_own() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    receiver.reply(Reply::status(500));
    let event = app.publish("t", &json!(1));
    app.settle();
    app.advance(Duration::from_secs(6));
    let both = receiver.wait_for(2);
    let header = |n: usize, name| both[n].header(name).expect("a header").to_owned();
    for n in [0, 1] {
        assert_eq!(header(n, "webhook-id"), text(&event, "id"));
    }
    assert_eq!((header(0, "webhook-timestamp"), header(1, "webhook-timestamp")), {
        ("1771857000".to_owned(), "1771857006".to_owned())
    });
    assert_ne!(header(0, "webhook-signature"), header(1, "webhook-signature"));
    assert_eq!(both[0].body, both[1].body);
}

#[test]
fn an_endpoints_headers_arrive_and_are_nowhere_shown() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let made = app.create_endpoint(&json!({
        "url": receiver.url("/"), "events": ["*"], "headers": { "Authorization": "Basic c2VjcmV0", "X-Team": "red" }
    }));
    let event = app.publish("t", &json!(1));
    let request = receiver.next();
    assert_eq!(request.header("authorization"), Some("Basic c2VjcmV0"));
    assert_eq!(request.header("x-team"), Some("red"));
    app.settle();
    let delivery = app.delivery(&text(&app.delivery_of(&event), "id"));
    let shown = [delivery.to_string(), app.endpoint(&text(&made, "id")).to_string()];
    for text in shown {
        assert!(text.contains("•••") && !text.contains("c2VjcmV0") && !text.contains("\"red\""), "{text}");
    }
}

#[test]
fn both_live_secrets_sign_until_the_older_one_expires() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let made = app.create_endpoint(&json!({ "url": receiver.url("/"), "events": ["*"] }));
    let (id, old) = (text(&made, "id"), text(&made, "secret"));
    let put = |new: Secret, end: UnixMs| {
        let endpoint = EndpointId::parse(&id).expect("an id");
        let store = app.service().store();
        let put = store.write::<(), StoreError>(move |tx| {
            tx.put_secret(endpoint, Some(&new), Some(end))?;
            tx.reload_route(endpoint)
        });
        put.wait().expect("written");
    };
    let now = app.service().store().times().wall();
    let (second, third) = (Secret::generate([2; 32]), Secret::generate([3; 32]));
    put(second.clone(), now.plus(Duration::from_hours(1)));
    app.publish("t", &json!(1));
    let request = receiver.next();
    assert_eq!(request.header("webhook-signature").map(|all| all.split(' ').count()), Some(2));
    assert!(verifies(&request, &old) && verifies(&request, second.expose()));

    put(third.clone(), now);
    app.publish("t", &json!(1));
    let request = receiver.next();
    assert!(verifies(&request, third.expose()), "the newest");
    assert!(!verifies(&request, &old) && !verifies(&request, second.expose()), "expired");
}

#[test]
fn patterns_and_filters_decide_who_gets_what() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoints = [
        ("/exact", json!(["post.created"]), json!({})),
        ("/below", json!(["post.*"]), json!({})),
        ("/all", json!(["*"]), json!({})),
        ("/none", json!([]), json!({})),
        ("/published", json!(["post.*"]), json!({ "status": "published", "post.author.id": [7, "8"] })),
    ];
    for (path, events, filters) in endpoints {
        app.create_endpoint(&json!({ "url": receiver.url(path), "events": events, "filters": filters }));
    }
    let publish = |event_type: &str, data: Value| {
        let counted = app.publish(event_type, &data)["deliveries"].as_u64();
        app.settle();
        let paths = ["/exact", "/below", "/all", "/none", "/published"];
        let got: Vec<_> = paths.into_iter().filter(|path| receiver.count_on(path) > 0).collect();
        let total = receiver.received().len();
        (counted, got, total)
    };
    assert_eq!(publish("postal", json!(1)), (Some(1), vec!["/all"], 1));
    assert_eq!(publish("post.comment.added", json!({})), (Some(2), vec!["/below", "/all"], 3));
    assert_eq!(publish("post.created", json!({})), (Some(3), vec!["/exact", "/below", "/all"], 6));
    let published = |author: Value| json!({ "status": "published", "post": { "author": { "id": author } } });
    assert_eq!(publish("post.x", published(json!(7.0))).0, Some(3), "numbers by value");
    assert_eq!(publish("post.x", published(json!("8"))).0, Some(3));
    for other in [json!(8), json!("7"), json!([7]), json!(null)] {
        assert_eq!(publish("post.x", published(other.clone())).0, Some(2), "{other}");
    }
    assert_eq!(receiver.count_on("/published"), 2);
    assert_eq!(receiver.count_on("/none"), 0);
}

#[test]
fn an_event_reaches_all_endpoints_of_its_tenant_and_no_other() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    for (tenant, path) in [("one", "/1a"), ("one", "/1b"), ("one", "/1c"), ("two", "/2")] {
        app.create_endpoint(&json!({ "url": receiver.url(path), "events": ["*"], "tenant": tenant }));
    }
    let event = app.post("/events", &json!({ "type": "t", "data": 1, "tenant": "one" })).expect(202).json();
    assert_eq!(event["deliveries"], 3);
    app.settle();
    assert_eq!(["/1a", "/1b", "/1c", "/2"].map(|path| receiver.count_on(path)), [1, 1, 1, 0]);
    let list = app.list(&format!("/events/{}/deliveries", text(&event, "id")));
    assert_eq!(list.iter().filter(|row| row["status"] == "delivered").count(), 3);
}

#[test]
fn an_endpoint_that_is_made_later_gets_nothing_of_before() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/first");
    app.publish("t", &json!(1));
    app.endpoint_at(&receiver, "/second");
    app.settle();
    assert_eq!((receiver.count_on("/first"), receiver.count_on("/second")), (1, 0));
    app.publish("t", &json!(2));
    app.settle();
    assert_eq!((receiver.count_on("/first"), receiver.count_on("/second")), (2, 1));
}
