//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
)

// Check implements cooldownstore.Shared: whether the file can be opened, read
// and written. It warns of a network file system, and of what the last listing
// passed over.
func (s *Shared) Check(ctx context.Context) (warnings []string, err error) {
	err = s.with(ctx, func(p *sharedFile) error {
		// A transaction that may write finds what is read-only or locked.
		return transact(ctx, p.write, s.writing, func(tx *sql.Tx) error {
			var n int
			return tx.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM breaker_cooldowns LIMIT 1)").Scan(&n)
		})
	})
	if err != nil {
		return nil, s.fail(ctx, "check", err)
	}
	warnings = warnRemote(s.file, sharedSetting, s.opt.remote)
	if odd := s.odd.Warning("rows of breaker_cooldowns"); odd != "" {
		warnings = append(warnings, s.String()+": "+odd)
	}
	return warnings, nil
}
