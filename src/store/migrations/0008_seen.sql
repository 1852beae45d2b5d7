-- What the console's overview asks for: endpoints in trouble without a look at all of them, and how the file grows.

-- Disabled endpoints, by the time at which they were. Most endpoints have no entry.
CREATE INDEX endpoints_disabled ON endpoints (disabled_at, id) WHERE enabled = 0 AND deleted_at IS NULL;
-- Endpoints that have failed since their last success. A success takes the entry away; where none was, none is written.
CREATE INDEX endpoint_health_troubled ON endpoint_health (endpoint_id) WHERE failure_count > 0 OR exhausted <> 0;

-- The size of the file day by day (UTC, counted from 1970): the last one that was noted with the hourly mark.
CREATE TABLE daily_sizes (
    day            INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    database_bytes INTEGER NOT NULL,
    free_bytes     INTEGER NOT NULL
) STRICT;
