//! Looking at all alerts: what is news to each, whether it is time to tell, and what came of it.
//!
//! What an alert has told is on disk before the next look, so a restart repeats nothing. A crash between sending and
//! writing down tells a thing twice: never zero times. While nothing can be written, it is kept in memory.
//!
//! Nobody waits long for somebody else's receiver: see [`Service::look_at_alerts`].

use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;
use std::time::Duration;

use crate::domain::alert::told::{Key, News, Progress, Told};
use crate::domain::alert::{Kind, Topic};
use crate::domain::ids::AlertId;
use crate::service::{Error, Service};
use crate::store::alerts::{AlertNoted, AlertRow};
use crate::store::{Reader, StoreError};

use super::present::{About, Present};
use super::send::MailState;

/// Alerts that are read at once.
const PAGE: usize = 250;
/// How long one half of a look may send. What is not sent by then is the next look's.
const HALF: Duration = Duration::from_mins(1);
/// What an alert has told is written down in parts of this size, so that very much of it keeps no event waiting.
const PART: usize = 200;

/// What came of looks and could not be written down.
pub(super) type Unwritten = HashMap<AlertId, AlertNoted>;

impl Service {
    /// Tells everybody what is news to them and has been collected for long enough. Called once a minute. Blocks as long
    /// as sending takes.
    ///
    /// Alerts that need no mail server come first, then mail; within these two halves the team before the customers, and
    /// who could be told lately before who could not. Each half sends for a minute and no longer. Once the mail server
    /// does not answer, the rest of the mail is noted as failed without asking it again. Whoever waits for a test waits
    /// for one message at most.
    ///
    /// # Errors
    /// The database cannot be read. What cannot be sent is noted with its alert, and logged.
    pub fn look_at_alerts(&self) -> Result<(), Error> {
        let mut unwritten = self.alerts.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alerts = self.all_alerts()?;
        unwritten.retain(|id, _| alerts.iter().any(|alert| alert.id == *id));
        if alerts.is_empty() {
            return Ok(());
        }
        alerts.sort_by_key(|alert| (alert.tenant.is_some(), alert.progress.failures));
        let (mails, others): (Vec<_>, Vec<_>) =
            alerts.into_iter().partition(|alert| alert.kind == Kind::Email);
        let judging = self.judging();
        let present = self.store.read(|reader| self.present(reader, &judging))?;
        let mut failed = None;
        for half in [others, mails] {
            let mut half_way = Half { ends_at: self.now() + HALF, mail: MailState::default() };
            // What a stop would cut is told after the next start.
            for alert in half.iter().take_while(|_| !self.readiness.is_stopping()) {
                self.make_alert_tests();
                let before = unwritten.remove(&alert.id);
                let kept = match self.look_at(alert, &present, before.clone(), &mut half_way) {
                    Ok(noted) => noted,
                    Err(error) => {
                        failed = Some(error);
                        before
                    }
                };
                unwritten.extend(kept.map(|noted| (alert.id, noted)));
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn now(&self) -> Duration {
        self.store.times().clock().monotonic()
    }

    fn all_alerts(&self) -> Result<Vec<AlertRow>, Error> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = self.store.read::<_, StoreError>(|reader| reader.alerts(before, PAGE))?;
            all.extend(page.rows.into_iter().filter(|alert| alert.enabled));
            before = page.next;
            if before.is_none() {
                return Ok(all);
            }
        }
    }

    /// Looks at an alert as it is by now; what could not be written down.
    fn look_at(
        &self,
        alert: &AlertRow,
        present: &Present,
        before: Option<AlertNoted>,
        half: &mut Half,
    ) -> Result<Option<AlertNoted>, Error> {
        // It may have been changed while others were told.
        let alert = self.store.read::<_, StoreError>(|reader| reader.alert(alert.id))?;
        let Some(alert) = alert.filter(|alert| alert.enabled) else { return Ok(before) };
        let alert = &alert;
        // What is kept in memory is about the alert as it was.
        let before = before.filter(|before| before.seen == alert.updated_at);
        let now = self.store.times().wall();
        let look = self.store.read(|reader| self.news_for(reader, alert, present, before.as_ref()))?;
        let collect = Duration::from_mins(self.store.directory().settings().alert_collect_minutes.into());
        let collect = look.news.patience(&look.told, collect, now);
        let (progress, send) = look.progress.step(!look.news.is_empty(), now, collect);
        let send = send && self.now() < half.ends_at;
        let result = if send { Some(self.tell(alert, &look.news, present, &mut half.mail)?) } else { None };
        let mut told = look.told.clone();
        look.news.noted(&mut told, matches!(result, Some(Ok(()))), now);
        let progress = match &result {
            None => progress,
            Some(Ok(())) => Progress::default(),
            Some(Err(_)) => progress.failed(now),
        };
        if before.is_none() && result.is_none() && told == look.told && progress == alert.progress {
            return Ok(None);
        }
        let mut noted = before.unwrap_or_default();
        noted.told.extend(differing(&look.told, &told));
        (noted.progress, noted.at, noted.seen) = (progress, now, alert.updated_at);
        noted.result = result.or(noted.result);
        Ok(self.write_down(alert, noted))
    }

    fn tell(
        &self,
        alert: &AlertRow,
        news: &News,
        present: &Present,
        mail: &mut MailState,
    ) -> Result<Result<(), String>, Error> {
        let known = alert.kind == Kind::Email && mail.down.is_some();
        let message =
            self.store.read(|reader| self.compose(reader, news, present, alert.tenant.is_some()))?;
        let sent = self.send_alert(alert, &message, mail);
        self.alerts.count(alert.kind, sent.is_ok());
        match &sent {
            Ok(()) => {
                tracing::info!(alert = %alert.id, kind = %alert.kind, news = message.title(), "alert sent");
            }
            // That was said for the first of them.
            Err(_) if known => tracing::debug!(alert = %alert.id, "no mail is sent: the mail server is down"),
            Err(reason) => {
                tracing::warn!(alert = %alert.id, kind = %alert.kind, reason, "an alert could not be sent; tried again");
            }
        }
        Ok(sent)
    }

    /// In parts, so that a crash meanwhile tells the rest of them twice.
    fn write_down(&self, alert: &AlertRow, noted: AlertNoted) -> Option<AlertNoted> {
        let all: Vec<_> = noted.told.iter().map(|(key, told)| (*key, *told)).collect();
        // At least once: there is more to note than what was told.
        let parts = all.chunks(PART).chain(all.is_empty().then_some(&[][..]));
        for part in parts {
            let AlertNoted { progress, at, seen, .. } = noted;
            let (told, result) = (part.iter().copied().collect(), noted.result.clone());
            let (id, part) = (alert.id, AlertNoted { progress, told, result, at, seen });
            let written = self.store.write::<_, StoreError>(move |tx| tx.note_alert(id, &part)).wait();
            if let Err(error) = written {
                // That nothing can be written is said already, by who finds it out.
                tracing::debug!(alert = %id, %error, "what an alert has told is kept in memory");
                return Some(noted);
            }
        }
        None
    }

    fn news_for(
        &self,
        reader: &Reader<'_>,
        alert: &AlertRow,
        present: &Present,
        before: Option<&AlertNoted>,
    ) -> Result<Look, Error> {
        let mut told = reader.told(alert.id)?;
        let mut progress = alert.progress;
        if let Some(before) = before {
            progress = before.progress;
            for (key, value) in &before.told {
                match value {
                    Some(value) => drop(told.insert(*key, *value)),
                    None => drop(told.remove(key)),
                }
            }
        }
        let About { keys, quiet } = present.of(alert, &told, reader, &self.judging())?;
        let recovery = alert.topics.contains(&Topic::EndpointRecovered);
        let mut news = News::of(&keys, &told, recovery, self.store.times().wall());
        let (quiet, ended) = news.ended.into_iter().partition(|key| quiet.contains(key));
        news.ended = ended;
        news.closed.extend::<Vec<Key>>(quiet);
        Ok(Look { told, progress, news })
    }
}

/// One half of a look, under way.
struct Half {
    /// Nothing more is sent from here on, on the monotonic clock.
    ends_at: Duration,
    mail: MailState,
}

/// What a look at an alert finds.
struct Look {
    told: BTreeMap<Key, Told>,
    progress: Progress,
    news: News,
}

/// What `new` says otherwise than `old`; `None`: not any more.
fn differing(old: &BTreeMap<Key, Told>, new: &BTreeMap<Key, Told>) -> BTreeMap<Key, Option<Told>> {
    let gone = old.keys().filter(|key| !new.contains_key(key)).map(|key| (*key, None));
    let set = new.iter().filter(|(key, told)| old.get(key) != Some(told));
    gone.chain(set.map(|(key, told)| (*key, Some(*told)))).collect()
}
