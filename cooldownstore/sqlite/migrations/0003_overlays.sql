-- What was replaced of policies at run time: the overlay in force, one a
-- register, and those before it, which are the history of the policy.
CREATE TABLE breaker_overlays (
    host      TEXT NOT NULL,
    register  TEXT NOT NULL,      -- operator, tuner
    version   INTEGER NOT NULL,   -- its stamp
    in_force  INTEGER NOT NULL,   -- 1: the latest of its register
    kept_wall REAL NOT NULL,      -- epoch seconds: when it is forgotten; 0 = never
    ended_wall REAL NOT NULL,     -- epoch seconds: since when it is not in force; 0 = it is
    fields    TEXT NOT NULL,
    author    TEXT NOT NULL,
    reason    TEXT NOT NULL,
    more      TEXT NOT NULL,      -- JSON: everything, exactly; the columns above are for people
    PRIMARY KEY (host, register, version)
) WITHOUT ROWID;
CREATE INDEX idx_overlays_in_force ON breaker_overlays (host) WHERE in_force = 1;
