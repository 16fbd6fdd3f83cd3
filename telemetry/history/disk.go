//go:build cgo

package history

import (
	"context"

	"fleetfuse/internal/sqlitefile"
)

// disk is the open file. A nil disk can be closed.
type disk struct{ *sqlitefile.DB }

// schema keeps a minute of a series in a row; series have numbers because their
// names would be most of the file.
const schema = `
CREATE TABLE series (
    id   INTEGER PRIMARY KEY,
    key  TEXT NOT NULL,          -- host:NAME or resolver:NAME
    role TEXT NOT NULL,          -- '' is the nameless role
    UNIQUE (key, role)
);
CREATE TABLE minutes (
    minute  INTEGER NOT NULL,    -- since 1970
    series  INTEGER NOT NULL,
    buckets BLOB NOT NULL,       -- up to six of 10 s: place in the minute, encoded counts
    PRIMARY KEY (minute, series)
) WITHOUT ROWID;
CREATE INDEX idx_minutes_series ON minutes (series, minute);
PRAGMA user_version = 1;`

// openDisk opens a file, or makes it. The disk is there also with an error.
func openDisk(ctx context.Context, file string, maxPages int) (*disk, error) {
	db, err := sqlitefile.Open(ctx, file, sqlitefile.Settings{
		Schema: schema, Version: 1, Synchronous: "NORMAL", LogBytes: 16 << 20, MaxPages: maxPages,
	})
	return &disk{db}, err
}

func (d *disk) close() error {
	if d == nil {
		return nil
	}
	return d.Close()
}
