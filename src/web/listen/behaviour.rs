//! How requests are answered: with a status, late, failing now and then, or by somebody else.

use std::time::Duration;

use crate::sender::Forwarder;

/// The answer to a request where nobody asked for another.
pub const OK: u16 = 200;
/// The answer to a request that is to fail, where nobody asked for another.
pub const FAILURE: u16 = 500;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// The status of every answer; with a `fail_rate`, of those that fail.
    pub status: Option<u16>,
    /// How long an answer is held back.
    pub delay: Duration,
    /// Which part of the requests fails, 0 to 1, at random.
    pub fail_rate: Option<f64>,
    /// Who answers the requests that do not fail.
    pub forward: Option<Forwarder>,
}

/// What a request gets.
#[derive(Debug, Clone)]
pub enum Reply {
    /// This status.
    Status(u16),
    /// What the target answers.
    Forward(Forwarder),
}

impl Behaviour {
    /// The reply to a request; `luck` is any number, each as likely as the other.
    pub fn reply(&self, luck: u32) -> Reply {
        let fails = self.fail_rate.is_some_and(|rate| f64::from(luck) < rate * (f64::from(u32::MAX) + 1.0));
        match (&self.forward, fails) {
            (_, true) => Reply::Status(self.status.unwrap_or(FAILURE)),
            (Some(target), false) => Reply::Forward(target.clone()),
            (None, false) if self.fail_rate.is_some() => Reply::Status(OK),
            (None, false) => Reply::Status(self.status.unwrap_or(OK)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(behaviour: &Behaviour, luck: u32) -> Option<u16> {
        match behaviour.reply(luck) {
            Reply::Status(status) => Some(status),
            Reply::Forward(_) => None,
        }
    }

    #[test]
    fn every_answer_has_the_status_that_was_asked_for() {
        assert_eq!(status(&Behaviour::default(), 0), Some(200));
        assert_eq!(status(&Behaviour { status: Some(410), ..Behaviour::default() }, 0), Some(410));
    }

    #[test]
    fn a_rate_fails_that_part_of_the_requests_and_the_others_are_fine() {
        let some = Behaviour { fail_rate: Some(0.25), status: Some(429), ..Behaviour::default() };
        let quarter = u32::MAX / 4;
        assert_eq!((status(&some, quarter), status(&some, quarter + 1)), (Some(429), Some(200)));
        let none = Behaviour { fail_rate: Some(0.0), ..Behaviour::default() };
        let all = Behaviour { fail_rate: Some(1.0), ..Behaviour::default() };
        assert_eq!((status(&none, 0), status(&all, u32::MAX)), (Some(200), Some(500)));
    }

    #[test]
    fn what_does_not_fail_is_forwarded() {
        let target = url::Url::parse("http://localhost:3000/hook").unwrap();
        let forward = Some(Forwarder::new(target, Vec::new()));
        let behaviour = Behaviour { forward, fail_rate: Some(0.5), ..Behaviour::default() };
        assert_eq!((status(&behaviour, 0), status(&behaviour, u32::MAX)), (Some(500), None));
    }
}
