//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"strings"

	"fleetfuse/cooldownstore"
)

// migrations holds one file per schema version, in order; PRAGMA user_version
// counts those applied.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the file to this program's schema version, one transaction
// per step.
func migrate(ctx context.Context, db *sql.DB) error {
	steps, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	for {
		done, err := migrateOnce(ctx, db, len(steps), func(v int) ([]byte, error) {
			return migrations.ReadFile("migrations/" + steps[v].Name())
		})
		if done || err != nil {
			return err
		}
	}
}

// migrateOnce applies the next step, if there is one. The version is read
// inside the transaction: another process may be migrating a shared file.
func migrateOnce(ctx context.Context, db *sql.DB, known int, step func(version int) ([]byte, error)) (done bool, err error) {
	tx, err := begin(ctx, db)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return false, err
	}
	switch {
	case version > known || version < 0:
		return false, newerSchema(version, known)
	case version == known:
		return true, nil
	}
	text, err := step(version)
	if err != nil {
		return false, err
	}
	if err := applyStep(ctx, tx, version, string(text)); err != nil {
		return false, fmt.Errorf("migrate to schema version %d: %w", version+1, err)
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1)); err != nil {
		return false, err
	}
	return false, tx.Commit()
}

// stateColumns are ours in the breaker_cooldowns of state.db. Another program
// that changes its columns only leaves shown as it was, and one that writes a
// whole row anew leaves it NULL: where shown is not until_wall there is news.
var stateColumns = []string{"author TEXT", "detail TEXT", "more TEXT", "shown REAL"}

// applyStep runs one migration. The first makes the table that later ones find
// with all our columns.
func applyStep(ctx context.Context, tx *sql.Tx, version int, text string) error {
	if version > 0 {
		if err := addColumns(ctx, tx, stateColumns); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, text); err != nil {
		return err
	}
	return addColumns(ctx, tx, stateColumns)
}

func newerSchema(version, known int) error {
	return fmt.Errorf("%w: its schema version is %d, this program knows versions up to %d; "+
		"run the newer fleetfuse-node again or choose another --data-dir", cooldownstore.ErrNewerSchema, version, known)
}

// addColumns adds columns of ours to breaker_cooldowns where they are missing.
func addColumns(ctx context.Context, tx *sql.Tx, columns []string) error {
	for _, column := range columns {
		name, _, _ := strings.Cut(column, " ")
		var n int
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM pragma_table_info('breaker_cooldowns') WHERE name = ?", name).Scan(&n)
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, "ALTER TABLE breaker_cooldowns ADD COLUMN "+column); err != nil {
			return err
		}
	}
	return nil
}
