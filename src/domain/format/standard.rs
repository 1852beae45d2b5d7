//! The built-in format `standard`: Standard Webhooks 1.0 with our envelope.

use super::Format;
use super::envelope::{Envelope, Piece};
use super::scheme::Scheme;

/// `{"id":…,"type":…,"timestamp":…,"tenant":…,"data":…}` under `webhook-id`, `webhook-timestamp` and
/// `webhook-signature`.
pub(super) fn format() -> Format {
    let text = |text: &'static str| Piece::Text(text.into());
    Format {
        name: "standard".into(),
        scheme: Scheme::Standard,
        content_type: "application/json".into(),
        id_header: Some("webhook-id".into()),
        timestamp_header: Some("webhook-timestamp".into()),
        signature_header: Some("webhook-signature".into()),
        envelope: Envelope::new(vec![
            text("{\"id\":\""),
            Piece::Id,
            text("\",\"type\":\""),
            Piece::Type,
            text("\",\"timestamp\":\""),
            Piece::Timestamp,
            text("\",\"tenant\":\""),
            Piece::Tenant,
            text("\",\"data\":"),
            Piece::Data,
            text("}"),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use crate::domain::format::{AttemptOnWire, EventOnWire, Format, Rendered};
    use crate::domain::secret::{KeyForm, Secret};
    use crate::domain::signing::Signer;
    use crate::domain::time::UnixMs;
    use proptest::prelude::*;

    const EVENT: EventOnWire<'static> = EventOnWire {
        id: "evt_0000000000001",
        r#type: "invoice.paid",
        timestamp: UnixMs(1_771_857_000_000),
        tenant: "default",
        data: "{ \"n\": 12345678901234567890,\"n\":1.0 }",
    };

    fn signer(secret: &Secret) -> Signer {
        Signer::new(secret, KeyForm::Decoded).unwrap()
    }

    /// The published library refuses times that are more than five minutes away.
    fn attempt_now() -> AttemptOnWire {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        AttemptOnWire { timestamp_seconds: i64::try_from(since.as_secs()).unwrap(), number: 1 }
    }

    /// Whether the published library accepts the request, used as a receiver with `secret` would use it.
    fn verifies(rendered: &Rendered, secret: &Secret) -> bool {
        let mut headers = http::HeaderMap::new();
        for (name, value) in &rendered.headers {
            let name: http::header::HeaderName = name.parse().unwrap();
            assert!(headers.insert(name, value.parse().unwrap()).is_none(), "no header comes twice");
        }
        standardwebhooks::Webhook::new(secret.expose()).unwrap().verify(&rendered.body, &headers).is_ok()
    }

    #[test]
    fn the_body_is_the_envelope_around_the_data_as_sent() {
        let body = String::from_utf8(Format::standard().body(&EVENT)).unwrap();
        let expected = "{\"id\":\"evt_0000000000001\",\"type\":\"invoice.paid\",\
             \"timestamp\":\"2026-02-23T14:30:00.000Z\",\"tenant\":\"default\",\
             \"data\":{ \"n\": 12345678901234567890,\"n\":1.0 }}";
        assert_eq!(body, expected);
    }

    #[test]
    fn headers_are_those_of_standard_webhooks_and_then_the_endpoints() {
        let secret = Secret::generate([3; 32]);
        let extra = [("X-Team".to_owned(), "blue".to_owned())];
        let attempt = AttemptOnWire { timestamp_seconds: 1_771_857_001, number: 2 };
        let rendered =
            Format::standard().render(&EVENT, &attempt, &[&signer(&secret)], &extra, "Postrider/0.1.0");
        let signature = signer(&secret).sign_standard(EVENT.id, 1_771_857_001, &rendered.body);
        let expected = [
            ("content-type", "application/json"),
            ("user-agent", "Postrider/0.1.0"),
            ("webhook-id", "evt_0000000000001"),
            ("webhook-timestamp", "1771857001"),
            ("webhook-signature", signature.as_str()),
            ("X-Team", "blue"),
        ];
        assert_eq!(rendered.headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(
            Format::standard().own_headers(),
            ["webhook-id", "webhook-timestamp", "webhook-signature"]
        );
    }

    #[test]
    fn each_of_two_live_secrets_verifies_and_another_does_not() {
        let [new, old, other] = [1, 2, 3].map(|n| Secret::generate([n; 32]));
        let signers = [signer(&new), signer(&old)];
        let rendered = Format::standard().render(
            &EVENT,
            &attempt_now(),
            &[&signers[0], &signers[1]],
            &[],
            "Postrider/0.1.0",
        );
        assert!(verifies(&rendered, &new) && verifies(&rendered, &old) && !verifies(&rendered, &other));
    }

    #[test]
    fn without_signers_there_is_no_signature_header() {
        let rendered = Format::standard().render(&EVENT, &attempt_now(), &[], &[], "Postrider/0.1.0");
        assert_eq!(rendered.signatures, "");
        assert!(rendered.headers.iter().all(|(name, _)| name != "webhook-signature"));
    }

    proptest! {
        #[test]
        fn requests_verify_whatever_the_event_and_render_again_without_secrets(
            id in "[A-Za-z0-9_-]{1,64}", data in "\\PC{0,100}", key in any::<[u8; 32]>(),
        ) {
            let (secret, format, attempt) = (Secret::generate(key), Format::standard(), attempt_now());
            let event = EventOnWire { id: &id, data: &data, ..EVENT };
            let extra = [("x".to_owned(), "y".to_owned())];
            let sent = format.render(&event, &attempt, &[&signer(&secret)], &extra, "Postrider/0.1.0");
            prop_assert!(verifies(&sent, &secret));
            let again = format.render_recorded(&event, &attempt, &sent.signatures, &extra, "Postrider/0.1.0");
            prop_assert_eq!(again, sent);
        }
    }
}
