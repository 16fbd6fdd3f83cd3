package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// A foreigner is a handle on a place where another program writes, at a wall
// time that is now: adapters look at the clock to tell what has passed.
type foreigner struct {
	Place
	s    cooldownstore.Store
	wall time.Time
}

func (p Place) foreigner(t *testing.T) foreigner {
	return foreigner{p, p.handle(t), time.Now().Round(0)}
}

// theirs writes a deadline of the other program's, half a minute ago.
func (f foreigner) theirs(t *testing.T, host string, left time.Duration, reason string) {
	t.Helper()
	f.Write(t, host, cooldownstore.Foreign{
		UntilWall: cooldownstore.EpochSeconds(f.wall.Add(left)),
		UpdatedAt: cooldownstore.EpochSeconds(f.wall.Add(-30 * time.Second)),
		Reason:    reason,
	})
}

// ours saves a snapshot as of now.
func (f foreigner) ours(t *testing.T, key breaker.Key, s breaker.Snapshot) {
	t.Helper()
	save(t, f.s, cooldownstore.FromSnapshot(key, s, now, f.wall))
}

// newsOf lists what a handle has of it, each key once and one cooldown in each.
func newsOf(t tester, s cooldownstore.Store) map[breaker.Key]cooldownstore.Record {
	t.Helper()
	got := map[breaker.Key]cooldownstore.Record{}
	err := s.News(t.Context(), func(r cooldownstore.Record) bool {
		if _, twice := got[r.Key]; twice {
			t.Errorf("News yields %s twice", r.Key)
		}
		if c := r.Snapshot.Cooldowns; len(c) != 1 || len(r.Wall) != 1 || r.Snapshot.Clear != 0 || r.Snapshot.Circuit != (breaker.Circuit{}) {
			t.Errorf("News yields %+v, want one cooldown and nothing else", r)
		}
		got[r.Key] = r
		return true
	})
	if err != nil {
		t.Fatalf("News: %v", err)
	}
	return got
}

// is checks that a deadline of the other program's is news, and how long it
// has left.
func (f foreigner) is(t *testing.T, what string, key breaker.Key, left time.Duration) cooldownstore.Record {
	t.Helper()
	r, ok := newsOf(t, f.s)[key]
	s := r.ToSnapshot(now, f.wall)
	at := s.At(now)
	if off := at.Until.Sub(now) - left; !ok || at.State != breaker.Open || off.Abs() > time.Millisecond {
		t.Fatalf("%s: of %s the news is %+v, %v; want %v left", what, key, s, ok, left)
	}
	return r
}

func (f foreigner) silent(t *testing.T, what string, key breaker.Key) {
	t.Helper()
	if r, ok := newsOf(t, f.s)[key]; ok {
		t.Errorf("%s: %s is still news: %+v", what, key, r)
	}
}

func hour(stamp breaker.Stamp, left time.Duration) breaker.Snapshot {
	return breaker.Snapshot{Cooldowns: []breaker.Cooldown{{Setter: "n", Stamp: stamp, Until: now.Add(left), Length: left}}}
}

func noNews(t *testing.T, s cooldownstore.Store) {
	for name, snapshot := range parts() {
		save(t, s, record(breaker.HostKey(name), snapshot))
		save(t, s, record(key, snapshot))
	}
	if got := newsOf(t, s); len(got) != 0 {
		t.Errorf("after saves of our own the news is %v, want none", got)
	}
}

