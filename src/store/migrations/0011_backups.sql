-- Backups (`store/backup`): what was asked for, and what came of it. `file` is its name in the folder of backups, once it
-- is there; a backup that was canceled or failed has none.
CREATE TABLE backups (
    id         INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    by_whom    TEXT NOT NULL,
    compressed INTEGER NOT NULL,
    file       TEXT,
    bytes      INTEGER,
    canceled   TEXT,
    error      TEXT
) STRICT;
CREATE INDEX backups_done ON backups (id) WHERE file IS NOT NULL;
