//! Why a signature does not hold, in sentences for the person who has to mend it.

use std::fmt;

use crate::domain::format::verify::Refused;

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A header is not there.
    Missing(String),
    /// A header cannot be read.
    Malformed {
        /// Its name.
        header: String,
        /// What is wrong with it: a sentence without its subject.
        says: String,
    },
    /// What the format says of it.
    Refused(Refused),
    /// The signed time is too far away.
    Age {
        /// How old it is; below zero if it lies ahead.
        age_seconds: i64,
        /// How far it may be, either way.
        tolerance_seconds: i64,
    },
    /// The signature fits the body as it was before somebody wrote it again: how it was.
    Rewritten(String),
    /// The secret is right but for the `whsec_` that is missing.
    WithPrefix,
    /// The secret is right but for the `whsec_` before it.
    WithoutPrefix,
    /// No secret fits, whatever was tried.
    NoMatch {
        /// How many secrets were tried.
        secrets: usize,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(header) => write!(f, "the header {header} is missing"),
            Self::Malformed { header, says } => write!(f, "the header {header} {says}"),
            Self::Refused(refused) => refused.fmt(f),
            Self::Age { age_seconds, tolerance_seconds } => {
                let (way, far) = if *age_seconds < 0 { ("ahead of", "new") } else { ("behind", "old") };
                let (by, most) = (span(*age_seconds), span(*tolerance_seconds));
                write!(
                    f,
                    "it is too {far}: its time is {by} {way} this clock, and at most {most} are accepted"
                )
            }
            Self::Rewritten(was) => write!(
                f,
                "the body was changed on the way: the signature is over {was}. Verify the bytes that arrived, \
                 before anything parses them and writes them again"
            ),
            Self::WithPrefix => f.write_str("the secret lacks the whsec_ before it: give it as it was shown"),
            Self::WithoutPrefix => {
                f.write_str("the signature is that of the secret without the whsec_ before it")
            }
            Self::NoMatch { secrets } => {
                let whose = if *secrets == 1 { "the secret" } else { "any of the secrets" };
                write!(
                    f,
                    "the signature is not {whose}'s over this body: it is the secret of another endpoint, or the \
                     body is not what was sent"
                )
            }
        }
    }
}

/// A number of seconds, with its two largest units: `2 d 3 h`, `5 min`, `42 s`.
pub fn span(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(units.len() - 1);
    let shown =
        units.iter().skip(first).take(2).enumerate().filter(|(at, (count, _))| *at == 0 || *count > 0);
    shown.map(|(_, (count, unit))| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (42, "42 s"),
            (300, "5 min"),
            (-3_661, "1 h 1 min"),
            (183_600, "2 d 3 h"),
            (3_601, "1 h"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn age_is_told_with_its_direction_and_the_limit() {
        let old = Reason::Age { age_seconds: 3_600, tolerance_seconds: 300 }.to_string();
        assert!(
            old.contains("too old") && old.contains("1 h behind") && old.contains("at most 5 min"),
            "{old}"
        );
        let new = Reason::Age { age_seconds: -301, tolerance_seconds: 300 }.to_string();
        assert!(new.contains("too new") && new.contains("5 min 1 s ahead"), "{new}");
    }
}
