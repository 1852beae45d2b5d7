-- Hourly totals over all endpoints, also those that were deleted since: kept in the same transactions as `hourly`, so
-- that nobody sums it up over thousands of endpoints. The columns mean the same.
CREATE TABLE hourly_totals (
    hour        INTEGER PRIMARY KEY,
    delivered   INTEGER NOT NULL DEFAULT 0,
    failed      INTEGER NOT NULL DEFAULT 0,
    attempts_ok INTEGER NOT NULL DEFAULT 0,
    attempts_failed INTEGER NOT NULL DEFAULT 0,
    l0  INTEGER NOT NULL DEFAULT 0, l1  INTEGER NOT NULL DEFAULT 0, l2  INTEGER NOT NULL DEFAULT 0,
    l3  INTEGER NOT NULL DEFAULT 0, l4  INTEGER NOT NULL DEFAULT 0, l5  INTEGER NOT NULL DEFAULT 0,
    l6  INTEGER NOT NULL DEFAULT 0, l7  INTEGER NOT NULL DEFAULT 0, l8  INTEGER NOT NULL DEFAULT 0,
    l9  INTEGER NOT NULL DEFAULT 0, l10 INTEGER NOT NULL DEFAULT 0, l11 INTEGER NOT NULL DEFAULT 0,
    l12 INTEGER NOT NULL DEFAULT 0, l13 INTEGER NOT NULL DEFAULT 0, l14 INTEGER NOT NULL DEFAULT 0,
    l15 INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO hourly_totals
SELECT hour, sum(delivered), sum(failed), sum(attempts_ok), sum(attempts_failed),
       sum(l0), sum(l1), sum(l2), sum(l3), sum(l4), sum(l5), sum(l6), sum(l7),
       sum(l8), sum(l9), sum(l10), sum(l11), sum(l12), sum(l13), sum(l14), sum(l15)
FROM hourly GROUP BY hour;
