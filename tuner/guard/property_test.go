package guard_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/tuner/guard"
)

var kinds = []guard.Event{guard.Enforced, guard.Enforced, guard.Promoted, guard.RolledBack, guard.Reset, "newer"}

func record(t *rapid.T) guard.Record {
	r := guard.Record{
		ID:   fmt.Sprint(rapid.IntRange(0, 200).Draw(t, "id")),
		Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
		At:   at(time.Duration(rapid.IntRange(0, 3000).Draw(t, "minute")) * time.Minute).UnixMilli(),
		Key:  breaker.HostKey(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "host")),
	}
	r.ID += fmt.Sprint(r.Kind, r.At, r.Key) // an id names one record
	for range rapid.IntRange(0, 2).Draw(t, "changes") {
		r.Changes = append(r.Changes, guard.Change{
			Key: r.Key, Field: field().Draw(t, "field"), Role: rapid.SampledFrom([]string{"", "meta"}).Draw(t, "role"),
			From: 5, To: float64(rapid.IntRange(2, 10).Draw(t, "to")),
		})
	}
	r.ID += fmt.Sprint(r.Changes)
	return r
}

// However records come, and however often, the ledger answers the same.
func TestOrderAndRepeatsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var records []guard.Record
		for range rapid.IntRange(0, 30).Draw(t, "records") {
			records = append(records, record(t))
		}
		shuffled := rapid.Permutation(append(slices.Clone(records), records...)).Draw(t, "order")
		one, other := guard.NewLedger(guard.Defaults()), guard.NewLedger(guard.Defaults())
		end := at(3000 * time.Minute)
		for _, r := range records {
			if err := one.Apply(end, r); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range shuffled {
			if err := other.Apply(end, r); err != nil {
				t.Fatal(err)
			}
		}
		for range 20 {
			now := at(time.Duration(rapid.IntRange(-100, 20_000).Draw(t, "now")) * time.Minute)
			c := guard.Change{
				Key: breaker.HostKey(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "asked")), Field: guard.FailMax,
				From: 5, To: float64(rapid.IntRange(2, 10).Draw(t, "wanted")), Evidence: rapid.Float64Range(0, 8).Draw(t, "evidence"),
			}
			if diff := cmp.Diff(one.May(now, c), other.May(now, c)); diff != "" {
				t.Fatalf("%v at %s: %s", c, now, diff)
			}
		}
	})
}

// keeper counts what was enforced, by its own books.
type keeper struct {
	ledger   *guard.Ledger
	values   map[breaker.Key]map[string]float64
	enforced map[breaker.Key][]time.Time
	all      []time.Time
	undone   map[breaker.Key][]time.Time
}

func within(times []time.Time, now time.Time, span time.Duration) (n int) {
	for _, x := range times {
		if now.Sub(x) < span {
			n++
		}
	}
	return n
}

// A tuner gone mad, which proposes absurd values for every host each minute and
// is always sure, keeps every promise for three days, on ten hosts, which reach their
// own budgets, and on forty, which reach the fleet's. One change of eight is rolled back.
func TestAMadTunerStaysWithinBounds(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 8))
		k := keeper{guard.NewLedger(guard.Defaults()), map[breaker.Key]map[string]float64{}, map[breaker.Key][]time.Time{}, nil, map[breaker.Key][]time.Time{}}
		frozen, hosts := 0, map[bool]int{true: 10, false: 40}[seed%2 == 0]
		for minute := range 3 * 24 * 60 {
			now := at(time.Duration(minute) * time.Minute)
			for i := range hosts {
				k.propose(t, r, now, breaker.HostKey(fmt.Sprint("h", i)))
			}
		}
		for _, u := range k.undone {
			if len(u) > 2 {
				t.Fatalf("seed %d: %d rollbacks of a host", seed, len(u))
			}
			if len(u) == 2 {
				frozen++
			}
		}
		t.Logf("seed %d: %d changes of %d hosts in three days, %d hosts frozen", seed, len(k.all), hosts, frozen)
		if len(k.all) < 4*hosts || frozen == 0 {
			t.Errorf("seed %d: the promises were not put to the test", seed)
		}
	}
}

