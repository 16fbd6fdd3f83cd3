//go:build cgo

package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"fleetfuse/cooldownstore"
)

// A Shared is a SQLite file that several processes of one machine share, each
// with a handle of its own. It opens the file when it is first used, and again
// after an error or when the file was replaced, so that it works as soon as
// what was wrong is put right.
type Shared struct {
	file   string
	opt    options
	values cooldownstore.SharedValues
	odd    cooldownstore.PassedOver

	opening chan struct{} // holds a token while somebody opens the file
	writing chan struct{} // holds a token while a transaction writes
	pruned  time.Time     // guarded by writing

	mu   sync.Mutex
	open *sharedFile // nil if it is to be opened

	closing  context.Context // ends with Close
	end      context.CancelFunc
	close    sync.Once
	closeErr error
}

var _ cooldownstore.Shared = (*Shared)(nil)

// OpenShared returns a handle on the file that sqlite://file names. It does not
// touch the file: what is wrong with it is found by Check and by use. The error
// is for a path that is not absolute.
func OpenShared(file string, opts ...Option) (*Shared, error) {
	if !filepath.IsAbs(file) {
		return nil, fmt.Errorf("%s: sqlite://%s: the path is not absolute: write sqlite:///path/to/file", sharedSetting, file)
	}
	s := &Shared{file: file, opt: makeOptions(opts), opening: make(chan struct{}, 1), writing: make(chan struct{}, 1)}
	s.closing, s.end = context.WithCancel(context.Background())
	return s, nil
}

// Values implements cooldownstore.Shared.
func (s *Shared) Values() *cooldownstore.SharedValues { return &s.values }

// Kind implements cooldownstore.Shared.
func (s *Shared) Kind() string { return "sqlite" }

// String is the file as --cooldown-store names it.
func (s *Shared) String() string { return "sqlite://" + s.file }

// usable reports why the handle cannot be used at all.
func (s *Shared) usable(ctx context.Context) error {
	if s.closing.Err() != nil {
		return cooldownstore.ErrClosed
	}
	return ctx.Err()
}

// fail turns an error of an operation into what the caller sees.
func (s *Shared) fail(ctx context.Context, op string, err error) error {
	if gone := s.usable(ctx); gone != nil {
		return fmt.Errorf("%s: %w", op, gone) // the driver's own words for it vary
	}
	return fmt.Errorf("%s: %w", op, explain(err, sharedSetting+" "+s.String(), sharedSetting))
}

// Close implements cooldownstore.Shared. It waits for what is being written.
func (s *Shared) Close() error {
	s.close.Do(func() {
		s.end()
		s.writing <- struct{}{} // whoever comes later finds the handle closed
		s.mu.Lock()
		p := s.open
		s.open = nil
		s.mu.Unlock()
		if p != nil {
			s.closeErr = p.close()
		}
		<-s.writing
		if s.closeErr != nil {
			s.closeErr = fmt.Errorf("close %s: %w", s, s.closeErr)
		}
	})
	return s.closeErr
}
