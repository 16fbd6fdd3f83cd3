-- The first four columns are a documented format: other programs read and
-- write them. The table may exist already, made by one of them. Our own
-- columns are added after these, see addColumns in migrate.go.
CREATE TABLE IF NOT EXISTS breaker_cooldowns (
    host       TEXT PRIMARY KEY,  -- a host's bare name, or resolver:NAME
    until_wall REAL NOT NULL,     -- epoch seconds: the longest survivor; 0 = cleared
    reason     TEXT,
    updated_at REAL NOT NULL      -- epoch seconds
);
CREATE INDEX IF NOT EXISTS idx_cd_until ON breaker_cooldowns (until_wall);

-- Circuits are counted evidence of ours, not for other programs to write.
CREATE TABLE breaker_circuits (
    host       TEXT PRIMARY KEY,
    state      TEXT NOT NULL,     -- closed, half_open, open
    until_wall REAL NOT NULL,     -- epoch seconds, 0 = none
    reason     TEXT NOT NULL,
    updated_at REAL NOT NULL,
    more       TEXT NOT NULL      -- JSON: everything, exactly; the columns above are for people
);

-- Deadlines of other programs that a save has met: when each was first seen,
-- and whether an operator's close has covered it. A covered one is never
-- adopted again, however often its author writes it.
CREATE TABLE breaker_foreign (
    host       TEXT NOT NULL,
    until_wall REAL NOT NULL,
    stamp      INTEGER NOT NULL,
    cleared    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (host, until_wall)
) WITHOUT ROWID;

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
