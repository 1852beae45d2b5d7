-- Events whose data was deleted and whose deliveries are not all done yet (`store/blanking.rs`): those up to `done_to` are.
CREATE TABLE blankings (
    event_id INTEGER PRIMARY KEY,
    done_to  INTEGER NOT NULL
) STRICT;
