//go:build cgo

package eventlog

import (
	"context"
	"errors"
	"fmt"

	"fleetfuse/internal/sqlitefile"
)

// ready returns the store, after it opened or replaced it if it must.
func (l *Log) ready() (*store, error) {
	l.mu.Lock()
	s, ruined := l.store, l.ruined
	l.mu.Unlock()
	if s != nil {
		return s, nil
	}
	if ruined != nil {
		aside, err := ruined.setAside(l.opt.Now())
		if err != nil {
			return nil, explain(err, l.file)
		}
		l.mu.Lock()
		l.ruined, l.health.SetAside = nil, aside
		l.mu.Unlock()
	}
	s, f, err := l.openStore(l.ctx)
	if err != nil {
		return nil, err
	}
	if err := l.attach(s, f, l.tail.base); err != nil {
		return nil, err
	}
	return s, nil
}

// openStore opens the file. A damaged one is set aside.
func (l *Log) openStore(ctx context.Context) (*store, found, error) {
	if err := inspect(l.file); err != nil {
		return nil, found{}, explain(err, l.file)
	}
	s, f, err := openStore(ctx, l.file, l.opt)
	if sqlitefile.IsCorrupt(err) {
		var aside string
		if aside, err = s.setAside(l.opt.Now()); err == nil {
			l.mu.Lock()
			l.health.SetAside = aside
			l.mu.Unlock()
			s, f, err = openStore(ctx, l.file, l.opt)
		}
	}
	if err != nil {
		s.closePools()
		return nil, found{}, explain(err, l.file)
	}
	return s, f, nil
}

// attach makes a store the log's, for positions from base on. Where base was
// chosen without the file, the reservation in it may reach beyond base: those
// positions were given out, if at all, before the wall clock came to base.
func (l *Log) attach(s *store, f found, base uint64) error {
	if f.used() >= base {
		s.closePools()
		return fmt.Errorf("%s has events at positions beyond those given out since the start: the clock was set back while it "+
			"could not be read; events stay in memory until fleetfuse-node is started again", l.file)
	}
	if f.fresh {
		f.pruned = max(l.gone.Load(), base-1)
	}
	if g := f.lost(base, l.opt.Now()); g.First <= g.Last {
		f.gaps = f.gaps.add(g)
	}
	if err := s.begin(base, f); err != nil {
		return explain(errors.Join(err, s.closePools()), l.file)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone.Store(max(l.gone.Load(), f.pruned))
	l.write.unsaved = l.write.unsaved || len(l.gaps) > 0
	for _, g := range l.gaps {
		f.gaps = f.gaps.add(g)
	}
	l.gaps = f.gaps
	l.store = s
	return nil
}

// condemn gives up a damaged store: it is set aside, what is in memory is written
// to a new one, and what is only in the damaged one is gone.
func (l *Log) condemn(s *store) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store != s {
		return
	}
	l.store, l.ruined = nil, s
	last := l.tail.view().oldest - 1
	l.raiseGone(last)
	l.write.written, l.write.flying = last, nil
	l.poke()
}

// raiseGone must be called with mu held, before the events up to a position go.
func (l *Log) raiseGone(last uint64) {
	if last <= l.gone.Load() {
		return
	}
	l.gone.Store(last)
	n := len(l.gaps)
	l.gaps = l.gaps.beyond(last)
	l.write.unsaved = l.write.unsaved || len(l.gaps) < n
}
