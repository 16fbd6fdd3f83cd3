package cooldownstore_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// What a step of a wall clock may do to a shared deadline. The place holds wall
// time, so a machine whose clock is behind that of the writer reads a deadline
// as later by the difference, one that is ahead as earlier. That cannot be
// told from time that passed. What holds nevertheless:
//
//   - nobody reads more than the length that was asked for, from the moment of
//     reading, nor more than the place's wall time says, nor more than was left
//     when that deadline was put there: what ended before is not revived, and
//     in cycles of reading and putting only time away is added;
//   - a process that has a deadline is not moved by steps or by reading again;
//   - nothing moves in the place, whoever's clock is wrong or steps, and however
//     often who reads and writes, until its value ran out or is lost: neither
//     our deadlines nor those of other programs.

// A site is a machine of a cluster of its own.
type site struct {
	*machine
	values *cooldownstore.SharedValues
	live   breaker.Snapshot // empty until it set or read the cooldown
}

// A shop is a place and the sites that share through it. True time is the
// same for all.
type shop struct {
	sites   []*site
	passed  time.Duration
	value   string
	expires time.Duration // true time
	left    time.Duration // the most that was left when somebody put the deadline that is there
}

func drawShop(t *rapid.T, n int) *shop {
	h := new(shop)
	for range n {
		s := &site{machine: drawMachine(t), values: new(cooldownstore.SharedValues)}
		s.step(t)
		h.sites = append(h.sites, s)
	}
	return h
}

// step keeps clocks less than a day apart: a stamp that is further ahead is
// refused, and what cannot be read is overwritten.
func (s *site) step(t *rapid.T) {
	if s.machine.step(t); s.ahead.Abs() > 11*time.Hour {
		s.ahead = 0
	}
}

func (h *shop) site(t *rapid.T) *site { return rapid.SampledFrom(h.sites).Draw(t, "site") }

func (h *shop) pass(t *rapid.T, most time.Duration) {
	h.passed += time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, "pass"))
	for _, s := range h.sites {
		s.passed = h.passed
	}
	if h.value != "" && h.passed >= h.expires {
		h.value = ""
	}
}

func (s *site) restart(t *rapid.T) {
	s.live, s.values = breaker.Snapshot{}, new(cooldownstore.SharedValues)
	s.machine.restart(t)
}

// deadline is the one in a value of ours; zero in one of another program's, and
// where there is none.
func deadline(t *rapid.T, value string) time.Time {
	if value == "" {
		return time.Time{}
	}
	var v struct {
		More struct {
			Cooldowns []struct{ Until time.Time }
		}
	}
	if err := json.Unmarshal([]byte(value), &v); err != nil || len(v.More.Cooldowns) > 1 {
		t.Fatalf("the place holds %s, %v; want one cooldown", value, err)
	}
	if len(v.More.Cooldowns) == 0 {
		return time.Time{}
	}
	return v.More.Cooldowns[0].Until
}

// put writes what a site holds and returns how far that moved the place's
// deadline.
func (h *shop) put(t *rapid.T, s *site) (moved time.Duration) {
	word := cooldownstore.ShareSnapshot("host:a", s.live, s.now(), s.wall())
	found := cooldownstore.SharedPlace{Value: h.value}
	if h.value != "" {
		found.Left = h.expires - h.passed
	}
	value, ttl, err := s.values.Write(word, found, s.wall())
	if err != nil {
		t.Fatal(err)
	}
	if value == "" {
		return 0
	}
	if ttl < found.Left {
		t.Fatalf("the value loses time: %v after %v", ttl, found.Left)
	}
	was, is, left := deadline(t, h.value), deadline(t, value), s.live.Cooldowns[0].Until.Sub(s.now())
	h.value, h.expires = value, h.passed+ttl
	switch {
	case is.IsZero():
		if left > -cooldownstore.KeepEnded {
			t.Fatalf("a cooldown with %v left is taken away", left)
		}
	case was.IsZero():
		h.left = left
	default:
		moved = is.Sub(was)
		if s.wall().Add(left).Equal(is) {
			h.left = max(h.left, left)
		}
	}
	return moved
}

// read returns what a site finds: what the place's wall time says, but at most
// the length, and what was left when it was put.
func (h *shop) read(t *rapid.T, s *site, length time.Duration) (got breaker.Snapshot) {
	w, err := s.values.Read("host:a", h.value, s.wall())
	if err != nil {
		t.Fatalf("read %s: %v", h.value, err)
	}
	got = w.ToSnapshot(s.now(), s.wall())
	want := min(deadline(t, h.value).Sub(s.wall()), length, h.left)
	if gone := len(got.Cooldowns) == 0; gone != (want <= -10*time.Minute) {
		t.Fatalf("read %+v, want %v left", got, want)
	} else if !gone && got.Cooldowns[0].Until.Sub(s.now()) != want {
		t.Fatalf("%v left, want %v", got.Cooldowns[0].Until.Sub(s.now()), want)
	}
	return got
}

// TestStepsAmongSites has one cooldown set by one of three sites, which restart
// and whose clocks are wrong and step, each when it likes.
func TestStepsAmongSites(t *testing.T) {
	for _, steps := range []bool{false, true} {
		t.Run(fmt.Sprintf("steps %v", steps), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { amongSites(t, steps) })
		})
	}
}

