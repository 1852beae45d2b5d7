-- The list of event types, the newest first.
CREATE INDEX event_types_by_age ON event_types (created_at, name);
