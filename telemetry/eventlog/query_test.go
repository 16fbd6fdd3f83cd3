//go:build cgo

package eventlog_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/eventlog"
)

// queried is a log whose events are on disk, in memory and partly in both.
func queried(t *testing.T, dir string) (l *eventlog.Log, all []telemetry.Event) {
	l = open(t, dir, eventlog.Options{Buffer: 1024})
	kinds := []telemetry.Kind{telemetry.KindTransition, telemetry.KindCooldown, telemetry.KindProbe}
	for i := range 3000 {
		e := opened(i)
		e.Kind = kinds[i%3]
		l.Append(e)
		if i%256 == 0 && i < 2900 {
			flush(t, l)
		}
	}
	r := l.Follow(0)
	for position := uint64(0); position < l.Last(); {
		b, err := r.Next(t.Context())
		try(t, err)
		position = b.Position
		all = append(all, b.Events...)
	}
	return l, all
}

func TestQuery(t *testing.T) {
	both(t, func(t *testing.T, dir string) {
		l, all := queried(t, dir)
		at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Millisecond) }
		for name, f := range map[string]eventlog.Filter{
			"everything":    {},
			"a key":         {Key: "host:h7.example.org"},
			"kinds":         {Kinds: []telemetry.Kind{telemetry.KindProbe, telemetry.KindCooldown}},
			"since":         {Since: at(1500)},
			"since, finely": {Since: at(1500).Add(1)},
			"until":         {Until: at(1500)},
			"an hour":       {Since: at(900), Until: at(2950), Key: "host:h50.example.org"},
			"after":         {After: all[len(all)/2].Seq},
			"nothing":       {Since: at(4000)},
			"no such key":   {Key: "host:none"},
			"newest":        {Newest: true, Limit: 10},
			"newest on disk": {Newest: true, Limit: 2500,
				Kinds: []telemetry.Kind{telemetry.KindTransition}},
			"newest of key": {Newest: true, Limit: 7, Key: breaker.HostKey("h3.example.org")},
			"limit":         {Limit: 5, Since: at(1990)},
		} {
			t.Run(name, func(t *testing.T) { answers(t, l, all, f) })
		}
	})
}

// answers compares an answer, and with pages of every size, with a plain search.
func answers(t *testing.T, l *eventlog.Log, all []telemetry.Event, f eventlog.Filter) {
	t.Helper()
	var right []telemetry.Event
	for i := range all {
		if all[i].Seq > f.After && f.Match(&all[i]) {
			right = append(right, all[i])
		}
	}
	if f.Limit == 0 {
		f.Limit = 10_000
	}
	p, err := l.Query(t.Context(), f)
	try(t, err)
	n := min(f.Limit, len(right))
	cut := right[:n]
	if f.Newest {
		cut = right[len(right)-n:]
	}
	same(t, p.Events, cut)
	if p.More != (len(right) > n) {
		t.Errorf("More is %v, %d of %d events", p.More, n, len(right))
	}
	if f.Newest {
		return
	}
	f.Limit = 100
	var paged []telemetry.Event
	for more := true; more; {
		p, err := l.Query(t.Context(), f)
		try(t, err)
		paged = append(paged, p.Events...)
		f.After, more = p.Through, p.More
	}
	same(t, paged, right)
	if f.After != l.Last() {
		t.Errorf("looked through %d, the last is %d", f.After, l.Last())
	}
}

func same(t *testing.T, got, want []telemetry.Event) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i].Seq != want[i].Seq {
			t.Fatalf("event %d is at %d, want %d", i, got[i].Seq, want[i].Seq)
		}
	}
}

// What a query looked through, and what follows it, is everything once.
func TestQueryThenFollow(t *testing.T) {
	l, all := queried(t, t.TempDir())
	p, err := l.Query(t.Context(), eventlog.Filter{Key: "host:h7.example.org"})
	try(t, err)
	r := l.Follow(p.Through)
	nothing(t, r)
	fill(t, l, 3000, 3005)
	want(t, take(t, r, 5), 3000, 3005)
	p, err = l.Query(t.Context(), eventlog.Filter{Limit: 20})
	try(t, err)
	want(t, take(t, l.Follow(p.Through), 100)[:100], number(&all[20]), number(&all[20])+100)
}
