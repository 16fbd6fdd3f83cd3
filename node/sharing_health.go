package node

import (
	"log/slog"

	"fleetfuse/api"
	"fleetfuse/cooldownstore"
	"fleetfuse/telemetry"
)

// read notes how a listing went.
func (s *sharing) read(err error, warnings []string, words int) {
	_, wall := s.board.clock.Both()
	s.mu.Lock()
	news := s.condition.Read(wall, err, warnings, words)
	s.mu.Unlock()
	for _, w := range news {
		s.logger.Warn("the shared store", slog.String("warning", w))
	}
	s.say()
}

// say logs that the place became unusable, or usable again.
func (s *sharing) say() {
	out := s.outbox.Health()
	s.mu.Lock()
	v := s.condition.Judge(out)
	changed := s.condition.Changed(v)
	s.mu.Unlock()
	if changed {
		s.part(partShared, v.OK, errorText(v.Err))
	}
	switch {
	case !changed:
	case v.OK:
		s.logger.Info("the shared store works again", slog.Int("pending", out.Pending))
	default:
		s.logger.Error("degraded: the shared store fails; decisions go on, cooldowns wait to be shared",
			slog.Time("since", v.Since), slog.String("err", v.Err.Error()), slog.Int("pending", out.Pending))
	}
}

// health says how sharing goes.
func (s *sharing) health() api.SharedHealth {
	out := s.outbox.Health()
	s.mu.Lock()
	v := s.condition.Judge(out)
	s.mu.Unlock()
	h := api.SharedHealth{
		StoreHealth: api.StoreHealth{Kind: s.place.Kind(), OK: v.OK, Pending: out.Pending, Warnings: v.Warnings},
		Where:       s.place.String(), Entries: v.Entries, Dropped: out.Dropped,
	}
	if !v.ListedAt.IsZero() {
		at := v.ListedAt.UTC()
		h.ListedAt = &at
	}
	if !v.OK {
		since := v.Since.UTC()
		h.Since, h.Error = &since, v.Err.Error()
	}
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
