package node

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/cooldownstore"
	"fleetfuse/telemetry"
)

// reading is how reading the place goes.
type reading struct {
	err      error     // of the last attempt
	since    time.Time // when reading last began to fail
	warnings []string
	deaf     error     // why changes are seen with a listing only
	at       time.Time // of the last whole listing
	words    int       // in it
}

// read notes how a listing went.
func (s *sharing) read(err error, warnings []string, words int) {
	if errors.Is(err, context.Canceled) {
		return // the node stops
	}
	_, wall := s.board.clock.Both()
	s.mu.Lock()
	r := &s.reading
	if err != nil && r.err == nil {
		r.since = wall
	}
	if r.err = err; err == nil {
		r.at, r.words = wall, words
		for _, w := range warnings {
			if !slices.Contains(r.warnings, w) {
				s.logger.Warn("the shared store", slog.String("warning", w))
			}
		}
		r.warnings = warnings
	}
	s.mu.Unlock()
	s.say()
}

// say logs that the place became unusable, or usable again.
func (s *sharing) say() {
	h := s.health()
	s.mu.Lock()
	changed := s.said != h.OK
	s.said = h.OK
	s.mu.Unlock()
	if changed {
		s.part(partShared, h.OK, h.Error)
	}
	switch {
	case !changed:
	case h.OK:
		s.logger.Info("the shared store works again", slog.Int("pending", h.Pending))
	default:
		s.logger.Error("degraded: the shared store fails; decisions go on, cooldowns wait to be shared",
			slog.Time("since", *h.Since), slog.String("err", h.Error), slog.Int("pending", h.Pending))
	}
}

// health says how sharing goes: it is degraded while reading or writing fails.
func (s *sharing) health() api.SharedHealth {
	s.mu.Lock()
	r := s.reading
	s.mu.Unlock()
	out := s.outbox.Health()
	h := api.SharedHealth{
		StoreHealth: api.StoreHealth{Kind: s.place.Kind(), OK: r.err == nil && out.OK, Pending: out.Pending, Warnings: r.warnings},
		Where:       s.place.String(), Entries: r.words, Dropped: out.Dropped,
	}
	if h.OK && r.deaf != nil {
		h.Warnings = append(slices.Clip(h.Warnings), "what others change is seen with the next listing only: "+r.deaf.Error())
	}
	if !r.at.IsZero() {
		at := r.at.UTC()
		h.ListedAt = &at
	}
	if h.OK {
		return h
	}
	since, err := r.since, r.err
	if err == nil || !out.OK && out.Since.Before(since) {
		since, err = out.Since, out.Err
	}
	since = since.UTC()
	h.Since, h.Error = &since, err.Error()
	return h
}

func (s *sharing) sample(t *telemetry.Sample) {
	h := s.health()
	t.Truth("shared_ok", h.OK)
	since := 0.0
	if h.Since != nil {
		since = cooldownstore.EpochSeconds(*h.Since)
	}
	t.Set("shared_degraded_since_seconds", since)
	t.Set("shared_warnings", float64(len(h.Warnings)))
	t.Set("shared_entries", float64(h.Entries))
	t.Set("shared_pending", float64(h.Pending))
	t.Count("shared_dropped_total", h.Dropped)
}
