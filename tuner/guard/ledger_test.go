package guard_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/breaker"
	"fleetfuse/tuner/guard"
)

const key = breaker.Key("host:api.example.org")

var t0 = time.UnixMilli(1_800_000_000_000)

func at(d time.Duration) time.Time { return t0.Add(d) }

// raise moves fail_max up; sure is what suffices for any change.
func raise(from, to float64) guard.Change {
	return guard.Change{Key: key, Field: guard.FailMax, From: from, To: to, Evidence: 3}
}

// ledger applies records at minutes after t0: "e10" is enforced at 10, r rolled
// back, o reset by an operator, f frozen, p promoted.
func ledger(t *testing.T, records string) *guard.Ledger {
	t.Helper()
	l := guard.NewLedger(guard.Defaults())
	for _, r := range parse(t, records) {
		if err := l.Apply(at(40*24*time.Hour), r); err != nil {
			t.Fatalf("apply %v: %v", r, err)
		}
	}
	return l
}

func parse(t *testing.T, records string) (list []guard.Record) {
	t.Helper()
	kinds := map[byte]guard.Event{'e': guard.Enforced, 'r': guard.RolledBack, 'o': guard.Reset, 'p': guard.Promoted, 'x': "something-newer"}
	for _, word := range strings.Fields(records) {
		minute, err := time.ParseDuration(word[1:] + "m")
		if err != nil {
			t.Fatal(err)
		}
		r := guard.Record{ID: word, Kind: kinds[word[0]], At: at(minute).UnixMilli(), Key: key}
		if word[0] == 'e' || word[0] == 'r' {
			r.Changes = []guard.Change{raise(5, 7)}
		}
		list = append(list, r)
	}
	return list
}

func TestMay(t *testing.T) {
	up, down := raise(5, 7), raise(7, 5)
	surely := func(c guard.Change) guard.Change { c.Evidence = 6; return c }
	role := up
	role.Role, role.Evidence = "metadata", 3
	for _, c := range []struct {
		name    string
		records string
		minute  float64
		change  guard.Change
		want    guard.Reason
		again   time.Duration
	}{
		{"nothing known", "", 0, up, guard.Allowed, 0},
		{"held", "e0", 9, up, guard.Held, time.Minute},
		{"held in another role too", "e0", 9, role, guard.Held, time.Minute},
		{"held no longer", "e0", 10, up, guard.Allowed, 0},
		{"held after a rollback", "e0 r20", 25, surely(up), guard.Held, 5 * time.Minute},
		{"held after an operator's word", "o0", 5, up, guard.Held, 5 * time.Minute},
		{"a promotion holds nothing", "p0", 1, up, guard.Allowed, 0},
		{"a kind of a newer node holds nothing", "x0", 1, up, guard.Allowed, 0},
		{"back needs more", "e0", 20, down, guard.TooUnsure, 0},
		{"back with twice the evidence", "e0", 20, surely(down), guard.Allowed, 0},
		{"back in another role is not back", "e0", 20, guard.Change{Key: key, Field: guard.FailMax, Role: "landing", From: 7, To: 5, Evidence: 3}, guard.Allowed, 0},
		{"back after long", "e0", 7*24*60 + 1, down, guard.Allowed, 0},
		{"what was undone needs more", "e0 r20", 40, up, guard.TooUnsure, 0},
		{"what was undone, surely", "e0 r20", 40, surely(up), guard.Allowed, 0},
		{"the other way after a rollback", "e0 r20", 40, raise(5, 4), guard.Allowed, 0},
		{"an operator's reset starts anew", "e0 r20 o30", 41, up, guard.Allowed, 0},
		{"sixth of the day", "e0 e10 e20 e30 e40", 60, up, guard.Allowed, 0},
		{"seventh of the day", "e0 e10 e20 e30 e40 e50", 60, up, guard.HostBudget, 23 * time.Hour},
		{"seventh, the first is a day old", "e0 e10 e20 e30 e40 e50", 24 * 60, up, guard.Allowed, 0},
		{"the reset is no new budget", "e0 e10 e20 e30 e40 e50 o51", 70, up, guard.HostBudget, 22*time.Hour + 50*time.Minute},
		{"one rollback", "r0", 20, surely(up), guard.Allowed, 0},
		{"two rollbacks", "r0 r60", 120, surely(up), guard.IsFrozen, 7*24*time.Hour - time.Hour},
		{"two rollbacks, one reset", "r0 r60 o70", 120, up, guard.Allowed, 0},
		{"a reset between them", "r0 o30 r60", 120, surely(up), guard.Allowed, 0},
		{"two rollbacks thaw", "r0 r60", 60 + 7*24*60, up, guard.Allowed, 0},
		{"a third freezes again", "r0 r60 r10200", 10260, surely(up), guard.IsFrozen, 7*24*time.Hour - time.Hour},
		{"two rollbacks far apart", "r0 r43201", 43260, surely(up), guard.Allowed, 0},
		{"dead band", "", 0, guard.Change{Key: key, Field: guard.ResetTimeout, From: 100, To: 109, Evidence: 9}, guard.InDeadBand, 0},
		{"edge of the dead band", "", 0, guard.Change{Key: key, Field: guard.ResetTimeout, From: 100, To: 110, Evidence: 9}, guard.Allowed, 0},
		{"no change", "", 0, raise(5, 5), guard.InDeadBand, 0},
		{"unsure", "", 0, guard.Change{Key: key, Field: guard.FailMax, From: 5, To: 7, Evidence: 2.9}, guard.TooUnsure, 0},
		{"beyond the bounds", "", 0, raise(5, 11), guard.Invalid, 0},
		{"too far at once", "", 0, guard.Change{Key: key, Field: guard.RateMultiplier, From: 1, To: 0.7, Evidence: 9}, guard.Invalid, 0},
		{"no whole number", "", 0, raise(5, 6.5), guard.Invalid, 0},
		{"not a number", "", 0, raise(5, math.NaN()), guard.Invalid, 0},
		{"endless evidence", "", 0, guard.Change{Key: key, Field: guard.FailMax, From: 5, To: 7, Evidence: math.Inf(1)}, guard.Invalid, 0},
		{"not ours", "", 0, guard.Change{Key: key, Field: "witnesses", From: 5, To: 7, Evidence: 9}, guard.Invalid, 0},
		{"no key", "", 0, guard.Change{Key: "api.example.org", Field: guard.FailMax, From: 5, To: 7, Evidence: 9}, guard.Invalid, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := ledger(t, c.records).May(at(time.Duration(c.minute*float64(time.Minute))), c.change)
			if v.Why != c.want || v.Again != c.again || v.OK != (c.want == guard.Allowed) || v.OK != (v.Detail == "") {
				t.Errorf("got %+v, want %q again in %s", v, c.want, c.again)
			}
		})
	}
}

