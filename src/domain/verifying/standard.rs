//! Standard Webhooks 1.0, seen from a receiver.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use subtle::ConstantTimeEq;

use super::{Claims, Named, Reason, Received, Wire, header};
use crate::domain::secret::{KeyForm, Secret};
use crate::domain::signing::Signer;

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";
const VERSION: &str = "v1,";

/// The format `standard`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standard;

impl Wire for Standard {
    fn secret(&self, text: &str) -> Result<Secret, String> {
        Secret::from_caller(text.trim(), KeyForm::Decoded)
    }

    fn claims<'a>(&self, headers: &'a [(String, String)]) -> Result<Claims<'a>, Vec<Reason>> {
        let (id, timestamp, signatures) =
            (header(headers, ID), header(headers, TIMESTAMP).and_then(seconds), header(headers, SIGNATURE));
        let signatures = signatures.and_then(of_version);
        match (id, timestamp, signatures) {
            (Ok(id), Ok(timestamp), Ok(signatures)) => {
                Ok(Claims { id, timestamp: Some(timestamp), signatures })
            }
            (id, timestamp, signatures) => {
                Err([id.err(), timestamp.err(), signatures.err()].into_iter().flatten().collect())
            }
        }
    }

    fn is_signed_by(&self, secret: &Secret, claims: &Claims<'_>, body: &[u8]) -> bool {
        let (Ok(signer), Some(at)) =
            (Signer::new(secret, KeyForm::Decoded), claims.timestamp.and_then(|at| at.parse().ok()))
        else {
            return false;
        };
        let expected = signer.sign_standard(claims.id, at, body);
        claims.signatures.iter().any(|given| bool::from(given.as_bytes().ct_eq(expected.as_bytes())))
    }

    fn keys(&self) -> Vec<String> {
        ["id", "type", "timestamp", "tenant", "data"].map(str::to_owned).into()
    }

    fn named(&self, request: Received<'_>) -> Named {
        // Of a body that is no object, nothing is known.
        let body: BTreeMap<String, &RawValue> = serde_json::from_slice(request.body).unwrap_or_default();
        Named {
            id: header(request.headers, ID).ok().map(str::to_owned),
            event_type: body.get("type").and_then(|value| serde_json::from_str(value.get()).ok()),
            data: body.get("data").map(|value| value.get().to_owned()),
        }
    }
}

fn seconds(text: &str) -> Result<&str, Reason> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain && text.parse::<i64>().is_ok() {
        return Ok(text);
    }
    let says = format!("must be unix seconds such as 1771857000, and is {text:?}");
    Err(Reason::Malformed { header: TIMESTAMP.to_owned(), says })
}

fn of_version(text: &str) -> Result<Vec<&str>, Reason> {
    let signatures: Vec<&str> = text.split(' ').filter(|one| one.starts_with(VERSION)).collect();
    if signatures.is_empty() {
        let says = format!("must hold v1, and base64, separated by blanks, and is {text:?}");
        return Err(Reason::Malformed { header: SIGNATURE.to_owned(), says });
    }
    Ok(signatures)
}

#[cfg(test)]
mod tests {
    use super::super::{Verdict, verify};
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1","type":"order.paid","timestamp":"2026-02-23T14:30:00.000Z","tenant":"default","data":{"name":"Zo\u00eb","path":"a/b"}}"#;
    const NOW: i64 = 1_771_857_010;

    fn secret() -> Secret {
        Secret::generate([7; 32])
    }

    /// Signed by the published library.
    fn headers() -> Vec<(String, String)> {
        let library = standardwebhooks::Webhook::new(secret().expose()).unwrap();
        let signature = library.sign("evt_1", 1_771_857_000, BODY).unwrap();
        [("Webhook-Id", "evt_1"), ("webhook-timestamp", "1771857000"), ("WEBHOOK-SIGNATURE", &signature)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    fn judge(headers: &[(String, String)], body: &[u8], secrets: &[Secret], now: i64) -> Verdict {
        verify(&Standard, Received { headers, body }, secrets, now, 300)
    }

    fn says(verdict: &Verdict) -> String {
        verdict.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_signature_of_the_published_library_holds_by_any_of_the_secrets() {
        let verdict = judge(&headers(), BODY, &[Secret::generate([1; 32]), secret()], NOW);
        assert_eq!(verdict, Verdict { signed_by: Some(1), age_seconds: Some(10), reasons: vec![] });
        let mut rotated = headers();
        rotated[2].1 = format!("v1a,xyz v1,AAAA {}", rotated[2].1);
        assert!(judge(&rotated, BODY, &[secret()], NOW).holds());
    }

    #[test]
    fn a_secret_is_read_with_the_blanks_around_it_and_never_repeated() {
        let pasted = format!(" {}\n", secret().expose());
        assert_eq!(Standard.secret(&pasted).unwrap().expose(), secret().expose());
        assert!(!Standard.secret("whsec_nonsense").unwrap_err().contains("nonsense"));
    }

    #[test]
    fn age_counts_both_ways_and_is_told_beside_a_good_signature() {
        for (now, word) in [(NOW + 291, "too old"), (NOW - 311, "too new")] {
            let verdict = judge(&headers(), BODY, &[secret()], now);
            assert!(verdict.signed_by == Some(0) && says(&verdict).contains(word), "{verdict:?}");
        }
        assert!(judge(&headers(), BODY, &[secret()], NOW + 290).holds());
    }

    #[test]
    fn another_secret_and_another_body_are_told_apart_from_a_body_that_was_written_again() {
        let wrong = judge(&headers(), BODY, &[Secret::generate([1; 32])], NOW);
        assert_eq!(wrong.reasons, [Reason::NoMatch { secrets: 1 }]);
        let changed = String::from_utf8(BODY.to_vec()).unwrap().replace("order.paid", "order.lost");
        assert_eq!(
            judge(&headers(), changed.as_bytes(), &[secret()], NOW).reasons,
            [Reason::NoMatch { secrets: 1 }]
        );
        let value: serde_json::Value = serde_json::from_slice(BODY).unwrap();
        let sorted = serde_json::to_string_pretty(&value).unwrap();
        let verdict = judge(&headers(), sorted.as_bytes(), &[secret()], NOW);
        assert!(says(&verdict).contains("the body was changed on the way"), "{}", says(&verdict));
    }

    #[test]
    fn every_header_that_is_missing_or_malformed_is_named() {
        let verdict = judge(&[("webhook-timestamp".to_owned(), "now".to_owned())], BODY, &[secret()], NOW);
        let says = says(&verdict);
        assert!(
            says.contains("webhook-id is missing") && says.contains("webhook-signature is missing"),
            "{says}"
        );
        assert!(says.contains("webhook-timestamp must be unix seconds"), "{says}");
        let mut odd = headers();
        odd[2].1 = "sha256=00".to_owned();
        odd.push(("webhook-id".to_owned(), "evt_2".to_owned()));
        let verdict = judge(&odd, BODY, &[secret()], NOW);
        assert_eq!(verdict.reasons.len(), 2, "{verdict:?}");
    }

    #[test]
    fn a_request_names_its_event_also_when_it_is_not_signed() {
        let named = Standard.named(Received { headers: &headers()[..1], body: BODY });
        assert_eq!((named.id.as_deref(), named.event_type.as_deref()), (Some("evt_1"), Some("order.paid")));
        assert_eq!(named.data.as_deref(), Some(r#"{"name":"Zo\u00eb","path":"a/b"}"#));
        assert_eq!(Standard.named(Received { headers: &[], body: b"hello" }), Named::default());
    }
}
