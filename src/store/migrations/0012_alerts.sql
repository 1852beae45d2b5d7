-- Alerts that leave the machine.

-- Whom an alert reaches, and how far it has come. `topics`: words, with blanks between. Of `endpoint_id`, `url` (sealed:
-- whoever knows it can write there) and `email` one is there, as the kind says. An endpoint may be deleted meanwhile.
CREATE TABLE alerts (
    id               INTEGER PRIMARY KEY,
    name             TEXT NOT NULL,
    kind             TEXT NOT NULL,
    tenant_id        INTEGER REFERENCES tenants,
    topics           TEXT NOT NULL,
    endpoint_id      INTEGER,
    url              BLOB,
    email            TEXT,
    enabled          INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    -- Since when news waits, the tries that failed, and not before when the next one is.
    collecting_since INTEGER,
    failures         INTEGER NOT NULL DEFAULT 0,
    next_try_at      INTEGER,
    -- What came of it last.
    last_sent_at     INTEGER,
    last_error       TEXT,
    last_error_at    INTEGER
) STRICT;
CREATE INDEX alerts_by_tenant ON alerts (tenant_id) WHERE tenant_id IS NOT NULL;

-- What an alert has told: a topic, and the endpoint that it is about (0: the server).
CREATE TABLE alerts_told (
    alert_id INTEGER NOT NULL REFERENCES alerts ON DELETE CASCADE,
    topic    TEXT NOT NULL,
    subject  INTEGER NOT NULL,
    told_at  INTEGER NOT NULL,
    ended    INTEGER NOT NULL,
    PRIMARY KEY (alert_id, topic, subject)
) STRICT, WITHOUT ROWID;

-- The server that mail goes through: one row, or none. The password is sealed.
CREATE TABLE mail_server (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    host      TEXT NOT NULL,
    port      INTEGER NOT NULL,
    security  TEXT NOT NULL,
    user_name TEXT,
    password  BLOB,
    sender    TEXT NOT NULL
) STRICT;
