//! Every answer of 400 and above becomes a problem document here, or a page where somebody looks with a browser, whoever
//! made it: a handler, an extractor, the router, or a panic. Every answer gets its request's id.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpResponse, ResponseError};

use crate::panics;
use crate::service::{Code, Error, Kind};

use super::budget::Taken;
use super::flow::Flow;
use super::problem::Problem;
use super::request_id::RequestId;
use super::state::AppState;
use super::ui::page::{self, Look};

/// Under which every answer shows its request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost middleware.
pub async fn problems<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let state = AppState::of(request.request())?.clone();
    let id = state.ids.next();
    let page = Look::of(request.request(), &state);
    let (path, query) = (request.path().to_owned(), request.query_string().to_owned());
    let about = About { state, id, method: request.method().clone(), path, query, page };
    let flow = request.conn_data::<Rc<Flow>>().cloned();
    let work = flow.map(|flow| flow.begin(has_body(&request)));
    let mut answering = pin!(next.call(request));
    let answered = poll_fn(|cx| match panics::caught(|| answering.as_mut().poll(cx)) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    });
    let answered = answered.await;
    drop(work);
    match answered {
        Ok(Ok(answer)) => Ok(finish(answer, &about)),
        Ok(Err(error)) => {
            Err(Final { problem: explain(error.error_response().status(), Some(&error)), about }.into())
        }
        Err(panic) => {
            tracing::error!(request_id = %id, panic, "a handler has panicked");
            Err(Final { problem: Problem::new(Code::Internal, ""), about }.into())
        }
    }
}

/// The request, for the log.
struct About {
    state: Data<AppState>,
    id: RequestId,
    method: Method,
    path: String,
    query: String,
    /// How it looks to whoever looks at it with a browser.
    page: Option<Look>,
}

/// Whether there is anything behind the head.
fn has_body(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0")
}

/// Answers of more bytes than this are counted until they are written.
const LARGE: u64 = 32 * 1024;

/// A large answer, with its part of the budget.
struct Large {
    body: BoxBody,
    _taken: Taken,
}

impl MessageBody for Large {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.body.as_pin_mut().poll_next(cx)
    }
}

fn finish<B: MessageBody + 'static>(
    answer: ServiceResponse<B>,
    about: &About,
) -> ServiceResponse<EitherBody<B>> {
    let status = answer.status();
    if status.as_u16() < 400 || is_page(&answer) {
        let mut answer = match answer.response().body().size() {
            BodySize::Sized(size) if size > LARGE => {
                let Some(taken) = about.state.answers.take(usize::try_from(size).unwrap_or(usize::MAX))
                else {
                    let response = write(&Problem::too_many_answers(), about);
                    return answer.into_response(response).map_into_right_body();
                };
                let large = |body: B| BoxBody::new(Large { body: body.boxed(), _taken: taken });
                answer.map_body(|_, body| EitherBody::right(large(body)))
            }
            _ => answer.map_into_left_body(),
        };
        label(answer.response_mut(), about.id);
        return answer;
    }
    let looks = about.page.is_some() && about.method == Method::GET;
    if let Some(mut response) = page::meant(status, &about.path, &about.query).filter(|_| looks) {
        label(&mut response, about.id);
        return answer.into_response(response).map_into_right_body();
    }
    let problem = explain(status, answer.response().error());
    let allow = answer.headers().get(header::ALLOW).cloned();
    let mut response = write(&problem, about);
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    answer.into_response(response).map_into_right_body()
}

/// Whether a page of the console tells its own failure: a form with what is wrong beside its fields.
fn is_page<B>(answer: &ServiceResponse<B>) -> bool {
    let media_type = answer.headers().get(header::CONTENT_TYPE);
    media_type.is_some_and(|media_type| media_type.as_bytes().starts_with(b"text/html"))
}

/// What is behind an answer: our own problem, or what its status says.
fn explain(status: StatusCode, error: Option<&actix_web::Error>) -> Problem {
    if let Some(problem) = error.and_then(actix_web::Error::as_error::<Problem>) {
        return problem.clone();
    }
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => {
            (Code::UnknownPath, "the API is below /api/v1; see its reference for the paths")
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            (Code::MethodNotAllowed, "use one of the methods that the header Allow names")
        }
        StatusCode::REQUEST_TIMEOUT => (Code::RequestTimeout, "send the request again, faster"),
        StatusCode::PAYLOAD_TOO_LARGE => (Code::TooLarge, "send less"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (Code::UnsupportedMediaType, "send JSON"),
        status if status.is_client_error() => {
            (Code::MalformedRequest, "the path, a header or the body is not as HTTP wants it")
        }
        _ => (Code::Internal, ""),
    };
    let mut problem = Problem::new(code, detail);
    problem.0.cause = error.filter(|_| code == Code::Internal).map(|error| error.to_string().into());
    problem
}

/// The document, and a line in the log where it is our fault.
fn write(problem: &Problem, about: &About) -> HttpResponse {
    let Error { code, cause, .. } = &problem.0;
    let (request_id, method, path) = (about.id, &about.method, about.path.as_str());
    let cause = cause.as_deref().unwrap_or("see the lines above");
    match code.kind() {
        Kind::Internal => tracing::error!(%request_id, %method, path, cause, "a request failed inside"),
        Kind::Unavailable => {
            // Many are refused at once, for one reason.
            if let Some(others) =
                about.state.complaints.count(about.state.service.store().times().process_ms())
            {
                let code = code.as_str();
                tracing::warn!(%request_id, %method, path, code, cause, others, "refused a request for now");
            }
        }
        _ => {}
    }
    let mut response = match &about.page {
        Some(look) => page::failed(problem, &request_id.to_string(), look, &about.state),
        None => problem.answer(&request_id.to_string()),
    };
    label(&mut response, request_id);
    response
}

/// The headers that every answer has. Answers may hold secrets, so nobody on the way keeps them.
fn label<B>(response: &mut HttpResponse<B>, id: RequestId) {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// A problem on the way out where there is no answer left to put it in.
struct Final {
    problem: Problem,
    about: About,
}

impl std::fmt::Debug for Final {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Final").field(&self.problem).field(&self.about.id).finish()
    }
}

impl std::fmt::Display for Final {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(f)
    }
}

impl ResponseError for Final {
    fn status_code(&self) -> StatusCode {
        self.problem.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        write(&self.problem, &self.about)
    }
}
