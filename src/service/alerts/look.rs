//! Looking at all alerts: what is news to each, whether it is time to tell, and what came of it.
//!
//! What an alert has told is on disk before the next look, so a restart repeats nothing. A crash between sending and
//! writing down tells a thing twice: never zero times. While nothing can be written, it is kept in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;
use std::time::Duration;

use crate::domain::alert::Topic;
use crate::domain::alert::told::{Key, News, Progress, Told};
use crate::domain::ids::AlertId;
use crate::service::{Error, Service};
use crate::store::alerts::{AlertNoted, AlertRow};
use crate::store::{Reader, StoreError};

use super::present::Present;

/// Alerts that are read at once.
const PAGE: usize = 250;

/// What came of looks and could not be written down.
pub(super) type Unwritten = HashMap<AlertId, AlertNoted>;

impl Service {
    /// Tells everybody what is news to them and has been collected for long enough. Called once a minute. Blocks as long
    /// as sending takes.
    ///
    /// # Errors
    /// The database cannot be read. What cannot be sent is noted with its alert, and logged.
    pub fn look_at_alerts(&self) -> Result<(), Error> {
        let mut unwritten = self.alerts.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alerts = self.all_alerts()?;
        // The team comes first: a server for mail that hangs holds up all behind it.
        alerts.sort_by_key(|alert| alert.tenant.is_some());
        unwritten.retain(|id, _| alerts.iter().any(|alert| alert.id == *id));
        if alerts.is_empty() {
            return Ok(());
        }
        let judging = self.judging();
        let present = self.store.read(|reader| self.present(reader, &judging))?;
        let mut failed = None;
        // What a stop would cut is told after the next start.
        for alert in alerts.iter().take_while(|_| !self.readiness.is_stopping()) {
            let before = unwritten.remove(&alert.id);
            let kept = match self.look_at(alert, &present, before.clone()) {
                Ok(noted) => noted,
                Err(error) => {
                    failed = Some(error);
                    before
                }
            };
            unwritten.extend(kept.map(|noted| (alert.id, noted)));
        }
        failed.map_or(Ok(()), Err)
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

    /// Looks at an alert; what could not be written down.
    fn look_at(
        &self,
        alert: &AlertRow,
        present: &Present,
        before: Option<AlertNoted>,
    ) -> Result<Option<AlertNoted>, Error> {
        let now = self.store.times().wall();
        let look = self.store.read(|reader| self.news_for(reader, alert, present, before.as_ref()))?;
        let collect = Duration::from_mins(self.store.directory().settings().alert_collect_minutes.into());
        let (progress, send) = look.progress.step(!look.news.is_empty(), now, collect);
        let result = if send { Some(self.tell(alert, &look.news, present)?) } else { None };
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

    fn tell(&self, alert: &AlertRow, news: &News, present: &Present) -> Result<Result<(), String>, Error> {
        let message =
            self.store.read(|reader| self.compose(reader, news, present, alert.tenant.is_some()))?;
        let sent = self.send_alert(alert, &message);
        match &sent {
            Ok(()) => {
                tracing::info!(alert = %alert.id, kind = %alert.kind, news = message.title(), "alert sent");
            }
            Err(reason) => {
                tracing::warn!(alert = %alert.id, kind = %alert.kind, reason, "an alert could not be sent; tried again");
            }
        }
        Ok(sent)
    }

    fn write_down(&self, alert: &AlertRow, noted: AlertNoted) -> Option<AlertNoted> {
        let (id, written) = (alert.id, noted.clone());
        match self.store.write::<_, StoreError>(move |tx| tx.note_alert(id, &written)).wait() {
            Ok(()) => None,
            Err(error) => {
                // That nothing can be written is said already, by who finds it out.
                tracing::debug!(alert = %id, %error, "what an alert has told is kept in memory");
                Some(noted)
            }
        }
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
        let (keys, gone) = present.of(alert, &told, reader, &self.judging())?;
        let recovery = alert.topics.contains(&Topic::EndpointRecovered);
        let mut news = News::of(&keys, &told, recovery, self.store.times().wall());
        // An endpoint that was deleted has not recovered, and nobody needs to be told.
        let (gone, ended) = news.ended.into_iter().partition(|key| gone.contains(key));
        news.ended = ended;
        news.closed.extend::<Vec<Key>>(gone);
        Ok(Look { told, progress, news })
    }
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