func news(t *testing.T, p Place) {
	f := p.foreigner(t)
	f.theirs(t, key.Name(), time.Hour, "too many requests")
	f.theirs(t, "resolver:crossref", time.Minute, strings.Repeat("ü", 500))
	f.theirs(t, "bare.example", 2*time.Hour, "")
	first := f.is(t, "new", key, time.Hour)
	f.is(t, "new", "resolver:crossref", time.Minute)
	f.is(t, "new", "host:bare.example", 2*time.Hour)
	c := first.Snapshot.Cooldowns[0]
	if c.Setter != cooldownstore.ForeignSetter || c.Reason != breaker.ReasonStore || c.Detail != "too many requests" || c.Stamp == 0 {
		t.Errorf("the news is %+v, want it to say whose it is", c)
	}
	if detail := newsOf(t, f.s)["resolver:crossref"].Snapshot.Cooldowns[0].Detail; len(detail) > breaker.MaxDetailBytes {
		t.Errorf("the reason has %d bytes, want it cut", len(detail))
	}
	f.ours(t, "host:beside", hour(1, time.Minute))
	if d := diff(first, newsOf(t, f.s)[key]); d != "" {
		t.Errorf("asked again (-first +again):\n%s", d)
	}
	f.Write(t, "ended.example", cooldownstore.Foreign{UpdatedAt: cooldownstore.EpochSeconds(f.wall)})
	if got := newsOf(t, f.s); len(got) != 3 {
		t.Errorf("with a row without a deadline the news is %v, want the three", got)
	}
	f.theirs(t, key.Name(), 3*time.Hour, "another")
	if another := f.is(t, "another deadline", key, 3*time.Hour); another.Snapshot.Cooldowns[0].Detail != "another" {
		t.Errorf("another deadline reads %+v", another)
	}
}

// newsTakenIn adopts news as a node does: it joins the snapshot to its own and
// saves that.
func newsTakenIn(t *testing.T, p Place) {
	f := p.foreigner(t)
	for name, own := range map[string]breaker.Snapshot{
		"nothing": {}, "shorter": hour(5, time.Minute), "a circuit": {Circuit: breaker.Circuit{State: breaker.Open, Stamp: 5, Until: now.Add(time.Minute)}},
		"an old clear": {Clear: 5, ClearKept: now.Add(time.Hour)},
	} {
		key := breaker.HostKey(strings.ReplaceAll(name, " ", "-"))
		f.theirs(t, key.Name(), time.Hour, "theirs")
		s := f.is(t, name, key, time.Hour).ToSnapshot(now, f.wall)
		s.Merge(own)
		f.ours(t, key, s)
		f.silent(t, name+", taken in", key)
		r, _ := load(t, f.s, key)
		got := r.ToSnapshot(now, f.wall)
		if d := diff(fromDisk(s), got); d != "" {
			t.Errorf("%s: taken in, the record reads (-want +got):\n%s", name, d)
		}
		f.ours(t, key, got) // and again
		f.silent(t, name+", saved again", key)
		f.ours(t, key, breaker.Snapshot{})
		f.silent(t, name+", deleted", key)
	}
	// Taken in with the wall clock set back meanwhile, our deadline is earlier:
	// it still is theirs that was taken in.
	f.theirs(t, key.Name(), time.Hour, "theirs")
	s := f.is(t, "new", key, time.Hour).ToSnapshot(now, f.wall)
	save(t, f.s, cooldownstore.FromSnapshot(key, s, now, f.wall.Add(-time.Minute)))
	f.silent(t, "taken in by a clock set back", key)
}

// newsAgainstOurs saves records that do not know of the news.
func newsAgainstOurs(t *testing.T, p Place) {
	f := p.foreigner(t)
	for name, test := range map[string]struct {
		own    breaker.Snapshot
		before bool // it is there already when the other program writes
		news   bool // it still is afterwards
	}{
		"shorter": {hour(5, time.Minute), false, true}, "shorter, before": {hour(5, time.Minute), true, true},
		"longer": {hour(5, 2*time.Hour), false, false}, "longer, before": {hour(5, 2*time.Hour), true, false},
		"nothing": {breaker.Snapshot{}, false, true},
		"circuit": {breaker.Snapshot{Circuit: breaker.Circuit{State: breaker.Open, Stamp: 5, Until: now.Add(time.Minute)}}, false, true},
	} {
		key := breaker.HostKey(name)
		if test.before {
			f.ours(t, key, test.own)
		}
		f.theirs(t, name, time.Hour, "theirs")
		for range 2 {
			f.ours(t, key, test.own)
			if !test.news {
				f.silent(t, name, key)
				continue
			}
			f.is(t, name, key, time.Hour)
		}
	}
}

