//! A message on its way, by each kind. Blocks.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::alert::Kind;
use crate::domain::alert::form::{self, EVENT_TYPE};
use crate::domain::alert::message::Message;
use crate::domain::ids::EndpointId;
use crate::domain::names::EventType;
use crate::domain::target::Target;
use crate::mail::{Letter, MailServer, Refused};
use crate::sender::{HeaderName, HeaderValue, Request};
use crate::service::{Error, Service};
use crate::store::alerts::AlertRow;
use crate::store::publish::PublishError;

/// How long a chat may take, from DNS to the last byte.
const TIMEOUT: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("Postrider/", env!("CARGO_PKG_VERSION"));

/// What one message after the other has found out about the mail server.
#[derive(Debug, Default)]
pub(super) struct MailState {
    /// Why it takes nothing. Whoever comes after that need not wait for it once more.
    pub(super) down: Option<String>,
}

impl Service {
    /// Sends a message.
    ///
    /// # Errors
    /// A line that says why, and what to do; never the URL.
    pub(super) fn send_alert(
        &self,
        alert: &AlertRow,
        message: &Message,
        mail: &mut MailState,
    ) -> Result<(), String> {
        match alert.kind {
            Kind::Webhook => self.to_endpoint(alert, message),
            Kind::Slack => self.to_chat(alert, &form::slack(message)),
            Kind::Discord => self.to_chat(alert, &form::discord(message)),
            Kind::Email => self.by_mail(alert, message, mail),
        }
    }

    /// As an event for this endpoint alone. Once it is on disk, it is delivered as any other.
    fn to_endpoint(&self, alert: &AlertRow, message: &Message) -> Result<(), String> {
        let id = alert.endpoint.ok_or("no endpoint is named; name one")?;
        let route = self.store.directory().route(id);
        let route = route.ok_or_else(|| format!("the endpoint {id} was deleted; name another"))?;
        if !route.enabled {
            return Err(format!("the endpoint {id} is disabled; enable it, or name another"));
        }
        let event_type = EventType::parse(EVENT_TYPE)?;
        let data: Arc<str> = form::event_data(message).to_string().into();
        let published = self.store.write::<_, PublishError>(move |tx| tx.publish_to(id, event_type, data));
        match published.wait() {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("the endpoint {id} was deleted; name another")),
            Err(error) => Err(format!("the event could not be written down: {error}")),
        }
    }

    fn to_chat(&self, alert: &AlertRow, body: &str) -> Result<(), String> {
        let url = self.store.read(|reader| Ok::<_, Error>(reader.alert_url(alert)?));
        let url = url.map_err(|error| error.detail)?.ok_or("no URL is set; set one")?;
        let target = Target::parse(&url, self.rules).map_err(|error| format!("the URL {error}"))?;
        let headers = [
            (HeaderName::from_static("content-type"), HeaderValue::from_static("application/json")),
            (HeaderName::from_static("user-agent"), HeaderValue::from_static(USER_AGENT)),
        ];
        let request = Request {
            // Its connections are its own: no id is used twice.
            endpoint: EndpointId(alert.id.0),
            revision: alert.updated_at.0,
            target: &target,
            headers: &headers,
            body: body.as_bytes(),
            timeout: TIMEOUT,
        };
        let answer = self.sender.send(&request).result.map_err(|failure| failure.message)?;
        match answer.status {
            200..=299 => Ok(()),
            401 | 403 | 404 | 410 => {
                Err(format!("answered {}: the webhook is not there any more; make a new one", answer.status))
            }
            status => Err(format!("answered {status}: it did not take the message")),
        }
    }

    fn by_mail(&self, alert: &AlertRow, message: &Message, mail: &mut MailState) -> Result<(), String> {
        if let Some(reason) = &mail.down {
            return Err(reason.clone());
        }
        let to = alert.email.as_deref().ok_or("no address is set; set one")?;
        let read = |reader: &crate::store::Reader<'_>| {
            Ok::<_, Error>((reader.mail_server()?, reader.mail_password()?))
        };
        let (row, password) = self.store.read(read).map_err(|error| error.detail)?;
        let Some(row) = row else {
            let reason = "no mail server is set; PUT /api/v1/mail-server, or the page Alerts".to_owned();
            mail.down = Some(reason.clone());
            return Err(reason);
        };
        let server = MailServer {
            host: row.host,
            port: row.port,
            security: row.security,
            credentials: row.user.map(|user| (user, password.unwrap_or_default())),
            from: row.from,
        };
        let id = format!("{}.{}", alert.id, self.store.times().wall().0);
        let letter = Letter { id: &id, to, subject: &form::subject(message), text: &form::mail(message) };
        let authorities = self.sender.authorities().iter().map(|der| der.as_ref().to_vec());
        let sent = self.alerts.mailer.send(&server, letter, authorities);
        sent.map_err(|Refused { reason, of_server }| {
            mail.down = of_server.then(|| reason.clone());
            reason
        })
    }
}
