-- Deletions of tenants (`store/tenant_jobs.rs`). The tenant's own row, its endpoints and its keys go in the commit that
-- answers; what is left is only known by `tenant_id`, which no later tenant gets, and goes in turns. Progress moves in
-- the transaction that deletes. `up_to` is the last id that was allotted before.
CREATE TABLE tenant_deletions (
    id         INTEGER PRIMARY KEY,
    tenant_id  INTEGER NOT NULL,
    tenant     TEXT NOT NULL,
    up_to      INTEGER NOT NULL,
    endpoints  INTEGER NOT NULL,
    keys       INTEGER NOT NULL,
    deliveries INTEGER NOT NULL DEFAULT 0,
    attempts   INTEGER NOT NULL DEFAULT 0,
    events     INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;
CREATE INDEX tenant_deletions_running ON tenant_deletions (id) WHERE ended_at IS NULL;
-- Endpoints whose hourly counters are still there.
CREATE TABLE tenant_deletion_endpoints (
    deletion_id INTEGER NOT NULL,
    endpoint_id INTEGER NOT NULL,
    PRIMARY KEY (deletion_id, endpoint_id)
) STRICT, WITHOUT ROWID;
-- What a tenant that is deleted has: all its endpoints, deleted ones as well, and its keys.
CREATE INDEX endpoints_of_tenant ON endpoints (tenant_id, id);
CREATE INDEX keys_of_tenant ON keys (tenant_id);
