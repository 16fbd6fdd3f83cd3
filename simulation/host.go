package simulation

import (
	"math/rand/v2"
	"net/http"
	"sort"
	"strconv"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/gate"
)

// answer is what comes of a call.
type answer struct {
	latency time.Duration
	result  gate.Result
}

// Failed reports whether a call came to nothing that a worker can use. What a
// breaker makes of it is for its policy.
func Failed(e breaker.Evidence) bool {
	return e.Error != "" || e.Status >= 500 || e.Status == http.StatusTooManyRequests
}

// kind is what a worker makes of an answer.
func (a *answer) kind() breaker.Kind {
	switch {
	case Failed(a.result.Evidence):
		return breaker.Failure
	case a.result.Status != http.StatusOK:
		return breaker.Neutral
	}
	return breaker.Success
}

// phase is how the host behaves at a moment. A file of outages may give it tens of
// thousands of phases, which are in order, and each call asks several times.
func (h *Host) phase(at time.Duration) Phase {
	i := sort.Search(len(h.Phases), func(i int) bool { return at < h.Phases[i].Until })
	if i == len(h.Phases) {
		return Phase{}
	}
	return h.Phases[i]
}

// timeout is how long a worker waits for an answer.
const timeout = 10 * time.Second

// call is a call of the host that begins at a moment.
func (h *Host) call(at time.Duration, r *rand.Rand) answer {
	p := h.phase(at)
	latency := h.Latency/2 + time.Duration(r.Int64N(int64(h.Latency)*3/2+1))
	ok := answer{latency: latency, result: status(http.StatusOK)}
	switch p.Mode {
	case Down:
		return down(latency, r)
	case Flapping:
		if p.Turn > 0 && int64(at/p.Turn)%2 == 0 {
			return down(latency, r)
		}
	case Limiting:
		if r.Float64() < p.Part {
			return limited(at, latency, p.After, r)
		}
	case BrownOut:
		if r.Float64() < p.Part {
			return answer{latency: latency * 4, result: status(http.StatusBadGateway)}
		}
		ok.latency *= 4
	case Slow:
		ok.latency = min(p.Turn, timeout)
	case Portal:
		ok.result = status(http.StatusNotFound)
	}
	return ok
}

func status(code int) gate.Result {
	return gate.Result{Evidence: breaker.Evidence{Status: code}}
}

// down is what a host that is down answers: mostly nothing.
func down(latency time.Duration, r *rand.Rand) answer {
	switch r.IntN(8) {
	case 0:
		return answer{latency: min(timeout, 20*latency), result: gate.Result{Evidence: breaker.Evidence{Error: "timeout"}}}
	case 1:
		return answer{latency: latency, result: status(http.StatusServiceUnavailable)}
	}
	return answer{latency: latency / 4, result: gate.Result{Evidence: breaker.Evidence{Error: "connect"}}}
}

// limited is a 429 with a Retry-After, as the world writes it: a number, a
// date, and now and then something nobody can read.
func limited(at, latency, after time.Duration, r *rand.Rand) answer {
	a := answer{latency: latency / 2, result: status(http.StatusTooManyRequests)}
	ended := epoch.Add(at + a.latency)
	switch r.IntN(8) {
	case 0: // with its own idea of the time, which its Date tells
		wrong := time.Duration(r.Int64N(int64(2*time.Hour))) - time.Hour
		a.result.Date = ended.Add(wrong).UTC().Format(http.TimeFormat)
		a.result.RetryAfter = ended.Add(wrong + after).UTC().Format(http.TimeFormat)
	case 1:
		a.result.RetryAfter = []string{"", "soon", "-5", "1e9999", "0"}[r.IntN(5)]
	default:
		a.result.RetryAfter = strconv.Itoa(int(after / time.Second))
	}
	return a
}
