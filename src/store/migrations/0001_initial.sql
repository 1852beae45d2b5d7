-- The first schema. Never edited once released: what changes comes in a migration of its own.
--
-- Times are milliseconds since 1970 (`*_at`), of the wall clock unless said otherwise.
-- Ids are allotted by the writer (`domain::ids`), so walking a primary key backwards is "newest first".
-- The hot tables (events, deliveries, attempts) declare no foreign keys: each would cost a look-up with every
-- row, and an index that only pruning uses. The writer and the cleanup keep them consistent.

-- Single values: watermarks, the check of the secret key, marks of the clock. See `store/meta.rs`.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenants (
    id             INTEGER PRIMARY KEY,
    name           TEXT NOT NULL UNIQUE,
    display_name   TEXT,
    endpoint_limit INTEGER,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;

-- What concerns receiving and scheduling. What shapes a request is in endpoint_revisions.
CREATE TABLE endpoints (
    id              INTEGER PRIMARY KEY,
    tenant_id       INTEGER NOT NULL REFERENCES tenants,
    uid             TEXT,
    description     TEXT NOT NULL,
    events          TEXT NOT NULL,
    filters         TEXT NOT NULL,
    metadata        TEXT NOT NULL,
    enabled         INTEGER NOT NULL,
    disabled_reason TEXT,
    disabled_note   TEXT,
    disabled_at     INTEGER,
    retry_schedule  TEXT,
    rate_limit      INTEGER,
    max_in_flight   INTEGER,
    while_disabled  TEXT NOT NULL,
    revision        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    deleted_at      INTEGER
) STRICT;
CREATE UNIQUE INDEX endpoints_by_uid ON endpoints (tenant_id, uid) WHERE uid IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX endpoints_by_tenant ON endpoints (tenant_id, id) WHERE deleted_at IS NULL;
CREATE INDEX endpoints_live ON endpoints (id) WHERE deleted_at IS NULL;
CREATE INDEX endpoints_deleted ON endpoints (id) WHERE deleted_at IS NOT NULL;

-- A new revision with every change of these fields. An attempt names the revision that it was made with, so
-- its exact request can be rendered again; `replaced_after` is the last id that was allotted before the
-- revision was replaced: no attempt of a younger delivery refers to it.
CREATE TABLE endpoint_revisions (
    endpoint_id     INTEGER NOT NULL REFERENCES endpoints,
    revision        INTEGER NOT NULL,
    url             TEXT NOT NULL,
    headers         BLOB,
    format          TEXT NOT NULL,
    timeout_seconds INTEGER,
    replaced_after  INTEGER,
    PRIMARY KEY (endpoint_id, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX endpoint_revisions_replaced ON endpoint_revisions (replaced_after) WHERE replaced_after IS NOT NULL;

-- Sealed. The newest has no end; an older one signs as well until `expires_at`.
CREATE TABLE endpoint_secrets (
    endpoint_id INTEGER NOT NULL REFERENCES endpoints,
    version     INTEGER NOT NULL,
    secret      BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    PRIMARY KEY (endpoint_id, version)
) STRICT, WITHOUT ROWID;

-- What changes with every outcome, kept apart so that the endpoint's row does not.
-- `first_failure_up` is on the scale of the server's uptime, `paused_until` on the scheduler's.
CREATE TABLE endpoint_health (
    endpoint_id      INTEGER PRIMARY KEY REFERENCES endpoints,
    failure_count    INTEGER NOT NULL DEFAULT 0,
    first_failure_at INTEGER,
    first_failure_up INTEGER,
    last_failure_at  INTEGER,
    last_success_at  INTEGER,
    timeouts_in_row  INTEGER NOT NULL DEFAULT 0,
    exhausted        INTEGER NOT NULL DEFAULT 0,
    paused_until     INTEGER
) STRICT;

-- `deliveries` rows were made with the event and have the ids that follow its own, without a gap.
CREATE TABLE events (
    id              INTEGER PRIMARY KEY,
    tenant_id       INTEGER NOT NULL,
    type            TEXT NOT NULL,
    timestamp       INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    deliveries      INTEGER NOT NULL,
    without_endpoints INTEGER NOT NULL,
    own_id          TEXT,
    idempotency_key TEXT,
    request_hash    BLOB,
    blanked         INTEGER NOT NULL DEFAULT 0,
    data            TEXT NOT NULL
) STRICT;

-- state: 0 ready (goes by id), 1 delivered, 2 waiting (goes at due_at), 3 held, 4 failed, 5 canceled.
-- due_at is on the scheduler's scale (`store/times.rs`). made: 0 with its event, 1 replay, 2 test.
CREATE TABLE deliveries (
    id             INTEGER PRIMARY KEY,
    event_id       INTEGER NOT NULL,
    endpoint_id    INTEGER NOT NULL,
    tenant_id      INTEGER NOT NULL,
    state          INTEGER NOT NULL,
    held_reason    INTEGER,
    round          INTEGER NOT NULL,
    round_attempts INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    due_at         INTEGER,
    created_at     INTEGER NOT NULL,
    delivered_at   INTEGER,
    made           INTEGER NOT NULL,
    replay_of      INTEGER,
    own_trouble    TEXT
) STRICT;
-- The one index that is written with each delivery out of id order: what a page of an endpoint reads.
CREATE INDEX deliveries_ready ON deliveries (endpoint_id, id) WHERE state = 0;
CREATE INDEX deliveries_due ON deliveries (endpoint_id, due_at, id) WHERE state = 2;
-- Rare states. `delivered` has no index.
CREATE INDEX deliveries_rare ON deliveries (state, id) WHERE state >= 2;
CREATE INDEX deliveries_rare_by_endpoint ON deliveries (endpoint_id, state, id) WHERE state >= 2;
CREATE INDEX deliveries_rare_by_tenant ON deliveries (tenant_id, state, id) WHERE state >= 2;
CREATE INDEX deliveries_made_later ON deliveries (event_id, id) WHERE made > 0;

CREATE TABLE attempts (
    delivery_id      INTEGER NOT NULL,
    number           INTEGER NOT NULL,
    round            INTEGER NOT NULL,
    revision         INTEGER NOT NULL,
    format_revision  INTEGER NOT NULL,
    started_at       INTEGER NOT NULL,
    duration_ms      INTEGER NOT NULL,
    dns_ms           INTEGER,
    connect_ms       INTEGER,
    tls_ms           INTEGER,
    wait_ms          INTEGER,
    read_ms          INTEGER,
    status_code      INTEGER,
    address          TEXT,
    signatures       TEXT,
    error            TEXT,
    response_headers BLOB,
    response_body    BLOB,
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;

-- Tables filled behind (`store/fill.rs`): written sorted, some time after the rows that they index, up to a
-- watermark in `meta` that moves in the same transaction. A list reads these below the watermark and walks
-- the primary key above it.
CREATE TABLE endpoint_deliveries (
    endpoint_id INTEGER NOT NULL,
    delivery_id INTEGER NOT NULL,
    PRIMARY KEY (endpoint_id, delivery_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE tenant_deliveries (
    tenant_id   INTEGER NOT NULL,
    delivery_id INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, delivery_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE tenant_events (
    tenant_id INTEGER NOT NULL,
    event_id  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, event_id)
) STRICT, WITHOUT ROWID;
-- Idempotency keys and own ids by a keyed 64-bit hash of tenant, kind and text; a hit is checked against the row.
CREATE TABLE event_keys (
    hash     INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    PRIMARY KEY (hash, event_id)
) STRICT, WITHOUT ROWID;

-- Idempotency keys of calls that make more than one event. (Those of a single event stand in its row.)
CREATE TABLE idempotent_answers (
    tenant_id    INTEGER NOT NULL,
    key          TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    status       INTEGER NOT NULL,
    answer       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotent_answers_by_age ON idempotent_answers (created_at);

-- A change to all waiting deliveries of an endpoint that is decided but not yet in their rows.
CREATE TABLE bulk_changes (
    id          INTEGER PRIMARY KEY,
    endpoint_id INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    up_to       INTEGER NOT NULL,
    done_to     INTEGER NOT NULL
) STRICT;
CREATE INDEX bulk_changes_by_endpoint ON bulk_changes (endpoint_id, id);

CREATE TABLE hourly (
    endpoint_id INTEGER NOT NULL,
    hour        INTEGER NOT NULL,
    delivered   INTEGER NOT NULL DEFAULT 0,
    failed      INTEGER NOT NULL DEFAULT 0,
    attempts_ok INTEGER NOT NULL DEFAULT 0,
    attempts_failed INTEGER NOT NULL DEFAULT 0,
    l0  INTEGER NOT NULL DEFAULT 0, l1  INTEGER NOT NULL DEFAULT 0, l2  INTEGER NOT NULL DEFAULT 0,
    l3  INTEGER NOT NULL DEFAULT 0, l4  INTEGER NOT NULL DEFAULT 0, l5  INTEGER NOT NULL DEFAULT 0,
    l6  INTEGER NOT NULL DEFAULT 0, l7  INTEGER NOT NULL DEFAULT 0, l8  INTEGER NOT NULL DEFAULT 0,
    l9  INTEGER NOT NULL DEFAULT 0, l10 INTEGER NOT NULL DEFAULT 0, l11 INTEGER NOT NULL DEFAULT 0,
    l12 INTEGER NOT NULL DEFAULT 0, l13 INTEGER NOT NULL DEFAULT 0, l14 INTEGER NOT NULL DEFAULT 0,
    l15 INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (endpoint_id, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    id           INTEGER PRIMARY KEY,
    name         TEXT NOT NULL,
    hash         BLOB NOT NULL UNIQUE,
    hint         TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    tenant_id    INTEGER REFERENCES tenants,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;

CREATE TABLE event_types (
    name        TEXT PRIMARY KEY,
    description TEXT,
    group_name  TEXT,
    example     TEXT,
    schema      TEXT,
    reserved    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Kept by revision for the same reason as endpoint_revisions.
CREATE TABLE formats (
    name           TEXT NOT NULL,
    revision       INTEGER NOT NULL,
    definition     TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    replaced_after INTEGER,
    PRIMARY KEY (name, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id        INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    actor     TEXT NOT NULL,
    address   TEXT,
    action    TEXT NOT NULL,
    target    TEXT NOT NULL,
    tenant_id INTEGER,
    before    TEXT,
    after     TEXT
) STRICT;

CREATE TABLE operators (
    id            INTEGER PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL,
    active        INTEGER NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE TABLE sessions (
    hash         BLOB PRIMARY KEY,
    operator_id  INTEGER NOT NULL REFERENCES operators ON DELETE CASCADE,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_operator ON sessions (operator_id);
CREATE TABLE links (
    hash       BLOB PRIMARY KEY,
    purpose    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the nightly cleanups did.
CREATE TABLE cleanups (
    id          INTEGER PRIMARY KEY,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    by_whom     TEXT NOT NULL,
    deliveries  INTEGER NOT NULL DEFAULT 0,
    events      INTEGER NOT NULL DEFAULT 0,
    freed_bytes INTEGER NOT NULL DEFAULT 0,
    error       TEXT
) STRICT;

INSERT INTO tenants (id, name, created_at, updated_at) VALUES (1, 'default', 0, 0);

-- From when on which version of the program made requests: their User-Agent names it.
CREATE TABLE program_versions (
    since_at INTEGER PRIMARY KEY,
    version  TEXT NOT NULL
) STRICT;
