-- Replays of an endpoint (`store/replays.rs`): what is wanted, and how far it has come. Progress moves in the
-- transaction that makes the rows, so a replay goes on after a restart without leaving out or repeating any.
-- kind: failed, missing, delivered. `up_to` is the last id that is looked at, `done_to` the last that was.
CREATE TABLE replays (
    id          INTEGER PRIMARY KEY,
    endpoint_id INTEGER NOT NULL,
    tenant_id   INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    since_at    INTEGER NOT NULL,
    until_at    INTEGER,
    events      TEXT,
    dry_run     INTEGER NOT NULL,
    up_to       INTEGER NOT NULL,
    done_to     INTEGER NOT NULL,
    examined    INTEGER NOT NULL DEFAULT 0,
    matched     INTEGER NOT NULL DEFAULT 0,
    done        INTEGER NOT NULL DEFAULT 0,
    blanked     INTEGER NOT NULL DEFAULT 0,
    pruned      INTEGER NOT NULL DEFAULT 0,
    canceled    TEXT,
    created_at  INTEGER NOT NULL,
    ended_at    INTEGER
) STRICT;
-- One at a time for each endpoint.
CREATE UNIQUE INDEX replays_running ON replays (endpoint_id) WHERE ended_at IS NULL;
CREATE INDEX replays_by_endpoint ON replays (endpoint_id, id);
CREATE INDEX replays_by_tenant ON replays (tenant_id, id);
