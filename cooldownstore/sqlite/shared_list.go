//go:build cgo

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// A listing is in two parts: rows of ours, of which the documented columns say
// nothing more, and those that another program wrote or changed. What ended long
// ago and was never ours says nothing, and there may be much of it: other
// programs need not tidy up.
var (
	findShared   = `SELECT ` + foundColumns + ` WHERE host = ?`
	sharedOurs   = `SELECT ` + ourColumns + ` WHERE shown IS until_wall AND (until_wall > ?1 OR expires_at > ?2)`
	sharedTheirs = `SELECT ` + foundColumns + ` WHERE shown IS NOT until_wall AND (until_wall > ?1 OR expires_at > ?2)`
)

// Load implements cooldownstore.Shared.
func (s *Shared) Load(ctx context.Context, key breaker.Key) (word cooldownstore.SharedWord, ok bool, err error) {
	err = s.load(ctx, []breaker.Key{key}, func(w cooldownstore.SharedWord) { word, ok = w, true })
	if err != nil {
		return cooldownstore.SharedWord{}, false, s.fail(ctx, "load "+string(key), err)
	}
	return word, ok, nil
}

// LoadAll implements cooldownstore.Shared.
func (s *Shared) LoadAll(ctx context.Context, keys []breaker.Key, yield func(cooldownstore.SharedWord)) error {
	if err := s.load(ctx, keys, yield); err != nil {
		return s.fail(ctx, fmt.Sprintf("load %d keys", len(keys)), err)
	}
	return nil
}

func (s *Shared) load(ctx context.Context, keys []breaker.Key, yield func(cooldownstore.SharedWord)) error {
	return s.with(ctx, func(p *sharedFile) error {
		find, err := p.read.PrepareContext(ctx, findShared)
		if err != nil {
			return err
		}
		defer find.Close()
		for _, key := range keys {
			r, err := found(ctx, find, cooldownstore.SharedName(key))
			if err != nil {
				return err
			}
			if w, _ := s.word(key, &r, s.opt.now()); !w.Silent() { // what cannot be read says nothing
				yield(w)
			}
		}
		return nil
	})
}

// word is what a row says. An error says what of it was passed over.
func (s *Shared) word(key breaker.Key, r *sharedRow, now time.Time) (cooldownstore.SharedWord, error) {
	v, _, err := r.read(now)
	if v == (cooldownstore.SharedRow{}) {
		return cooldownstore.SharedWord{Record: cooldownstore.Record{Key: key}}, err
	}
	w, odd := s.values.ReadRow(key, v, now)
	return w, errors.Join(err, odd)
}

// Each implements cooldownstore.Shared. It shows the file as it was at the
// call.
func (s *Shared) Each(ctx context.Context, yield func(cooldownstore.SharedWord) bool) error {
	err := s.with(ctx, func(p *sharedFile) error { return s.list(ctx, p, yield) })
	if err != nil {
		return s.fail(ctx, "list shared cooldowns", err)
	}
	return nil
}

func (s *Shared) list(ctx context.Context, p *sharedFile, yield func(cooldownstore.SharedWord) bool) error {
	now := s.opt.now()
	wall := cooldownstore.EpochSeconds(now)
	since := []any{wall - cooldownstore.KeepEnded.Seconds(), wall}
	s.odd.Reset()
	parts := []part[sharedRow]{{sharedOurs, since, (*sharedRow).scanOurs}, {sharedTheirs, since, (*sharedRow).scanTheirs}}
	rows := 0
	err := snapshot(ctx, p.read, parts, func(r *sharedRow) bool {
		if rows++; rows > s.opt.most {
			return false
		}
		key, ok := cooldownstore.FromSharedName(r.host)
		if !ok {
			s.odd.Note(r.host, errors.New("its name is no host's"))
			return true
		}
		w, odd := s.word(key, r, now)
		if odd != nil {
			s.odd.Note(r.host, odd)
		}
		return w.Silent() || yield(w)
	})
	if err == nil && rows > s.opt.most {
		err = fmt.Errorf("more than %d rows of breaker_cooldowns have a deadline that is not over, and %w: correct the program that writes them, and delete those that nobody needs", s.opt.most, cooldownstore.ErrTooMany)
	}
	return err
}