// newsAgainstClear ends news with stamps on both sides, and repeats it: what a
// clear ended is never news again.
func newsAgainstClear(t *testing.T, p Place) {
	f := p.foreigner(t)
	for i, test := range []struct {
		name  string
		after int // the clear's stamp, from that of the news
		news  bool
	}{{"an older clear", -1, true}, {"an equal clear", 0, false}, {"a newer clear", 1, false}} {
		host := fmt.Sprintf("h%d.example", i)
		key := breaker.HostKey(host)
		f.theirs(t, host, time.Hour, "theirs")
		stamp := f.is(t, test.name, key, time.Hour).Snapshot.Cooldowns[0].Stamp
		clear := breaker.Snapshot{Clear: breaker.Stamp(int64(stamp) + int64(test.after)), ClearKept: now.Add(breaker.KeepClear)}
		check := func(when string) {
			t.Helper()
			if test.news {
				f.is(t, test.name+", "+when, key, time.Hour)
			} else {
				f.silent(t, test.name+", "+when, key)
			}
		}
		for range 2 {
			f.ours(t, key, clear)
			check("saved")
			f.theirs(t, host, time.Hour, "theirs, again")
			check("repeated")
		}
		f.theirs(t, host, 2*time.Hour, "another")
		f.is(t, test.name+", then another deadline", key, 2*time.Hour)
	}
}

// newsOfNoBreaker writes rows whose names are no key.
func newsOfNoBreaker(t *testing.T, p Place) {
	f := p.foreigner(t)
	for _, host := range []string{"", "bad\xff", "resolver:", "host:", "host:a.example", strings.Repeat("x", breaker.MaxNameBytes+1)} {
		f.theirs(t, host, time.Hour, "names no breaker")
	}
	for _, host := range hostile {
		if key, ok := cooldownstore.FromSharedName(host); ok {
			f.theirs(t, host, time.Hour, "")
			f.is(t, "a hostile name", key, time.Hour)
			f.ours(t, key, hour(5, 2*time.Hour))
		}
	}
	if got := newsOf(t, f.s); len(got) != 0 {
		t.Errorf("beside names that are none the news is %v, want none", got)
	}
}

// newsCalls uses the store while it reads, and stops.
func newsCalls(t *testing.T, p Place) {
	f := p.foreigner(t)
	for i := range 5 {
		f.theirs(t, fmt.Sprint("h", i), time.Hour, "")
	}
	n := 0
	err := f.s.News(t.Context(), func(r cooldownstore.Record) bool {
		load(t, f.s, r.Key)
		f.ours(t, r.Key, r.ToSnapshot(now, f.wall))
		n++
		return n < 3
	})
	if got := newsOf(t, f.s); n != 3 || err != nil || len(got) != 2 {
		t.Errorf("three taken in and then stopped: %d, %v, and %d are news; want 3 and 2", n, err, len(got))
	}
}

// newsTwice reads news with two handles; one takes it in.
func newsTwice(t *testing.T, p Place) {
	f := p.foreigner(t)
	other := f
	other.s = p.handle(t)
	f.theirs(t, key.Name(), time.Hour, "theirs")
	first := f.is(t, "one handle", key, time.Hour)
	if d := diff(first, other.is(t, "the other", key, time.Hour)); d != "" {
		t.Errorf("the news of two handles (-one +other):\n%s", d)
	}
	f.ours(t, key, first.ToSnapshot(now, f.wall))
	f.silent(t, "taken in", key)
	other.silent(t, "taken in by the other", key)
}
