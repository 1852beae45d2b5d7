-- People who sign in to the console. Nothing was ever written to these tables before, so they are made anew.
DROP TABLE links;
DROP TABLE sessions;
DROP TABLE operators;

CREATE TABLE operators (
    id            INTEGER PRIMARY KEY,
    -- In lower case.
    email         TEXT NOT NULL UNIQUE,
    -- A PHC string; NULL: was invited and has not come yet.
    password_hash TEXT,
    role          TEXT NOT NULL,
    active        INTEGER NOT NULL,
    -- A name of the IANA database; NULL: as the browser has it.
    time_zone     TEXT,
    created_at    INTEGER NOT NULL,
    last_seen_at  INTEGER
) STRICT;
CREATE INDEX operators_by_role ON operators (role, active);

CREATE TABLE sessions (
    id           INTEGER PRIMARY KEY,
    -- SHA-256 of what the cookie holds.
    hash         BLOB NOT NULL UNIQUE,
    operator_id  INTEGER NOT NULL REFERENCES operators ON DELETE CASCADE,
    address      TEXT,
    user_agent   TEXT,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    -- The end by age or by idleness, whichever comes first.
    ends_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_operator ON sessions (operator_id, last_used_at);
CREATE INDEX sessions_ending ON sessions (ends_at);

CREATE TABLE links (
    -- SHA-256 of the text.
    hash        BLOB PRIMARY KEY,
    purpose     TEXT NOT NULL,
    -- Whose password it sets; NULL: the first operator's, who is not there yet.
    operator_id INTEGER REFERENCES operators ON DELETE CASCADE,
    by_whom     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_operator ON links (operator_id);
CREATE INDEX links_ending ON links (expires_at);
