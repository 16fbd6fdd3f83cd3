//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"

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
	if _, err := tx.ExecContext(ctx, string(text)); err != nil {
		return false, fmt.Errorf("migrate to schema version %d: %w", version+1, err)
	}
	if version == 0 {
		if err := addColumns(ctx, tx); err != nil {
			return false, fmt.Errorf("migrate to schema version 1: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1)); err != nil {
		return false, err
	}
	return false, tx.Commit()
}

func newerSchema(version, known int) error {
	return fmt.Errorf("%w: its schema version is %d, this program knows versions up to %d; "+
		"run the newer fleetfuse-node again or choose another --data-dir", cooldownstore.ErrNewerSchema, version, known)
}

// addColumns adds our own columns to breaker_cooldowns where they are missing.
func addColumns(ctx context.Context, tx *sql.Tx) error {
	for _, column := range []string{"author", "detail", "more"} {
		var n int
		err := tx.QueryRowContext(ctx,
			"SELECT count(*) FROM pragma_table_info('breaker_cooldowns') WHERE name = ?", column).Scan(&n)
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, "ALTER TABLE breaker_cooldowns ADD COLUMN "+column+" TEXT"); err != nil {
			return err
		}
	}
	return nil
}
