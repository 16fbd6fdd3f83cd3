//go:build bubble

package bubbles

import (
	"context"
	"math/rand/v2"
	"time"
)

// A phase is how a host behaves until a moment.
type phase struct {
	until  time.Duration
	status int // 0: nobody listens
	pause  time.Duration
}

// script is a host's behaviour; towards the end all are well.
func script(random *rand.Rand, length time.Duration) (all []phase) {
	for at := time.Duration(0); at < length-quietEnd; {
		p := phase{status: 200}
		switch random.IntN(5) {
		case 0:
			p.status = 503
		case 1:
			p.status = 0
		case 2:
			p.status, p.pause = 429, time.Duration(5+random.IntN(40))*time.Second
		}
		at += time.Duration(5+random.IntN(40)) * time.Second
		p.until = at
		all = append(all, p)
	}
	return all
}

// upstream is a call of a host.
func (l *life) upstream(ctx context.Context, host string) (int, time.Duration) {
	wait(ctx, 30*time.Millisecond)
	for _, p := range l.phases[host] {
		if l.Now() < p.until {
			return p.status, p.pause
		}
	}
	return 200, 0
}

// faults breaks things one after the other, and puts all right at the end.
func (l *life) faults(end time.Duration) {
	for {
		gap, lasts := time.Duration(2+l.random.IntN(15))*time.Second, time.Duration(2+l.random.IntN(25))*time.Second
		if l.Now()+gap+lasts > end {
			return
		}
		time.Sleep(gap)
		i := l.random.IntN(len(l.seats))
		switch l.random.IntN(5) {
		case 0:
			l.replace(Killed, i, lasts, l.seats[i].crash)
		case 1:
			l.replace(Stopped, i, lasts, l.seats[i].stop)
		case 2:
			group := l.random.Perm(len(l.seats))[:1+l.random.IntN(len(l.seats)-1)]
			over := l.Fault(Parted, group...)
			l.fabric.split(group...)
			time.Sleep(lasts)
			l.fabric.split()
			over()
		case 3:
			j := (i + 1 + l.random.IntN(len(l.seats)-1)) % len(l.seats)
			over := l.Fault(Parted, i, j)
			l.fabric.deafen(i, j, true)
			time.Sleep(lasts)
			l.fabric.deafen(i, j, false)
			over()
		case 4:
			over := l.Fault(Lossy)
			l.fabric.lose(0.02 + 0.1*l.random.Float64())
			time.Sleep(lasts)
			l.fabric.lose(0)
			over()
		}
	}
}

// replace ends a node, and starts another in its seat.
func (l *life) replace(kind FaultKind, i int, lasts time.Duration, end func()) {
	s := l.seats[i]
	over := l.Fault(kind, i)
	l.setAway(i, true)
	end()
	time.Sleep(lasts)
	if err := s.start(l.t.Context(), l.peers); err != nil {
		l.t.Errorf("seed %d: start n%d again: %v", l.Seed, i+1, err)
		return
	}
	over()
	l.setAway(i, false)
}

func (l *life) setAway(i int, away bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away[i] = away
}
