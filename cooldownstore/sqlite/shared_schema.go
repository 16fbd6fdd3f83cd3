//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"fleetfuse/cooldownstore"
)

// sharedSchema is the version of what this program makes of a shared file. It
// is in a table of our own: PRAGMA user_version may be another program's.
const sharedSchema = 1

// makeShared makes the documented table, as another program may have done
// already, and what is ours beside it; sharedIndexes need our columns.
const (
	makeShared = `CREATE TABLE IF NOT EXISTS breaker_cooldowns (
		host       TEXT PRIMARY KEY,  -- a host's bare name, or resolver:NAME
		until_wall REAL NOT NULL,     -- epoch seconds: the longest survivor; 0 = cleared
		reason     TEXT,
		updated_at REAL NOT NULL      -- epoch seconds
	);
	CREATE TABLE IF NOT EXISTS fleetfuse_schema (version INTEGER NOT NULL);`
	sharedIndexes = `CREATE INDEX IF NOT EXISTS idx_cd_until ON breaker_cooldowns (until_wall);
	CREATE INDEX IF NOT EXISTS idx_cd_updated ON breaker_cooldowns (updated_at);
	CREATE INDEX IF NOT EXISTS idx_cd_news ON breaker_cooldowns (until_wall) WHERE shown IS NOT until_wall;
	DELETE FROM fleetfuse_schema;`
)

// sharedColumns are ours. Another program that writes a whole row anew leaves
// them NULL; one that changes its columns only leaves them as they were, and
// then shown tells that until_wall is not ours.
var sharedColumns = []string{"author TEXT", "detail TEXT", "more TEXT", "shown REAL", "expires_at REAL"}

// migrate makes what is missing in the file. It does not write if nothing is.
func (p *sharedFile) migrate(ctx context.Context) error {
	done, err := sharedMigrated(ctx, p.write)
	if done || err != nil {
		return err
	}
	tx, err := p.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := sharedMigrated(ctx, tx); err != nil { // another process may have been faster, and newer
		return err
	}
	if _, err := tx.ExecContext(ctx, makeShared); err != nil {
		return err
	}
	if err := addColumns(ctx, tx, sharedColumns); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, sharedIndexes); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO fleetfuse_schema VALUES (?)", sharedSchema); err != nil {
		return err
	}
	return tx.Commit()
}

// A querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// sharedMigrated reports whether nothing is missing in the file, and refuses
// files that this program must not write.
func sharedMigrated(ctx context.Context, db querier) (bool, error) {
	var stateDB, versioned, columns int
	err := db.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'breaker_circuits'),
		(SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'fleetfuse_schema'),
		(SELECT count(*) FROM pragma_table_info('breaker_cooldowns') WHERE name IN ('author', 'detail', 'more', 'shown', 'expires_at'))`).
		Scan(&stateDB, &versioned, &columns)
	switch {
	case err != nil:
		return false, err
	case stateDB > 0:
		return false, errors.New("this is the state.db of a node: name a file of its own in " + sharedSetting)
	case versioned == 0:
		return false, nil
	}
	var version sql.NullInt64
	if err := db.QueryRowContext(ctx, "SELECT max(version) FROM fleetfuse_schema").Scan(&version); err != nil {
		return false, err
	}
	if version.Int64 > sharedSchema {
		return false, fmt.Errorf("%w: its schema version is %d, this program knows versions up to %d; "+
			"run the newer fleetfuse-node or choose another %s", cooldownstore.ErrNewerSchema, version.Int64, sharedSchema, sharedSetting)
	}
	return version.Int64 == sharedSchema && columns == len(sharedColumns), nil
}