func TestNeedIsTold(t *testing.T) {
	l := ledger(t, "e0")
	if v := l.May(at(time.Hour), raise(7, 5)); v.Need != 6 {
		t.Errorf("back: %+v", v)
	}
	if v := l.May(at(time.Hour), raise(7, 9)); v.Need != 3 {
		t.Errorf("further: %+v", v)
	}
}

func TestFleetBudget(t *testing.T) {
	l := guard.NewLedger(guard.Defaults())
	for i := range 100 {
		r := guard.Record{ID: fmt.Sprint(i), Kind: guard.Enforced, At: at(time.Duration(i) * time.Minute).UnixMilli(), Key: breaker.HostKey(fmt.Sprintf("h%d", i))}
		if i == 99 {
			if v := l.May(at(2*time.Hour), raise(5, 7)); !v.OK {
				t.Errorf("the hundredth: %+v", v)
			}
		}
		if err := l.Apply(at(2*time.Hour), r); err != nil {
			t.Fatal(err)
		}
	}
	if v := l.May(at(2*time.Hour), raise(5, 7)); v.Why != guard.FleetBudget || v.Again != 22*time.Hour {
		t.Errorf("one more than a hundred: %+v", v)
	}
	if v := l.May(at(24*time.Hour), raise(5, 7)); !v.OK {
		t.Errorf("a day after the first: %+v", v)
	}
}

// A record from the future, or a clock that stepped back, does not block for
// ever; and what comes later is written after it.
func TestClocksStep(t *testing.T) {
	future := guard.Record{ID: "f", Kind: guard.Enforced, At: at(25 * time.Hour).UnixMilli(), Key: key}
	l := guard.NewLedger(guard.Defaults())
	if err := l.Apply(t0, future); !errors.Is(err, breaker.ErrStampAhead) {
		t.Fatalf("a record 25 h ahead: %v", err)
	}
	if err := l.Apply(at(2*time.Hour), future); err != nil {
		t.Fatal(err)
	}
	if v := l.May(at(2*time.Hour), raise(5, 7)); v.Why != guard.Held || v.Again != 23*time.Hour+10*time.Minute {
		t.Errorf("23 h before it: %+v", v)
	}
	if v := l.May(t0, raise(5, 7)); !v.OK {
		t.Errorf("the clock stepped back, it is not believed any more: %+v", v)
	}
	for _, id := range []string{"y", "z"} {
		undone := guard.Record{ID: id, Kind: guard.RolledBack, At: at(20 * time.Hour).UnixMilli(), Key: key}
		if err := l.Apply(at(2*time.Hour), undone); err != nil {
			t.Fatal(err)
		}
	}
	reset := guard.Record{ID: "o", Kind: guard.Reset, At: l.Stamp(at(3*time.Hour), key), Key: key}
	if err := l.Apply(at(3*time.Hour), reset); err != nil {
		t.Fatal(err)
	}
	if v := l.May(at(26*time.Hour), raise(5, 7)); !v.OK {
		t.Errorf("an operator's reset came after what a fast clock froze: %+v", v)
	}
	if got, want := l.Stamp(t0, "host:other"), t0.UnixMilli(); got != want {
		t.Errorf("stamp %d, want %d", got, want)
	}
}

