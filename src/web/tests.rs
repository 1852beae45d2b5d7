//! The API on a real store, without a socket and without a dispatcher.

mod connections;
mod deliveries;
mod events;
mod plumbing;
mod sockets;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Service as ActixService, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::from_fn;
use actix_web::test::TestRequest;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse};
use serde_json::Value;

use crate::clock::ManualClock;
use crate::domain::ids::EndpointId;
use crate::domain::names::TenantName;
use crate::domain::scope::{KeyText, Scope, Scopes};
use crate::domain::secret::Secret;
use crate::domain::settings::Settings;
use crate::domain::target::TargetRules;
use crate::domain::time::UnixMs;
use crate::random::SeededRandom;
use crate::sender::{Sender, SenderConfig};
use crate::service::Service;
use crate::store::audit::Actor;
use crate::store::endpoints::EndpointSettings;
use crate::store::handover::{Handover, NoHandover};
use crate::store::keys::NewKey;
use crate::store::revisions::Revision;
use crate::store::vault::Vault;
use crate::store::{Store, StoreConfig, StoreError, Tx};

use super::state::AppState;

/// A server on a new file, at 2026-02-23T14:30:00Z.
struct House {
    clock: ManualClock,
    state: Data<AppState>,
    made: Cell<u8>,
    folder: tempfile::TempDir,
}

/// An answer: status, headers, and the body as JSON (`null` when it is empty).
struct Answer {
    status: StatusCode,
    headers: header::HeaderMap,
    text: String,
    json: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What all problems have in common; its code.
    #[track_caller]
    fn problem(&self) -> (u16, &str) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        assert_eq!(self.json["status"], self.status.as_u16(), "{}", self.text);
        assert_eq!(self.json["request_id"].as_str(), Some(self.header("x-request-id")));
        assert!(self.json["errors"].is_array());
        (self.status.as_u16(), self.json["code"].as_str().unwrap())
    }

    /// The names of the wrong fields.
    fn fields(&self) -> Vec<&str> {
        self.json["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect()
    }
}

impl House {
    fn new() -> Self {
        Self::with(Arc::new(NoHandover))
    }

    fn with(handover: Arc<dyn Handover>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(UnixMs(1_771_857_000_000));
        let path = folder.path().join("postrider.db");
        std::fs::File::create(&path).unwrap();
        let store = Store::open(StoreConfig {
            backups: folder.path().to_owned(),
            path,
            vault: Arc::new(Vault::new([7; 32])),
            clock: Arc::new(clock.clone()),
            random: Arc::new(SeededRandom::new(1)),
            checkpoints: true,
            handover,
        });
        let sender = Sender::new(SenderConfig::default()).unwrap();
        let service = Service::new(store.unwrap(), Arc::new(sender), TargetRules::default());
        let state = Data::new(AppState::new(
            Arc::new(service),
            vec!["10.0.0.0/8".parse().unwrap()],
            "http://console.test".to_owned(),
        ));
        Self { clock, state, made: Cell::new(0), folder }
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        let answer = self.state.service.store().write(work);
        // A thread that drives futures may not wait.
        std::thread::spawn(|| answer.wait()).join().unwrap().unwrap()
    }

    fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("postrider.sock")
    }

    /// A new key, bound to a tenant if one is named.
    fn key(&self, scopes: &[Scope], tenant: Option<&str>) -> String {
        self.made.set(self.made.get() + 1);
        let text = KeyText::generate([self.made.get(); 32]);
        let tenant = tenant.map(|name| self.tenant(name));
        let new = NewKey {
            name: "test".to_owned(),
            hash: text.hash(),
            hint: "test".to_owned(),
            scopes: scopes.iter().copied().collect::<Scopes>(),
            tenant_id: tenant,
        };
        self.write(move |tx| tx.insert_key(&new)).unwrap();
        text.expose().to_owned()
    }

    fn tenant(&self, name: &str) -> i64 {
        let name = TenantName::parse(name).unwrap();
        if let Some(tenant) = self.state.service.store().directory().tenant(&name) {
            return tenant.tenant_id;
        }
        self.write(move |tx| tx.insert_tenant(&name))
    }

    /// An endpoint that wants everything and sends the header `X-Team`.
    fn endpoint(&self, tenant: &str) -> EndpointId {
        let tenant_id = self.tenant(tenant);
        let settings = EndpointSettings {
            uid: Some(crate::domain::names::Uid::parse(&format!("{tenant}-erp")).unwrap()),
            description: String::new(),
            events: vec!["*".to_owned()],
            filters: "{}".to_owned(),
            metadata: Vec::new(),
            retry_schedule: None,
            rate_limit: None,
            max_in_flight: None,
            hold_while_disabled: true,
        };
        let revision = Revision {
            number: 0,
            url: "https://hooks.example/a".to_owned(),
            headers: vec![("X-Team".to_owned(), "hunter2".to_owned())],
            format: "standard".to_owned(),
            timeout_seconds: None,
        };
        self.write(move |tx| {
            let id = tx.insert_endpoint(tenant_id, &settings, true)?;
            tx.put_revision(id, &revision)?;
            tx.put_secret(id, Some(&Secret::generate([1; 32])), None)?;
            tx.reload_route(id)?;
            Ok(id)
        })
    }

    fn disable(&self, endpoint: EndpointId) {
        let reason = crate::store::endpoints::DisabledReason::Manual;
        self.write(move |tx| tx.disable_endpoint(endpoint, reason, None, &Actor::system()));
    }

    fn settings(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = Settings::default();
        change(&mut settings);
        self.write(move |tx| tx.put_settings(settings));
    }

    async fn call(&self, request: TestRequest) -> Answer {
        let app = App::new()
            .app_data(self.state.clone())
            .wrap(from_fn(super::errors::problems))
            .configure(super::configure)
            .route("/panic", web::get().to(|| async { panic_now() }));
        let app = actix_web::test::init_service(app).await;
        match app.call(request.to_request()).await {
            Ok(answer) => read(answer).await,
            // As actix itself makes an answer of what comes out of the outermost middleware.
            Err(error) => {
                read(ServiceResponse::new(TestRequest::get().to_http_request(), error.error_response())).await
            }
        }
    }

    async fn get(&self, key: &str, path: &str) -> Answer {
        self.call(bearer(TestRequest::get().uri(path), key)).await
    }

    async fn post(&self, key: &str, path: &str, body: &str) -> Answer {
        let request = TestRequest::post().uri(path).insert_header(("content-type", "application/json"));
        self.call(bearer(request.set_payload(body.to_owned()), key)).await
    }

    /// Publishes, and answers the event's id.
    async fn publish(&self, key: &str, body: &str) -> String {
        let answer = self.post(key, "/api/v1/events", body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        // Each in a millisecond of its own.
        self.clock.advance(Duration::from_millis(1));
        answer.json["id"].as_str().unwrap().to_owned()
    }
}

fn bearer(request: TestRequest, key: &str) -> TestRequest {
    request.insert_header(("authorization", format!("Bearer {key}")))
}

#[expect(clippy::panic, reason = "what a handler must not do, and what happens if it does")]
fn panic_now() -> HttpResponse {
    panic!("secret of the house")
}

async fn read<B: MessageBody>(answer: ServiceResponse<B>) -> Answer {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = actix_web::body::to_bytes(answer.into_body()).await.unwrap_or_default();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let json = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
    Answer { status, headers, text, json }
}
