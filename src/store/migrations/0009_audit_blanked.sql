-- How far the deletion of a tenant has gone through the audit log, where it blanks what was done to the tenant: the id
-- of the last line that was looked at. No index leads to a tenant's lines, so that a turn
-- walks on from there.
ALTER TABLE tenant_deletions ADD COLUMN audited INTEGER NOT NULL DEFAULT 0;
