//! Floor 1: sends mail. The only place that knows lettre.
//!
//! The server is one that an admin has named, often on this machine or beside it, so it is not judged as the targets of
//! endpoints are; nothing that a customer says leads here.

use std::fmt;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message, SmtpTransport, Transport};

use crate::domain::alert::mail::Security;

/// How long each step of a session may take.
const PATIENCE: Duration = Duration::from_secs(10);
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
    /// Whom it reaches.
    pub to: &'a str,
    /// Its subject, one line.
    pub subject: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// Hands a mail to the server, on a connection of its own. Blocks. `authorities`: certificates in DER that are trusted
/// beside the public authorities.
///
/// # Errors
/// A line that says why, and what to do.
pub fn send(
    server: &MailServer,
    letter: Letter<'_>,
    authorities: impl IntoIterator<Item = Vec<u8>>,
) -> Result<(), String> {
    let message = message(server, letter)?;
    let transport = transport(server, authorities)?;
    transport.send(&message).map(drop).map_err(|error| explain(server, &error))
}

fn message(server: &MailServer, letter: Letter<'_>) -> Result<Message, String> {
    let mailbox = |text: &str, what: &str| {
        let address = text.parse::<Address>();
        let address = address.map_err(|error| format!("the address {what} cannot be used: {error}"));
        address.map(|address| Mailbox::new(None, address))
    };
    // Without the name of this machine, which is nobody's business.
    let builder: MessageBuilder = Message::builder()
        .from(mailbox(&server.from, "that mail comes from")?)
        .to(mailbox(letter.to, "that it goes to")?)
        .subject(letter.subject)
        .header(ContentType::TEXT_PLAIN);
    builder.body(letter.text.to_owned()).map_err(|error| format!("the mail cannot be written: {error}"))
}

fn transport(
    server: &MailServer,
    authorities: impl IntoIterator<Item = Vec<u8>>,
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
        .timeout(Some(PATIENCE))
        .hello_name(ClientId::Domain("postrider".to_owned()));
    if let Some((user, password)) = &server.credentials {
        builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(builder.build())
}

fn explain(server: &MailServer, error: &lettre::transport::smtp::Error) -> String {
    let MailServer { host, port, .. } = server;
    let told: String = error.to_string().chars().filter(|c| !c.is_control()).take(TOLD).collect();
    let advice = if error.is_permanent() {
        "; check user, password and addresses"
    } else if error.is_tls() || told.contains("certificate") {
        "; check `security`, and the name in its certificate"
    } else if error.is_transient() {
        "; it may take it later"
    } else {
        "; check its name and port, and whether it answers"
    };
    format!("the mail server {host}:{port} did not take it: {told}{advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> MailServer {
        MailServer {
            host: "localhost".to_owned(),
            port: 25,
            security: Security::None,
            credentials: Some(("ada".to_owned(), "s3cret".to_owned())),
            from: "postrider@example.com".to_owned(),
        }
    }

    #[test]
    fn a_mail_has_its_addresses_its_subject_and_its_text() {
        let letter = Letter { to: "ada@example.com", subject: "Grüße", text: "Zeile eins\nline two\n" };
        let text = String::from_utf8(message(&server(), letter).unwrap().formatted()).unwrap();
        assert!(text.contains("From: postrider@example.com\r\n") && text.contains("To: ada@example.com\r\n"));
        assert!(text.contains("Content-Type: text/plain; charset=utf-8\r\n") && text.contains("\r\nDate: "));
        assert!(!text.contains("Grüße"), "{text}");
    }

    #[test]
    fn addresses_that_cannot_be_used_are_told() {
        let letter = Letter { to: "not an address", subject: "s", text: "t" };
        assert!(message(&server(), letter).unwrap_err().contains("that it goes to"));
    }

    #[test]
    fn a_server_does_not_show_its_password() {
        assert_eq!(format!("{:?}", server()), "MailServer(localhost:25 none)");
    }
}
