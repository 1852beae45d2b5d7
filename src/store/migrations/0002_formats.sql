-- Formats of a team's own, and secrets that are replaced with an overlap.

-- Which endpoints use a format. Only present revisions, and none of `standard`: most endpoints have no entry.
CREATE INDEX endpoint_revisions_by_format ON endpoint_revisions (format, endpoint_id)
    WHERE replaced_after IS NULL AND format <> 'standard';
-- A format in its present revision has no `replaced_after`; one that was deleted has no such row.
CREATE UNIQUE INDEX formats_present ON formats (name) WHERE replaced_after IS NULL;
CREATE INDEX formats_replaced ON formats (replaced_after) WHERE replaced_after IS NOT NULL;
CREATE INDEX endpoint_secrets_ending ON endpoint_secrets (expires_at) WHERE expires_at IS NOT NULL;

-- When the secret was last replaced, and until when the one before signs as well: shown when its row is gone.
ALTER TABLE endpoints ADD COLUMN secret_rotated_at INTEGER;
ALTER TABLE endpoints ADD COLUMN old_secret_until INTEGER;
