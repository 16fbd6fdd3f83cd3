//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

const (
	// hintEvery is how often a file is looked at for changes.
	hintEvery = 200 * time.Millisecond
	// hintSlack is by how much a change may be dated before it is seen: other
	// programs take the time early, or in whole seconds.
	hintSlack = 2 * time.Second
)

const changedShared = `SELECT iif(octet_length(host) <= 512, host, ''), updated_at, iif(typeof(until_wall) IN ('real', 'integer'), until_wall, 0)
	FROM breaker_cooldowns WHERE updated_at >= ? AND updated_at <= ? AND typeof(host) = 'text'`

// Hints implements cooldownstore.Shared: it looks whether anybody changed the
// file, and then for rows that are dated since it last looked.
func (s *Shared) Hints(ctx context.Context, changed func(breaker.Key)) error {
	err := s.with(ctx, func(p *sharedFile) error { return s.listen(ctx, p, changed) })
	return s.fail(ctx, "listen for changes", err)
}

func (s *Shared) listen(ctx context.Context, p *sharedFile, changed func(breaker.Key)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	conn, err := p.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	l := lookout{conn: conn, since: s.opt.now()}
	if _, err := l.look(ctx, s.opt.now()); err != nil { // what is there already
		return err
	}
	changed("")
	tick := time.NewTicker(hintEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if info, err := os.Stat(s.file); err != nil || !os.SameFile(info, p.info) {
			return errReplaced
		}
		keys, err := l.look(ctx, s.opt.now())
		if err != nil {
			return err
		}
		for _, key := range keys {
			changed(key)
		}
	}
}

// A lookout remembers what it saw, on one connection: of that SQLite tells
// whether others changed the file.
type lookout struct {
	conn    *sql.Conn
	version int64
	since   time.Time // of the last look
	seen    map[string]sight
}

// A sight is a row as it was last seen.
type sight struct{ updated, until float64 }

// look returns the keys of rows that changed since the last look.
func (l *lookout) look(ctx context.Context, now time.Time) (keys []breaker.Key, err error) {
	var version int64
	if err := l.conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version); err != nil {
		return nil, err
	}
	if version == l.version {
		return nil, nil
	}
	from := l.since
	if now.Before(from) { // the clock was set back
		from = now
	}
	rows, err := l.conn.QueryContext(ctx, changedShared,
		cooldownstore.EpochSeconds(from.Add(-hintSlack)), cooldownstore.EpochSeconds(now.Add(hintSlack)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	seen := make(map[string]sight)
	for rows.Next() {
		var host string
		var s sight
		if err := rows.Scan(&host, &s.updated, &s.until); err != nil {
			return nil, fmt.Errorf("read what changed: %w", err)
		}
		seen[host] = s
		if key, ok := cooldownstore.FromSharedName(host); ok && l.seen[host] != s {
			keys = append(keys, key)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	l.version, l.since, l.seen = version, now, seen
	return keys, nil
}
