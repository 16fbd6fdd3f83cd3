//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"fleetfuse/cooldownstore"
	"fleetfuse/internal/sqlitefile"
)

const fileName = "state.db"

// An Option changes how a store is opened.
type Option func(*options)

type options struct {
	maxPages int
	now      func() time.Time
	remote   func(path string) string
	most     int // rows that a listing of a shared file looks at
}

// WithClock replaces the wall clock, which tells whether a deadline has passed.
func WithClock(now func() time.Time) Option { return func(o *options) { o.now = now } }

// Open opens dir/state.db and locks dir for this process. It makes what is
// missing. A damaged file is set aside and a new one made: see SetAside.
// The error wraps cooldownstore.ErrLocked if another process has the
// directory, cooldownstore.ErrNewerSchema if a newer version wrote the file;
// every error says what to do.
func Open(ctx context.Context, dir string, opts ...Option) (*Store, error) {
	o := makeOptions(opts)
	if err := makeDir(dir); err != nil {
		return nil, explain(err, "make the data directory", dirSetting)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, fileName)
	s, aside, err := openFile(ctx, file, o)
	if aside != "" {
		if s, _, err = openFile(ctx, file, o); err == nil {
			s.setAside = aside
		}
	}
	if err == nil {
		if err = syncDirs(dir); err != nil {
			s.closePools()
		}
	}
	if err != nil {
		lock.Close()
		return nil, explain(err, "open "+file, dirSetting)
	}
	s.lock = lock
	return s, nil
}

func makeOptions(opts []Option) options {
	o := options{now: time.Now, remote: remote, most: cooldownstore.MaxShared}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// makeDir makes a data directory if there is none.
func makeDir(dir string) error {
	if err := dangling(dir, dirSetting); err != nil {
		return err
	}
	err := os.MkdirAll(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: no directory can be made there; choose another %s", err, dirSetting)
	}
	return err
}

// openFile opens, checks and migrates one file. A damaged one is set aside while
// it is still open, because SQLite deletes the log on closing.
func openFile(ctx context.Context, file string, o options) (s *Store, aside string, err error) {
	s = &Store{file: file, writing: make(chan struct{}, 1), now: o.now, remote: o.remote, pruned: o.now()}
	s.openPools(o)
	if err = s.prepare(ctx); err == nil {
		return s, "", nil
	}
	if sqlitefile.IsCorrupt(err) {
		var moveErr error
		aside, moveErr = sqlitefile.SetAside(file, o.now())
		err = errors.Join(err, moveErr)
	}
	return nil, aside, errors.Join(err, s.closePools())
}

func (s *Store) prepare(ctx context.Context) error {
	if _, err := inspect(s.file, dirSetting); err != nil {
		return err
	}
	if err := check(ctx, s.normal); err != nil {
		return err
	}
	return migrate(ctx, s.full)
}

// check tells whether a file is fit for use.
func check(ctx context.Context, db *sql.DB) error {
	if err := sqlitefile.CheckLog(ctx, db); err != nil {
		return err
	}
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return sqlitefile.CorruptError(found)
	}
	return nil
}

// syncDirs makes the names of a new directory and of the files in it survive
// power loss.
func syncDirs(dir string) error {
	for _, d := range []string{dir, filepath.Dir(filepath.Clean(dir))} {
		f, err := os.Open(d)
		if err != nil {
			if d != dir {
				continue // the parent of an old directory may be none of ours to read
			}
			return err
		}
		err = f.Sync()
		f.Close()
		if err != nil && d == dir {
			return fmt.Errorf("sync %s: %w", d, err)
		}
	}
	return nil
}
