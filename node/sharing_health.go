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

func (s *sharing) gauges(m *telemetry.Metrics) {
	m.Gauge("shared_ok", "1 while the shared store works.", func() float64 { return truth(s.health().OK) })
	m.Gauge("shared_degraded_since_seconds", "When the shared store began to fail, in seconds since 1970; 0 while it works.", func() float64 {
		if h := s.health(); h.Since != nil {
			return cooldownstore.EpochSeconds(*h.Since)
		}
		return 0
	})
	m.Gauge("shared_warnings", "What may go wrong at the shared store, such as that it may evict; see readyz?verbose.", func() float64 {
		return float64(len(s.health().Warnings))
	})
	m.Gauge("shared_entries", "Keys in the last whole listing of the shared store.", func() float64 { return float64(s.health().Entries) })
	m.Gauge("shared_pending", "Keys whose cooldown waits to be shared.", func() float64 { return float64(s.outbox.Health().Pending) })
	m.Counter("shared_dropped_total", "Cooldowns given up because too many waited to be shared.", func() float64 {
		return float64(s.outbox.Health().Dropped)
	})
}
