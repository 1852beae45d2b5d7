//! What a replay of an endpoint sends again, and how it stands.

use serde::Serialize;

/// Which deliveries or events a replay is about: the field `status` of the call that starts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Replayed {
    /// Deliveries that are failed: each gets a new round.
    #[default]
    Failed,
    /// Events that match now and never had a delivery at this endpoint: each gets one.
    Missing,
    /// Deliveries that were delivered: each event gets one more.
    Delivered,
}

impl Replayed {
    const ALL: [Self; 3] = [Self::Failed, Self::Missing, Self::Delivered];

    /// The word of the API and of the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Missing => "missing",
            Self::Delivered => "delivered",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// The words that there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.word() == text);
        found.ok_or_else(|| "must be failed, missing or delivered".to_owned())
    }
}

/// How a replay stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayStatus {
    /// It goes on, as fast as its endpoint takes what it makes.
    Running,
    /// It goes on once its endpoint is enabled.
    Waiting,
    /// It has come to its end.
    Done,
    /// Somebody ended it, or its endpoint was deleted.
    Canceled,
}

impl ReplayStatus {
    /// The word of the API and the console.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Canceled => "canceled",
        }
    }

    /// Whether it has come to an end.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Canceled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_others_are_refused() {
        for kind in Replayed::ALL {
            assert_eq!(Replayed::parse(kind.word()), Ok(kind));
        }
        assert!(Replayed::parse("pending").is_err_and(|message| message.contains("missing")));
        assert_eq!(Replayed::default(), Replayed::Failed);
    }

    #[test]
    fn how_a_replay_stands_has_one_word() {
        for status in
            [ReplayStatus::Running, ReplayStatus::Waiting, ReplayStatus::Done, ReplayStatus::Canceled]
        {
            let serialized = serde_json::to_value(status).unwrap();
            assert_eq!(serialized, status.word());
            assert_eq!(status.is_over(), matches!(status.word(), "done" | "canceled"));
        }
    }
}
