//! The file after all the kills: sound, and what is counted agrees with what there is.

use std::collections::BTreeSet;
use std::path::Path;

use postrider::domain::ids::{EndpointId, EventId};
use rusqlite::{Connection, OpenFlags};

/// See the module.
pub(super) struct File(Connection);

impl File {
    pub(super) fn open(data: &Path) -> Self {
        let file = data.join("postrider.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        Self(Connection::open_with_flags(file, flags).expect("a database"))
    }

    pub(super) fn number(&self, sql: &str) -> i64 {
        self.0.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Events of which an endpoint has a delivery that was made with the event and is in one of these states.
    pub(super) fn events_of(&self, endpoint: &str, states: &str) -> BTreeSet<String> {
        let endpoint = EndpointId::parse(endpoint).expect("an id").0;
        let sql = format!(
            "SELECT event_id FROM deliveries WHERE endpoint_id = {endpoint} AND made = 0 AND state IN ({states})"
        );
        let mut rows = self.0.prepare(&sql).expect("a query");
        let ids = rows.query_map([], |row| row.get(0)).expect("rows");
        ids.map(|id| EventId(id.expect("a number")).to_string()).collect()
    }

    /// Fails unless there are as many as of the other.
    fn assert_equal(&self, one: &str, other: &str) {
        assert_eq!(self.number(one), self.number(other), "{one}; {other}");
    }

    /// Fails if there is a row of these, and shows the first.
    fn assert_none(&self, what: &str, from: &str) {
        let mut query = self.0.prepare(&format!("SELECT * FROM {from} LIMIT 3")).expect("a query");
        let columns = query.column_count();
        let mut rows = query.query([]).expect("rows");
        let mut found = Vec::new();
        while let Some(row) = rows.next().expect("a row") {
            let values = (0..columns).map(|column| format!("{:?}", row.get_ref(column).expect("a value")));
            found.push(values.collect::<Vec<_>>().join(" "));
        }
        assert!(found.is_empty(), "{what}: {found:#?} in {from}");
    }

    pub(super) fn check(&self) {
        let checked: String =
            self.0.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
        assert_eq!(checked, "ok");
        self.assert_none("foreign keys", "pragma_foreign_key_check");
        self.check_rows();
        self.check_lists();
        self.check_counters();
    }

    /// Every row belongs to one that is there, and says what can be.
    fn check_rows(&self) {
        self.assert_none(
            "deliveries of no event",
            "deliveries WHERE event_id NOT IN (SELECT id FROM events)",
        );
        self.assert_none(
            "attempts of no delivery",
            "attempts WHERE delivery_id NOT IN (SELECT id FROM deliveries)",
        );
        self.assert_none(
            "deliveries of no endpoint",
            "deliveries WHERE endpoint_id NOT IN (SELECT id FROM endpoints)",
        );
        self.assert_none(
            "attempts by no revision",
            "attempts a JOIN deliveries d ON d.id = a.delivery_id WHERE NOT EXISTS
                 (SELECT 1 FROM endpoint_revisions r WHERE r.endpoint_id = d.endpoint_id AND r.revision = a.revision)",
        );
        // Delivered with a success behind it; waiting with a time; held with a reason; the rest with neither.
        self.assert_none(
            "impossible states",
            "deliveries d WHERE NOT CASE state
                 WHEN 0 THEN due_at IS NULL AND held_reason IS NULL AND delivered_at IS NULL
                 WHEN 1 THEN due_at IS NULL AND held_reason IS NULL AND delivered_at IS NOT NULL AND attempts > 0
                 WHEN 2 THEN due_at IS NOT NULL AND held_reason IS NULL AND delivered_at IS NULL
                 WHEN 3 THEN due_at IS NULL AND held_reason = 1 AND delivered_at IS NULL
                 WHEN 4 THEN due_at IS NULL AND held_reason IS NULL AND delivered_at IS NULL AND attempts > 0
                 WHEN 5 THEN due_at IS NULL AND held_reason IS NULL AND delivered_at IS NULL
                 ELSE 0 END",
        );
        self.assert_none(
            "delivered without a success, or not delivered with one",
            "deliveries d WHERE (state = 1) <> EXISTS (SELECT 1 FROM attempts a WHERE a.delivery_id = d.id
                 AND a.status_code BETWEEN 200 AND 299)",
        );
        self.assert_none(
            "attempts that are not numbered from 1",
            "deliveries d WHERE (attempts, attempts) <> (SELECT count(*), coalesce(max(number), 0) FROM attempts a
                 WHERE a.delivery_id = d.id)",
        );
        self.assert_none(
            "events that have lost or won a delivery",
            "events e WHERE deliveries <> (SELECT count(*) FROM deliveries d
                 WHERE d.id > e.id AND d.id <= e.id + e.deliveries AND d.event_id = e.id AND made = 0)",
        );
        self.assert_none("unfinished changes", "bulk_changes");
    }

    /// The lists miss nothing below their marks, and hold nothing that is gone.
    fn check_lists(&self) {
        let mark = |name: &str| format!("(SELECT value FROM meta WHERE name = 'filled_{name}')");
        for (list, row, key) in [
            ("endpoint_deliveries", "deliveries", "endpoint_id"),
            ("tenant_deliveries", "deliveries", "tenant_id"),
            ("tenant_events", "events", "tenant_id"),
        ] {
            let id = format!("{}_id", row.trim_end_matches('s').replace("deliverie", "delivery"));
            self.assert_none(
                "missing in a list",
                &format!(
                    "{row} r WHERE id <= {} AND NOT EXISTS
                     (SELECT 1 FROM {list} l WHERE l.{key} = r.{key} AND l.{id} = r.id)",
                    mark(row)
                ),
            );
            self.assert_none(
                "in a list and gone",
                &format!("{list} WHERE {id} NOT IN (SELECT id FROM {row})"),
            );
        }
        self.assert_none("keys of no event", "event_keys WHERE event_id NOT IN (SELECT id FROM events)");
        self.assert_equal(
            "SELECT count(*) FROM event_keys",
            &format!(
                "SELECT count(*) FROM events WHERE idempotency_key IS NOT NULL AND id <= {}",
                mark("events")
            ),
        );
    }

    /// What is counted as it happens is what can be counted afterwards, of every endpoint of which nothing was
    /// cleaned away. Test calls count for nothing, unless somebody retries one.
    fn check_counters(&self) {
        let kept =
            "endpoint_id NOT IN (SELECT id FROM endpoints e JOIN endpoint_revisions r ON r.endpoint_id = e.id
                        WHERE r.url LIKE '%/old')";
        let attempts =
            "attempts a JOIN deliveries d ON d.id = a.delivery_id WHERE (d.made <> 2 OR a.number > 1)";
        let differs = |counter: &str, counted: &str| {
            let what = format!("{counter} differs");
            let from = format!(
                "(SELECT endpoint_id, sum({counter}) AS kept FROM hourly WHERE {kept} GROUP BY endpoint_id) h
                 FULL JOIN (SELECT endpoint_id, count(*) AS counted FROM {counted} AND {kept} GROUP BY endpoint_id) c
                     USING (endpoint_id)
                 WHERE coalesce(h.kept, 0) <> coalesce(c.counted, 0)"
            );
            self.assert_none(&what, &from);
        };
        differs("delivered", "deliveries WHERE state = 1 AND made <> 2");
        differs("attempts_ok + attempts_failed", attempts);
        differs("attempts_ok", &format!("{attempts} AND a.status_code BETWEEN 200 AND 299"));
        let buckets: Vec<String> = (0..16).map(|bucket| format!("l{bucket}")).collect();
        differs(&buckets.join(" + "), attempts);
        // A round has failed with the attempt that uses its schedule up.
        differs(
            "failed",
            "(SELECT d.endpoint_id, e.retry_schedule, a.status_code,
                  row_number() OVER (PARTITION BY a.delivery_id, a.round ORDER BY a.number) AS nth
              FROM attempts a JOIN deliveries d ON d.id = a.delivery_id JOIN endpoints e ON e.id = d.endpoint_id
              WHERE d.made <> 2 OR a.number > 1)
             WHERE status_code = 500 AND nth > json_array_length(retry_schedule)",
        );
        self.check_health();
    }

    fn check_health(&self) {
        let of = |endpoint: &str, what: &str| {
            format!(
                "(SELECT count(*) FROM attempts a JOIN deliveries d ON d.id = a.delivery_id
                 WHERE d.endpoint_id = {endpoint} AND (d.made <> 2 OR a.number > 1) AND {what})"
            )
        };
        let ok = of("h.endpoint_id", "a.status_code = 200");
        let failed = of("h.endpoint_id", "a.status_code = 500");
        self.assert_none(
            "health that no attempts explain",
            &format!(
                "endpoint_health h JOIN endpoints e ON e.id = h.endpoint_id WHERE e.deleted_at IS NULL AND NOT (
                     (last_success_at IS NOT NULL) = ({ok} > 0)
                     AND (last_failure_at IS NOT NULL) = ({failed} > 0)
                     AND (first_failure_at IS NOT NULL) = (failure_count > 0)
                     AND (first_failure_up IS NOT NULL) = (failure_count > 0)
                     AND (CASE WHEN {ok} = 0 THEN failure_count = {failed} ELSE failure_count <= {failed} END)
                     AND timeouts_in_row = 0)"
            ),
        );
    }
}
