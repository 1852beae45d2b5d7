//! One request: taken down, verified, kept, answered, shown.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{self, Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};

use crate::clock::Stopwatch;
use crate::sender::{Forwarded, Forwarder};

use super::behaviour::Reply;
use super::entry::{Entry, Incoming};
use super::{Listener, MAX_BODY};

/// Takes any request.
pub(super) async fn receive(
    listener: Data<Listener>,
    request: HttpRequest,
    body: Result<Bytes, actix_web::Error>,
) -> HttpResponse {
    let watch = Stopwatch::start();
    let body = match body {
        Ok(body) => body,
        Err(error) => return refused(&listener, &request, &error),
    };
    let raw = request.headers().iter();
    let raw = raw.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    let incoming = take_down(&listener, &request, &body);
    // Whoever sent it may lose patience with a slow answer; it is shown all the same.
    let work = actix_web::rt::spawn(handle(listener, incoming, raw, watch));
    work.await.unwrap_or_else(|_| HttpResponse::ServiceUnavailable().finish())
}

fn take_down(listener: &Listener, request: &HttpRequest, body: &Bytes) -> Incoming {
    let headers = request.headers().iter();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    Incoming {
        method: request.method().to_string(),
        path: path.to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: body.to_vec(),
        at: listener.clock.wall(),
    }
}

async fn handle(
    listener: Data<Listener>,
    incoming: Incoming,
    headers: Vec<(String, Vec<u8>)>,
    watch: Stopwatch,
) -> HttpResponse {
    let (judge, seen) = (listener.clone(), Arc::new(incoming));
    let shown = Arc::clone(&seen);
    let verified = web::block(move || {
        let options = &judge.options;
        Arc::new(Entry::of(&seen, &options.format, &options.secrets))
    });
    let Ok(entry) = verified.await else { return HttpResponse::ServiceUnavailable().finish() };
    if let Some(record) = &listener.record {
        record.push(Arc::clone(&entry));
    }
    let behaviour = &listener.options.behaviour;
    if !behaviour.delay.is_zero() {
        actix_web::rt::time::sleep(behaviour.delay).await;
    }
    let answer = match behaviour.reply(listener.random.u32()) {
        Reply::Status(status) => own_answer(status),
        Reply::Forward(target) => forwarded(target, shown, headers).await,
    };
    let (status, screen) = (answer.status().as_u16(), Arc::clone(&listener.screen));
    // A pipe that nobody reads holds up this answer, and not the others.
    let told = web::block(move || screen.show(&entry, status, watch.elapsed())).await;
    if told.is_err() {
        return HttpResponse::ServiceUnavailable().finish();
    }
    answer
}

/// Our own answer; its text is what the sender's own history shows.
fn own_answer(status: u16) -> HttpResponse {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(code);
    match status {
        204 | 205 | 304 => answer.finish(),
        200..300 => answer.json(serde_json::json!({ "received": true })),
        _ => answer
            .content_type("text/plain; charset=utf-8")
            .body(format!("postrider listen answers {status} as it was told to\n")),
    }
}

async fn forwarded(
    target: Forwarder,
    incoming: Arc<Incoming>,
    headers: Vec<(String, Vec<u8>)>,
) -> HttpResponse {
    let sent = web::block(move || target.forward(&incoming.method, &headers, &incoming.body)).await;
    match sent {
        Ok(Ok(answer)) => handed_back(answer),
        Ok(Err(sentence)) => bad_gateway(sentence),
        Err(_) => bad_gateway("postrider listen is stopping".to_owned()),
    }
}

fn handed_back(answer: Forwarded) -> HttpResponse {
    let Ok(status) = StatusCode::from_u16(answer.status) else {
        return bad_gateway(format!("the target has answered with the status {}", answer.status));
    };
    let mut back = HttpResponse::build(status);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(&value)) {
            back.append_header((name, value));
        }
    }
    back.body(answer.body)
}

fn bad_gateway(sentence: String) -> HttpResponse {
    HttpResponse::BadGateway().content_type("text/plain; charset=utf-8").body(sentence)
}

/// A body that is too large, or was cut.
fn refused(listener: &Listener, request: &HttpRequest, error: &actix_web::Error) -> HttpResponse {
    let status = error.as_response_error().status_code();
    let sentence = if status == StatusCode::PAYLOAD_TOO_LARGE {
        format!("the body has more than {} MB", MAX_BODY / 1024 / 1024)
    } else {
        format!("the body could not be read: {error}")
    };
    listener.screen.remark(&format!("{} {} was refused: {sentence}", request.method(), request.path()));
    HttpResponse::build(status).content_type("text/plain; charset=utf-8").body(sentence)
}
