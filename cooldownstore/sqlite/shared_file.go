//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"

	"github.com/mattn/go-sqlite3"

	"fleetfuse/cooldownstore"
	"fleetfuse/internal/sqlitefile"
)

// A sharedFile is a shared file while it is open.
type sharedFile struct {
	info        os.FileInfo
	read, write *sql.DB

	users int  // guarded by the handle's mu
	left  bool // it is no longer the handle's: whoever uses it last closes it
}

func (p *sharedFile) close() error { return errors.Join(p.read.Close(), p.write.Close()) }

// with does something with the open file. After an error that says that the
// file is not what it should be, it is opened anew.
func (s *Shared) with(ctx context.Context, do func(*sharedFile) error) error {
	p, err := s.use(ctx)
	if err != nil {
		return err
	}
	err = do(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.users--; suspicious(err) && s.open == p {
		s.leave()
	} else if p.left && p.users == 0 {
		p.close()
	}
	return err
}

// suspicious reports whether an error may be the file's.
func suspicious(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	if !ok {
		return sqlitefile.IsCorrupt(err)
	}
	switch e.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrFull, sqlite3.ErrInterrupt, sqlite3.ErrConstraint:
		return false
	}
	return true
}

// leave lets go of the open file; s.mu is held.
func (s *Shared) leave() {
	p := s.open
	s.open = nil
	if p.left = true; p.users == 0 {
		p.close()
	}
}

// use returns the open file, opened now if need be, for a user more. Another
// file may have taken its name since it was opened.
func (s *Shared) use(ctx context.Context) (*sharedFile, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	select {
	case s.opening <- struct{}{}:
		defer func() { <-s.opening }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	info, err := inspect(s.file, sharedSetting)
	if p := s.same(info, err); p != nil || err != nil {
		return p, err
	}
	p, err := s.openFile(ctx, info)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Err() != nil { // Close did not find it
		return nil, errors.Join(cooldownstore.ErrClosed, p.close())
	}
	p.users++
	s.open = p
	return p, nil
}

// same returns the open file for a user more if it is the one that was found,
// and lets go of it otherwise.
func (s *Shared) same(found os.FileInfo, err error) *sharedFile {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.open == nil:
		return nil
	case err != nil || found == nil || !os.SameFile(found, s.open.info):
		s.leave()
		return nil
	}
	s.open.users++
	return s.open
}

// openings bounds how often a file is opened again because another took its
// name meanwhile. A new file is opened twice: only then it is known which one
// was opened.
const openings = 5

var errReplaced = errors.New("the file was removed or replaced")

// openFile opens, checks and prepares the file, which was this one, nil if it
// was not there.
func (s *Shared) openFile(ctx context.Context, before os.FileInfo) (*sharedFile, error) {
	for range openings {
		p := &sharedFile{info: before, read: openReaders(s.file), write: openWriter(s.file, s.opt, busyStep, "synchronous=NORMAL")}
		if err := p.prepare(ctx); err != nil {
			return nil, errors.Join(err, p.close())
		}
		after, err := inspect(s.file, sharedSetting)
		if err == nil && before != nil && after != nil && os.SameFile(before, after) {
			return p, nil
		}
		before = after
		if err = errors.Join(err, p.close()); err != nil {
			return nil, err
		}
	}
	return nil, errReplaced
}

// prepare checks the file and makes what is missing in it, when others let it.
func (p *sharedFile) prepare(ctx context.Context) error {
	return patiently(ctx, func() error {
		if err := check(ctx, p.write); err != nil {
			return err
		}
		return p.migrate(ctx)
	})
}
