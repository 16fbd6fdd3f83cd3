package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/follow"
	"fleetfuse/telemetry/rollup"
)

// Usage is what callers of all members saw.
type Usage interface {
	// Usage sums up the last so much time, of one key or of all with "".
	Usage(ctx context.Context, key breaker.Key, window time.Duration) rollup.Fleet
	// Used counts what a worker's own gate saw of a breaker.
	Used(s rollup.Series, c *rollup.Counts)
}

// Windows of a summary.
const (
	defaultWindow = time.Hour
	maxWindow     = 30 * 24 * time.Hour
)

// summary sums up what breakers did in a window, and what it cost.
func (s *Server) summary(w http.ResponseWriter, r *http.Request) {
	values, ok := query(w, r, "window")
	if !ok {
		return
	}
	window := defaultWindow
	if text := values.Get("window"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < time.Second || d > maxWindow {
			fail(w, http.StatusBadRequest, fmt.Sprintf("the window %s is not a duration from 1s to %v", quoted(text), maxWindow), "/v1/summary?window=1h")
			return
		}
		window = d
	}
	opens := s.opt.Events.Query(r.Context(), follow.Question{
		Limit: maxEvents, Filter: follow.Filter{Since: s.now().Add(-window), Kinds: []string{
			string(telemetry.KindTransition), string(telemetry.KindCooldown), string(telemetry.KindOperator), string(telemetry.KindLocal),
		}},
	})
	answer := telemetry.Summarize(s.opt.Usage.Usage(r.Context(), "", window), opens.Events, window)
	answer.Cut = opens.More
	write(w, http.StatusOK, answer)
}
