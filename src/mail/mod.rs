//! Floor 1: sends mail. The only place that knows lettre.
//!
//! The server is one that an admin has named, often on this machine or beside it, so it is not judged as the targets of
//! endpoints are; nothing that a customer says leads here.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message, SmtpTransport, Transport};

use crate::domain::alert::mail::Security;

/// So many sessions that nobody waits for any more may go on, before no other begins.
const LEFT_BEHIND_MAX: usize = 4;
/// Replies that are about the server or whoever signs in, so that the next mail would meet the same: 421 of RFC 5321
/// (section 3.8), the others of RFC 4954 (section 6).
const OF_THE_SERVER: [u16; 6] = [421, 454, 530, 534, 535, 538];
/// Longest answer of a server that is told on, in characters.
const TOLD: usize = 300;

/// A mail server, with what is needed to speak to it.
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub security: Security,
    /// Who signs in, and the password.
    pub credentials: Option<(String, String)>,
    /// The address that mail comes from.
    pub from: String,
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, security, .. } = self;
        write!(f, "MailServer({host}:{port} {security})")
    }
}

/// A mail.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// What tells it from all other mail of this server: letters, digits, `_`, `.`.
    pub id: &'a str,
    /// Whom it reaches.
    pub to: &'a str,
    /// Its subject, one line.
    pub subject: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// A line that says why, and what to do.
    pub reason: String,
    /// It is not about this mail: the server did not answer, or takes none at all.
    pub of_server: bool,
}

/// How long a session may take.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// Each step: to connect, and each answer.
    step: Duration,
    /// All of it, the look-up of the name included.
    session: Duration,
}

/// Hands mail over, each on a connection of its own.
#[derive(Debug)]
pub struct Mailer {
    patience: Patience,
    /// Each session has a clone as long as it lasts.
    sessions: Arc<()>,
}

impl Default for Mailer {
    fn default() -> Self {
        Self::with(Patience { step: Duration::from_secs(10), session: Duration::from_secs(30) })
    }
}

impl Mailer {
    fn with(patience: Patience) -> Self {
        Self { patience, sessions: Arc::default() }
    }

    /// Hands a mail to the server. Blocks, for 30 s at most: a session that takes longer is left behind.
    /// `authorities`: certificates in DER that are trusted beside the public authorities.
    ///
    /// # Errors
    /// Why it was not taken. A mail whose session was left behind may arrive all the same.
    pub fn send(
        &self,
        server: &MailServer,
        letter: Letter<'_>,
        authorities: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<(), Refused> {
        let Patience { step, session } = self.patience;
        let own = |reason| Refused { reason, of_server: false };
        let message = message(server, letter).map_err(own)?;
        let transport = transport(server, authorities, step).map_err(own)?;
        if Arc::strong_count(&self.sessions) > LEFT_BEHIND_MAX {
            return Err(unanswered(server, "sessions from before hang still"));
        }
        // A look-up cannot be given a time, and a server that sends a byte now and then outlasts that of each step.
        let (told, answer) = mpsc::sync_channel(1);
        let lasts = Arc::clone(&self.sessions);
        let run = move || {
            // Whoever waited may have left it behind.
            drop(told.send(transport.send(&message)));
            drop(lasts);
        };
        let thread = std::thread::Builder::new().name("mail".to_owned()).spawn(run);
        thread.map_err(|error| own(format!("no thread can be started: {error}")))?;
        match answer.recv_timeout(session) {
            Ok(taken) => taken.map(drop).map_err(|error| explain(server, &error, step)),
            Err(_) => Err(unanswered(server, &format!("the session was not over after {session:?}"))),
        }
    }
}

fn message(server: &MailServer, letter: Letter<'_>) -> Result<Message, String> {
    let mailbox = |text: &str, what: &str| {
        let address = text.parse::<Address>();
        let address = address.map_err(|error| format!("the address {what} cannot be used: {error}"));
        address.map(|address| Mailbox::new(None, address))
    };
    // Without the name of this machine, which is nobody's business.
    let domain = server.from.rsplit('@').next().unwrap_or_default();
    let builder: MessageBuilder = Message::builder()
        .message_id(Some(format!("<{}@{domain}>", letter.id)))
        .from(mailbox(&server.from, "that mail comes from")?)
        .to(mailbox(letter.to, "that it goes to")?)
        .subject(letter.subject)
        .header(ContentType::TEXT_PLAIN);
    let message = builder.body(letter.text.to_owned());
    let mut message = message.map_err(|error| format!("the mail cannot be written: {error}"))?;
    // No absent reader's machine answers it (RFC 3834, section 5).
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    message.headers_mut().insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
    Ok(message)
}

fn transport(
    server: &MailServer,
    authorities: impl IntoIterator<Item = Vec<u8>>,
    step: Duration,
) -> Result<SmtpTransport, String> {
    let parameters = || {
        let mut builder = TlsParameters::builder(server.host.clone());
        for der in authorities {
            let certificate = Certificate::from_der(der)
                .map_err(|error| format!("an extra authority cannot be used: {error}"))?;
            builder = builder.add_root_certificate(certificate);
        }
        builder.build_rustls().map_err(|error| format!("TLS cannot be set up: {error}"))
    };
    let tls = match server.security {
        Security::None => Tls::None,
        Security::StartTls => Tls::Required(parameters()?),
        Security::Tls => Tls::Wrapper(parameters()?),
    };
    let mut builder = SmtpTransport::builder_dangerous(&server.host)
        .port(server.port)
        .tls(tls)
        .timeout(Some(step))
        .hello_name(ClientId::Domain("postrider".to_owned()));
    if let Some((user, password)) = &server.credentials {
        builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(builder.build())
}

fn unanswered(server: &MailServer, what: &str) -> Refused {
    let MailServer { host, port, .. } = server;
    let reason = format!(
        "the mail server {host}:{port} did not answer in time: {what}; check its name and port, and whether it answers"
    );
    Refused { reason, of_server: true }
}

fn explain(server: &MailServer, error: &lettre::transport::smtp::Error, step: Duration) -> Refused {
    if ran_out_of_time(error) {
        return unanswered(server, &format!("nothing came for {step:?}"));
    }
    let MailServer { host, port, .. } = server;
    let told: String = error.to_string().chars().filter(|c| !c.is_control()).take(TOLD).collect();
    let (advice, of_server) = match error.status().map(u16::from) {
        Some(status) => {
            let advice = if error.is_permanent() {
                "; check user, password and addresses"
            } else {
                "; it may take it later"
            };
            (advice, OF_THE_SERVER.contains(&status))
        }
        None if error.is_tls() || told.contains("certificate") => {
            ("; check `security`, and the name in its certificate", true)
        }
        // It cannot do what this mail or this way to sign in needs.
        None if error.is_client() => ("; check `security`, user and password", false),
        None => ("; check its name and port, and whether it answers", true),
    };
    Refused { reason: format!("the mail server {host}:{port} did not take it: {told}{advice}"), of_server }
}

/// Whether a step took too long: the system calls that by two names.
fn ran_out_of_time(error: &lettre::transport::smtp::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(system) = inner.downcast_ref::<io::Error>() {
            return matches!(system.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock);
        }
        cause = inner.source();
    }
    false
}

#[cfg(test)]
mod tests;
