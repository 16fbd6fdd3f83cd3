package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"fleetfuse/cooldownstore"
)

// migrations bring a database from one user_version to the next. Entries are
// only ever appended.
var migrations = []string{
	// The first four columns and the index are a documented format that other
	// programs read and write; ours come after and are nullable.
	`CREATE TABLE breaker_cooldowns (
		host       TEXT PRIMARY KEY,
		until_wall REAL NOT NULL,
		reason     TEXT,
		updated_at REAL NOT NULL,
		more       TEXT
	);
	CREATE INDEX idx_cd_until ON breaker_cooldowns (until_wall);
	CREATE TABLE breaker_circuits (
		host       TEXT PRIMARY KEY,
		updated_at REAL NOT NULL,
		circuit    TEXT NOT NULL
	);
	CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);`,
}

// migrate brings the database up to date.
func migrate(ctx context.Context, db *sql.DB, path string) error {
	var version int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return fmt.Errorf("read the version of %s: %w", path, err)
	}
	if version > len(migrations) {
		return fmt.Errorf("%s has version %d, this program knows up to %d: %w; use the newer program, or another --data-dir",
			path, version, len(migrations), cooldownstore.ErrNewerSchema)
	}
	for ; version < len(migrations); version++ {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("migrate %s: %w", path, err)
		}
		_, err = tx.ExecContext(ctx, migrations[version]+fmt.Sprintf("PRAGMA user_version = %d;", version+1))
		if err == nil {
			err = tx.Commit()
		} else {
			_ = tx.Rollback()
		}
		if err != nil {
			return fmt.Errorf("migrate %s to version %d: %w", path, version+1, err)
		}
	}
	return nil
}