func TestOldestHostsGo(t *testing.T) {
	s := guard.Defaults()
	s.MaxHosts = 3
	l := guard.NewLedger(s)
	apply := func(name string, d time.Duration) {
		r := guard.Record{ID: fmt.Sprint(name, d), Kind: guard.Enforced, At: at(d).UnixMilli(), Key: breaker.HostKey(name)}
		if err := l.Apply(at(time.Hour), r); err != nil {
			t.Fatal(err)
		}
	}
	apply("a", 55*time.Minute)
	apply("b", 56*time.Minute)
	apply("c", 57*time.Minute)
	apply("a", 58*time.Minute)
	apply("d", 59*time.Minute) // b goes
	apply("b", 55*time.Minute) // and is too old to come back
	known := map[string]bool{}
	for _, name := range []string{"a", "b", "c", "d"} {
		c := raise(5, 7)
		c.Key = breaker.HostKey(name)
		known[name] = l.May(at(time.Hour), c).Why == guard.Held
	}
	if diff := cmp.Diff(map[string]bool{"a": true, "b": false, "c": true, "d": true}, known); diff != "" || l.Hosts() != 3 {
		t.Errorf("%d hosts, known: %s", l.Hosts(), diff)
	}
}

func TestBadRecordsAreRefused(t *testing.T) {
	good := guard.Record{ID: "1", Kind: guard.Enforced, At: 1, Key: key, Changes: []guard.Change{raise(5, 7)}}
	if err := good.Valid(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(r *guard.Record){
		"no id":         func(r *guard.Record) { r.ID = "" },
		"long id":       func(r *guard.Record) { r.ID = strings.Repeat("x", 129) },
		"no kind":       func(r *guard.Record) { r.Kind = "" },
		"no time":       func(r *guard.Record) { r.At = 0 },
		"no key":        func(r *guard.Record) { r.Key = "x" },
		"of another":    func(r *guard.Record) { r.Changes[0].Key = "host:x" },
		"not a number":  func(r *guard.Record) { r.Changes[0].To = math.NaN() },
		"endless":       func(r *guard.Record) { r.Changes[0].Evidence = math.Inf(1) },
		"long role":     func(r *guard.Record) { r.Changes[0].Role = strings.Repeat("x", 65) },
		"long field":    func(r *guard.Record) { r.Changes[0].Field = strings.Repeat("x", 65) },
		"many changes":  func(r *guard.Record) { r.Changes = make([]guard.Change, 65) },
		"long why":      func(r *guard.Record) { r.Why = strings.Repeat("x", 1025) },
		"long plan":     func(r *guard.Record) { r.Plan = strings.Repeat("x", 1025) },
		"before 1970":   func(r *guard.Record) { r.At = math.MinInt64 },
		"a bogus scope": func(r *guard.Record) { r.Key = "planet:earth" },
	} {
		bad := good
		bad.Changes = []guard.Change{raise(5, 7)}
		spoil(&bad)
		l := guard.NewLedger(guard.Defaults())
		if err := l.Apply(t0, bad); !errors.Is(err, guard.ErrBadRecord) || l.Hosts() != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The form on disk and on the wire: members are only ever added.
func TestRecordForm(t *testing.T) {
	r := guard.Record{
		ID: "n1-7", Kind: guard.RolledBack, At: 1_800_000_000_123, Key: key, Plan: "p1", Why: "worse",
		Changes: []guard.Change{{Key: key, Field: guard.RateMultiplier, Role: "metadata", From: 1, To: 0.75, Evidence: 3.5}},
	}
	const want = `{"id":"n1-7","kind":"rolled-back","at":1800000000123,"key":"host:api.example.org","plan":"p1","changes":[` +
		`{"key":"host:api.example.org","field":"rate_multiplier","role":"metadata","from":1,"to":0.75,"evidence":3.5}],"why":"worse"}`
	got, err := json.Marshal(r)
	if err != nil || string(got) != want {
		t.Errorf("%v %s", err, got)
	}
	var back guard.Record
	if err := json.Unmarshal(got, &back); err != nil || !cmp.Equal(r, back) {
		t.Errorf("%v %s", err, cmp.Diff(r, back))
	}
}

func TestLogOdds(t *testing.T) {
	for confidence, want := range map[float64]float64{
		0.5: 0, 0.95: 2.944, 0.05: -2.944, 0.999: 6.907, 0: -guard.MaxLogOdds, 1: guard.MaxLogOdds, -3: -guard.MaxLogOdds,
		7: -guard.MaxLogOdds, math.Inf(1): -guard.MaxLogOdds, math.Inf(-1): -guard.MaxLogOdds, 1e-300: -guard.MaxLogOdds,
	} {
		if got := guard.LogOdds(confidence); math.Abs(got-want) > 5e-4 {
			t.Errorf("LogOdds(%v) = %v, want %v", confidence, got, want)
		}
	}
	if got := guard.LogOdds(math.NaN()); got != -guard.MaxLogOdds {
		t.Errorf("not a number: %v", got)
	}
}
