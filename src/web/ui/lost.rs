//! The page of a secret after it was shown: what is there, and how to have another one. The address says what it was of, so
//! that this holds for as long as somebody keeps it open.

use crate::domain::ids::EndpointId;

use super::kept::Secret;

/// What a secret is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The text of an API key.
    Key,
    /// The one-time link of an operator.
    Operator,
    /// The secret of an endpoint, or what there was to say about it.
    Endpoint(EndpointId),
}

impl Of {
    /// The address of the page, from its path.
    pub(super) fn address(self, path: &str) -> String {
        let of = match self {
            Self::Key => "key".to_owned(),
            Self::Operator => "operator".to_owned(),
            Self::Endpoint(id) => id.to_string(),
        };
        format!("{path}?of={of}")
    }

    /// The way back, from the address.
    pub(super) fn read(of: &str) -> Option<Self> {
        match of {
            "key" => Some(Self::Key),
            "operator" => Some(Self::Operator),
            id => EndpointId::parse(id).map(Self::Endpoint),
        }
    }

    /// What the page says in the place of the secret.
    pub(super) fn lost(self) -> Secret {
        let link = |path: &str, words: &str| (path.to_owned(), words.to_owned());
        let (section, about, next) = match self {
            Self::Key => (
                "/keys",
                "The key is made, and its text was shown already, or nobody looked at it for five minutes. Whoever has not \
                 copied it makes another key, and revokes this one.",
                vec![link("/keys#make", "Make another key"), link("/keys", "All keys")],
            ),
            Self::Operator => (
                "/operators",
                "The link is made, and was shown already, or nobody looked at it for five minutes. Whoever has not copied it \
                 makes a new link for the same operator: the one before ends then.",
                vec![link("/operators", "All operators, each with a button for a new link")],
            ),
            Self::Endpoint(id) => (
                "/endpoints",
                "The endpoint is there; what stood here was shown already, or nobody looked at it for five minutes. If \
                 nobody has copied its secret, rotate it: then another one is made and shown.",
                vec![
                    link(&format!("/endpoints/{id}"), "The endpoint"),
                    link(&format!("/endpoints/{id}/rotate-secret"), "Rotate its secret"),
                ],
            ),
        };
        Secret {
            of: self,
            section,
            done: "This is shown only once".to_owned(),
            about,
            text: None,
            command: None,
            until: None,
            warnings: Vec::new(),
            next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_was_shown_there_and_leads_to_another_one() {
        let id = EndpointId(7);
        for (of, to) in [
            (Of::Key, "/keys#make".to_owned()),
            (Of::Operator, "/operators".to_owned()),
            (Of::Endpoint(id), format!("/endpoints/{id}/rotate-secret")),
        ] {
            let address = of.address("/shown/x");
            let read = address.split_once("?of=").and_then(|(_, of)| Of::read(of));
            assert_eq!(read, Some(of), "{address}");
            assert!(of.lost().next.iter().any(|(path, _)| *path == to) && of.lost().text.is_none());
        }
        assert_eq!(Of::read("//evil.example"), None);
    }
}