func amongSites(t *rapid.T, steps bool) {
	h := drawShop(t, 3)
	length := time.Duration(rapid.Int64Range(1, int64(24*time.Hour)).Draw(t, "length"))
	until := h.sites[0].now().Add(length)
	h.sites[0].live = breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
		Setter: "n", Stamp: breaker.StampAt(h.sites[0].wall()), Until: until, Length: length,
	}}}
	behind := time.Duration(0) // the clock that is furthest behind the setter's
	for _, s := range h.sites {
		behind = max(behind, h.sites[0].ahead-s.ahead)
	}
	h.pass(t, length) // until the place hears of it
	h.put(t, h.sites[0])
	t.Repeat(map[string]func(*rapid.T){
		"pass": func(t *rapid.T) { h.pass(t, time.Hour) },
		"step": func(t *rapid.T) {
			if steps {
				h.site(t).step(t)
			}
		},
		"restart": func(t *rapid.T) { h.site(t).restart(t) },
		"put":     h.somebodyPuts,
		"read":    func(t *rapid.T) { h.somebodyReads(t, length) },
		"": func(t *rapid.T) {
			if !steps && h.value != "" && h.expires > length+behind+length+20*time.Minute {
				t.Fatalf("the value is kept until %v after a cooldown of %v was set", h.expires, length)
			}
		},
	})
}

func (h *shop) somebodyPuts(t *rapid.T) {
	s := h.site(t)
	if s.live.Empty() {
		return
	}
	before := s.live.Clone()
	moved := h.put(t, s)
	if moved != 0 {
		t.Fatalf("the place's deadline moves by %v", moved)
	}
	if s.live.Cooldowns[0] != before.Cooldowns[0] {
		t.Fatalf("a put moved the running deadline: %+v", s.live)
	}
}

func (h *shop) somebodyReads(t *rapid.T, length time.Duration) {
	s := h.site(t)
	if h.value == "" {
		return
	}
	got := h.read(t, s, length)
	if s.live.Empty() && len(got.Cooldowns) == 1 {
		s.live = got
	} else if before := s.live.Clone(); len(before.Cooldowns) == 1 && !before.Cooldowns[0].Disk {
		if s.live.Merge(got); s.live.Cooldowns[0] != before.Cooldowns[0] {
			t.Fatalf("reading moved the running deadline: %+v", s.live)
		}
	}
}

// A meeting is a shop in which another program wrote a deadline.
type meeting struct {
	*shop
	theirs  float64
	seen    map[*site]breaker.Cooldown // when a site's process read it first
	longest time.Duration              // that was left then
}

// TestStepsOverForeign has a deadline of another program read, adopted and
// written by sites whose clocks step.
func TestStepsOverForeign(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &meeting{shop: drawShop(t, 3), seen: map[*site]breaker.Cooldown{}}
		left := rapid.Int64Range(int64(time.Hour), int64(48*time.Hour)).Draw(t, "left")
		h.theirs = cooldownstore.EpochSeconds(wall.Add(time.Duration(left)))
		h.value, h.expires = fmt.Sprintf(`{"until_wall": %v, "reason": "theirs"}`, h.theirs), 1000*time.Hour
		t.Repeat(map[string]func(*rapid.T){
			"pass":    func(t *rapid.T) { h.pass(t, time.Hour) },
			"step":    func(t *rapid.T) { h.site(t).step(t) },
			"restart": func(t *rapid.T) { s := h.site(t); s.restart(t); delete(h.seen, s) },
			"read":    h.somebodyReads,
			"put":     h.somebodyPuts,
		})
	})
}

func (h *meeting) somebodyReads(t *rapid.T) {
	s := h.site(t)
	w, err := s.values.Read("host:a", h.value, s.wall())
	if err != nil {
		t.Fatal(err)
	}
	got := w.ToSnapshot(s.now(), s.wall())
	if len(got.Cooldowns) == 0 {
		return
	}
	c := got.Cooldowns[0]
	left, says := c.Until.Sub(s.now()), cooldownstore.FromEpochSeconds(h.theirs).Sub(s.wall())
	first, again := h.seen[s]
	if !again {
		h.seen[s], h.longest = c, max(h.longest, says)
	}
	switch {
	case len(got.Cooldowns) > 1 || left > min(says, breaker.MaxOpen):
		t.Fatalf("read %+v with %v left of %v", got, left, says)
	case left > c.Length || c.Length > h.longest:
		t.Fatalf("%v left of %v, want at most what anybody saw at first, %v", left, c.Length, h.longest)
	case again && c.Stamp > first.Stamp:
		t.Fatalf("read again it has stamp %d, want at most %d", c.Stamp, first.Stamp)
	case s.live.Empty() && left > 0:
		s.live = got
	}
}

func (h *meeting) somebodyPuts(t *rapid.T) {
	s := h.site(t)
	if s.live.Empty() {
		return
	}
	h.put(t, s)
	var v struct {
		UntilWall float64 `json:"until_wall"`
	}
	if err := json.Unmarshal([]byte(h.value), &v); err != nil || v.UntilWall != h.theirs {
		t.Fatalf("their deadline %f moved: %s, %v", h.theirs, h.value, err)
	}
}
