use super::*;

const EVERY: &[Scope] = Scope::ALL;

#[actix_web::test]
async fn health_needs_no_key() {
    let house = House::new();
    let answer = house.call(TestRequest::get().uri("/healthz")).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, r#"{"status":"ok"}"#));
    assert_eq!(answer.header("x-request-id").len(), 16);
    assert_eq!(house.call(TestRequest::get().uri("/readyz")).await.status, StatusCode::OK);
    house.state.service.readiness().set_own_trouble("no route to anywhere".to_owned(), Duration::ZERO);
    let answer = house.call(TestRequest::get().uri("/readyz")).await;
    assert_eq!(answer.problem(), (503, "not_delivering"));
    assert!(answer.text.contains("no route to anywhere") && answer.header("retry-after") == "1");
}

#[actix_web::test]
async fn who_has_no_valid_key_learns_what_to_send() {
    let house = House::new();
    let none = house.call(TestRequest::get().uri("/api/v1/events")).await;
    assert_eq!((none.problem(), none.header("www-authenticate")), ((401, "unauthorized"), "Bearer"));
    assert!(house.get("pr_wrong", "/api/v1/events").await.text.contains("no API key yet"));
    house.key(EVERY, None);
    assert_eq!(house.get("pr_wrong", "/api/v1/events").await.problem(), (401, "unauthorized"));
    let basic = TestRequest::get().uri("/api/v1/events").insert_header(("authorization", "Basic eDp5"));
    assert_eq!(house.call(basic).await.problem(), (401, "unauthorized"));
}

#[actix_web::test]
async fn a_key_needs_the_scope_of_the_call() {
    let house = House::new();
    let key = house.key(&[Scope::EventsRead], None);
    assert_eq!(house.get(&key, "/api/v1/events").await.status, StatusCode::OK);
    let refused = house.post(&key, "/api/v1/events", "{}").await;
    assert_eq!(refused.problem(), (403, "insufficient_scope"));
    assert!(refused.text.contains("events:write"));
}

#[actix_web::test]
async fn the_use_of_a_key_is_written_down() {
    let house = House::new();
    let key = house.key(EVERY, None);
    house.get(&key, "/api/v1/events").await;
    // The queue is in order: this comes after it.
    house.write(|_| Ok(()));
    let keys = house.state.service.store().read(|reader| reader.keys(None, None, None, 10)).unwrap();
    assert_eq!(keys.rows[0].last_used_at(), Some(UnixMs(1_771_857_000_000)));
}

#[actix_web::test]
async fn unknown_paths_and_methods_are_problems() {
    let house = House::new();
    for path in ["/nothing", "/api/v1", "/api/v1/nothing", "/api/v1/events/a/b/c"] {
        let answer = house.call(TestRequest::get().uri(path)).await;
        assert_eq!(answer.problem(), (404, "unknown_path"), "{path}");
    }
    let answer = house.call(TestRequest::delete().uri("/api/v1/events")).await;
    assert_eq!(answer.problem(), (405, "method_not_allowed"));
    assert_eq!(answer.header("allow"), "GET, HEAD, POST");
}

#[actix_web::test]
async fn a_panic_in_a_handler_shows_its_request_id_and_nothing_else() {
    let house = House::new();
    let answer = house.call(TestRequest::get().uri("/panic")).await;
    assert_eq!(answer.problem(), (500, "internal"));
    assert!(!answer.text.contains("secret"), "{}", answer.text);
}

#[actix_web::test]
async fn bodies_must_be_json_and_small_enough() {
    let house = House::new();
    let key = house.key(EVERY, None);
    let post = |kind: &'static str, body: String| {
        let request = TestRequest::post().uri("/api/v1/events").set_payload(body);
        let request = if kind.is_empty() { request } else { request.insert_header(("content-type", kind)) };
        house.call(bearer(request, &key))
    };
    for kind in ["", "text/plain", "application/json; charset=latin1"] {
        assert_eq!(post(kind, "{}".to_owned()).await.problem(), (415, "unsupported_media_type"), "{kind}");
    }
    assert_eq!(post("application/json", "{".to_owned()).await.problem(), (400, "malformed_json"));
    assert_eq!(post("application/json", "[".repeat(100)).await.problem(), (400, "malformed_json"));
    let large = post("application/json", " ".repeat(330 * 1024)).await;
    assert_eq!(large.problem(), (413, "too_large"));
    assert!(large.text.contains("327680"), "{}", large.text);
}

#[actix_web::test]
async fn compressed_bodies_are_refused_by_name() {
    let house = House::new();
    let key = house.key(EVERY, None);
    let request = TestRequest::post()
        .uri("/api/v1/events")
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-encoding", "gzip"));
    let answer = house.call(bearer(request, &key)).await;
    assert_eq!(answer.problem(), (415, "unsupported_media_type"));
    assert!(answer.text.contains("Content-Encoding"));
}

#[actix_web::test]
async fn unknown_parameters_are_refused_by_name() {
    let house = House::new();
    let key = house.key(EVERY, None);
    let answer = house.get(&key, "/api/v1/events?sinze=1&limit=0").await;
    assert_eq!((answer.problem(), answer.fields()), ((400, "invalid_query"), vec!["limit", "sinze"]));
    let answer = house.post(&key, "/api/v1/events?x=1", "{}").await;
    assert_eq!((answer.problem(), answer.fields()), ((400, "invalid_query"), vec!["x"]));
}

#[actix_web::test]
async fn request_ids_are_ours_whatever_a_client_sends() {
    let house = House::new();
    let request = TestRequest::get().uri("/healthz").insert_header(("x-request-id", "mine"));
    let (first, second) = (house.call(request).await, house.call(TestRequest::get().uri("/healthz")).await);
    assert_ne!(first.header("x-request-id"), "mine");
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}