func (k *keeper) propose(t *testing.T, r *rand.Rand, now time.Time, key breaker.Key) {
	b := guard.Bounds()[r.IntN(5)]
	from, ok := k.values[key][b.Field]
	if !ok {
		from = b.Default
	}
	wild := []float64{math.NaN(), math.Inf(1), -1e300, 1e300, r.Float64() * 700, r.Float64() * 10, r.Float64()}
	to, _ := guard.Clamp(b.Field, from, wild[r.IntN(len(wild))])
	c := guard.Change{Key: key, Field: b.Field, From: from, To: to, Evidence: guard.MaxLogOdds}
	if !k.ledger.May(now, c).OK {
		return
	}
	switch {
	case within(k.enforced[key], now, 10*time.Minute) > 0:
		t.Fatalf("%s: changed twice within ten minutes", now)
	case within(k.enforced[key], now, 24*time.Hour) >= 6, within(k.all, now, 24*time.Hour) >= 100:
		t.Fatalf("%s: beyond the budget", now)
	case to < b.Least, to > b.Most, math.Abs(to-from) < 0.1*from-1e-9, b.Step > 0 && math.Abs(to-from) > b.Step*from+1e-9:
		t.Fatalf("%s: %+v", now, c)
	}
	k.apply(t, now, guard.Enforced, c)
	k.enforced[key], k.all = append(k.enforced[key], now), append(k.all, now)
	if k.values[key] == nil {
		k.values[key] = map[string]float64{}
	}
	k.values[key][b.Field] = to
	if r.IntN(8) == 0 {
		k.apply(t, now, guard.RolledBack, c)
		k.undone[key] = append(k.undone[key], now)
		k.values[key][b.Field] = from
	}
}

func (k *keeper) apply(t *testing.T, now time.Time, kind guard.Event, c guard.Change) {
	t.Helper()
	id := fmt.Sprint(kind, c.Key, now.UnixMilli())
	if err := k.ledger.Apply(now, guard.Record{ID: id, Kind: kind, At: now.UnixMilli(), Key: c.Key, Changes: []guard.Change{c}}); err != nil {
		t.Fatal(err)
	}
}

// Whatever was stored: the ledger stays small, and what it lets through is
// within bounds. A change that nothing but time forbids is let through once
// 31 days and MaxLead have passed.
func FuzzLedger(f *testing.F) {
	f.Add([]byte(`[{"id":"1","kind":"enforced","at":1800000000000,"key":"host:a","changes":[{"key":"host:a","field":"fail_max","from":5,"to":7,"evidence":3}]}]`), int64(1_800_000_100_000), 5.0, 7.0, 3.0)
	f.Add([]byte(`[{"id":"1","kind":"rolled-back","at":9223372036854775807,"key":"host:a"},{"id":"2","kind":"frozen","at":1,"key":"host:a"}]`), int64(-1), math.Inf(1), math.NaN(), math.Copysign(0, -1))
	f.Fuzz(func(t *testing.T, text []byte, wall int64, from, to, evidence float64) {
		var records []guard.Record
		if json.Unmarshal(text, &records) != nil {
			return
		}
		wall %= 1 << 43 // the year 2248
		s := guard.Defaults()
		s.MaxHosts = 2
		l, now := guard.NewLedger(s), time.UnixMilli(wall)
		for _, r := range records {
			_ = l.Apply(now, r) // what is refused changes nothing
		}
		if l.Hosts() > 2 {
			t.Fatalf("%d hosts", l.Hosts())
		}
		for _, b := range guard.Bounds() {
			c := guard.Change{Key: "host:a", Field: b.Field, From: from, To: to, Evidence: evidence}
			if v := l.May(now, c); v.OK && (to < b.Least || to > b.Most || evidence < v.Need) {
				t.Fatalf("%+v is let through: %+v", c, v)
			}
		}
		late := now.Add(32 * 24 * time.Hour)
		if v := l.May(late, guard.Change{Key: "host:a", Field: guard.FailMax, From: 5, To: 7, Evidence: 20}); !v.OK {
			t.Fatalf("blocked for ever: %+v", v)
		}
		if stamp := l.Stamp(now, "host:a"); stamp < 1 || stamp > max(now.UnixMilli(), 1)+guard.MaxLead.Milliseconds()+1 {
			t.Fatalf("stamp %d at %d", stamp, now.UnixMilli())
		}
	})
}
