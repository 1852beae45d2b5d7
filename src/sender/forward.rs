//! Handing a request on to a program of the same developer, for `postrider listen --forward`: no guard, no pool.

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use ureq::http::{HeaderName, HeaderValue, Method, Request};
use ureq::{Agent, Error};
use url::Url;

use super::client;

/// From connecting to the last byte of the answer: longer than any endpoint gets.
const PATIENCE: Duration = Duration::from_mins(1);
/// The most that an answer's body may have.
const MAX_BODY: u64 = 8 * 1024 * 1024;

/// Headers that belong to one connection (RFC 9110, section 7.6.1), or that the client writes itself.
const OF_THE_CONNECTION: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Hands requests on to one URL.
#[derive(Debug, Clone)]
pub struct Forwarder {
    agent: Agent,
    target: Url,
}

/// What the target has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    /// The status code.
    pub status: u16,
    /// Names and values, without those of the connection.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Forwarder {
    /// To this URL, `http` or `https`. Of TLS the public authorities vouch, and these.
    pub fn new(target: Url, extra_ca: Vec<CertificateDer<'static>>) -> Self {
        Self { agent: client::agent_to(target.clone(), extra_ca, PATIENCE), target }
    }

    /// Where requests go.
    pub fn target(&self) -> &str {
        self.target.as_str()
    }

    /// Hands a request on, with its method, its headers and its body, and waits for the answer, whatever its status.
    ///
    /// # Errors
    /// A sentence: nobody listens there, the certificate is not trusted, the answer is late or cut or no HTTP.
    pub fn forward(
        &self,
        method: &str,
        headers: &[(String, Vec<u8>)],
        body: &[u8],
    ) -> Result<Forwarded, String> {
        let request = self
            .request(method, headers, body)
            .map_err(|error| format!("{} cannot be sent this: {error}", self.target))?;
        let mut answer = self.agent.run(request).map_err(|error| match error {
            Error::Other(why) => format!("{} could not be reached: {why}", self.target),
            error => format!("{} did not answer: {error}", self.target),
        })?;
        let body = answer.body_mut().with_config().limit(MAX_BODY).read_to_vec();
        let body = body.map_err(|error| format!("{} did not answer to the end: {error}", self.target))?;
        let headers = answer.headers().iter().filter(|(name, _)| is_passed_on(name.as_str()));
        let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        Ok(Forwarded { status: answer.status().as_u16(), headers, body })
    }

    fn request<'a>(
        &self,
        method: &str,
        headers: &[(String, Vec<u8>)],
        body: &'a [u8],
    ) -> Result<Request<&'a [u8]>, ureq::http::Error> {
        let method = Method::from_bytes(method.as_bytes())?;
        let mut request = Request::builder().method(method).uri(self.target.as_str()).body(body)?;
        for (name, value) in headers.iter().filter(|(name, _)| is_passed_on(name)) {
            let (name, value) = (HeaderName::try_from(name)?, HeaderValue::from_bytes(value)?);
            request.headers_mut().append(name, value);
        }
        Ok(request)
    }
}

fn is_passed_on(name: &str) -> bool {
    !OF_THE_CONNECTION.iter().any(|own| own.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    fn to(url: &str) -> Forwarder {
        Forwarder::new(Url::parse(url).unwrap(), Vec::new())
    }

    /// A target that answers once with these bytes; what it was sent.
    fn target(answer: &'static [u8]) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook?x=1", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut asked, mut piece) = (Vec::new(), [0; 1024]);
            while !asked.ends_with(b"{ \"n\": 1 }") {
                let count = stream.read(&mut piece).unwrap();
                asked.extend_from_slice(&piece[..count]);
            }
            stream.write_all(answer).unwrap();
            String::from_utf8(asked).unwrap()
        });
        (url, thread)
    }

    #[test]
    fn method_headers_and_body_arrive_and_the_answer_comes_back() {
        let (url, thread) = target(
            b"HTTP/1.1 418 Teapot\r\nContent-Type: text/plain\r\nRetry-After: 7\r\nConnection: close\r\n\r\nshort",
        );
        let headers = [("webhook-id", "evt_1"), ("Host", "elsewhere"), ("connection", "keep-alive")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let answer = to(&url).forward("PUT", &headers, b"{ \"n\": 1 }").unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (418, &b"short"[..]));
        let expected = [("content-type", "text/plain"), ("retry-after", "7")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        assert_eq!(answer.headers, expected);
        let asked = thread.join().unwrap();
        assert!(asked.starts_with("PUT /hook?x=1 HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("webhook-id: evt_1\r\n") && !asked.contains("elsewhere"), "{asked}");
    }

    #[test]
    fn a_target_of_an_unknown_name_is_a_sentence() {
        let error = to("https://nowhere.invalid/").forward("POST", &[], b"").unwrap_err();
        assert!(error.starts_with("https://nowhere.invalid/ could not be reached: "), "{error}");
    }

    #[test]
    fn nobody_at_the_target_is_a_sentence() {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).unwrap();
        let error = to(&format!("http://{free}/")).forward("POST", &[], b"").unwrap_err();
        assert!(error.contains("could not be reached") && error.contains("does the server run?"), "{error}");
    }
}
