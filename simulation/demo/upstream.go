package main

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// phase is what the upstream answers for a while.
type phase struct {
	lasts      time.Duration
	status     int
	retryAfter int // seconds
	says       string
}

// upstream is a real HTTP server over TCP that follows a schedule and
// remembers when calls arrived.
type upstream struct {
	phases []phase
	server *http.Server
	addr   string

	mu        sync.Mutex
	began     time.Time // zero: not yet, healthy
	arrivals  []arrival
	cooled    time.Time // when the first response with a Retry-After left
	coolUntil time.Time
}

type arrival struct {
	at     time.Time
	status int
}

func startUpstream(phases []phase) (*upstream, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{phases: phases, addr: l.Addr().String()}
	u.server = &http.Server{Handler: u, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = u.server.Serve(l) }()
	return u, nil
}

// begin starts the schedule.
func (u *upstream) begin() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.began = time.Now()
}

// phaseAt is the phase at a moment. u.mu is held.
func (u *upstream) phaseAt(now time.Time) phase {
	if u.began.IsZero() {
		return phase{status: http.StatusOK, says: "healthy"}
	}
	passed := now.Sub(u.began)
	for _, p := range u.phases {
		if passed < p.lasts {
			return p
		}
		passed -= p.lasts
	}
	return u.phases[len(u.phases)-1]
}

// now is the phase at this moment.
func (u *upstream) now() phase {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.phaseAt(time.Now())
}

// total is how long the schedule takes.
func (u *upstream) total() time.Duration {
	var d time.Duration
	for _, p := range u.phases {
		d += p.lasts
	}
	return d
}

// ServeHTTP answers as the phase says.
func (u *upstream) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	at := time.Now()
	u.mu.Lock()
	p := u.phaseAt(at)
	u.arrivals = append(u.arrivals, arrival{at, p.status})
	u.mu.Unlock()
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(p.retryAfter))
	}
	w.WriteHeader(p.status)
	if p.retryAfter == 0 {
		return
	}
	_ = http.NewResponseController(w).Flush()
	left := time.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.cooled.IsZero() {
		// The host counts from when it decided, the client from when it heard.
		u.cooled, u.coolUntil = left, at.Add(time.Duration(p.retryAfter)*time.Second)
	}
}

// seen is what the upstream saw of the run.
type seen struct {
	arrivals int
	failure  time.Time     // the first
	stop     time.Duration // from it to the last call before the breaker held
	stopped  int           // calls in that time
	inFlight int           // after the 429, within the grace
	late     int           // after it, before the deadline
}

// grace is how long calls may still arrive after the 429 left; quiet is a gap
// that only a breaker makes.
const (
	grace = 100 * time.Millisecond
	quiet = 500 * time.Millisecond
)

func (u *upstream) seen() seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := seen{arrivals: len(u.arrivals)}
	last := time.Time{}
	for _, a := range u.arrivals {
		switch {
		case s.failure.IsZero() && a.status >= http.StatusInternalServerError:
			s.failure, last, s.stopped = a.at, a.at, 1
		case !last.IsZero() && a.at.Sub(last) < quiet:
			last = a.at
			s.stopped++
		case !last.IsZero():
			s.stop, last = last.Sub(s.failure), time.Time{}
		}
		if since := a.at.Sub(u.cooled); !u.cooled.IsZero() && since > 0 && a.at.Before(u.coolUntil) {
			if since <= grace {
				s.inFlight++
			} else {
				s.late++
			}
		}
	}
	return s
}
