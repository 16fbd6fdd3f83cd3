package sqlite

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// more is what the documented columns have no place for.
type more struct {
	Cooldowns []cooldownRow `json:"cooldowns,omitempty"`
	Clear     breaker.Stamp `json:"clear,omitempty"`
	ClearKept int64         `json:"clear_kept,omitempty"` // nanoseconds since 1970, as all times here
	Renewed   int64         `json:"renewed,omitempty"`
}

type cooldownRow struct {
	Setter string         `json:"setter"`
	Stamp  breaker.Stamp  `json:"stamp"`
	Until  int64          `json:"until"`
	Length time.Duration  `json:"length"`
	Reason breaker.Reason `json:"reason"`
	Author string         `json:"author,omitempty"`
	Detail string         `json:"detail,omitempty"`
}

type circuitRow struct {
	State     breaker.State  `json:"state"`
	Stamp     breaker.Stamp  `json:"stamp"`
	Until     int64          `json:"until,omitempty"`
	Length    time.Duration  `json:"length,omitempty"`
	FirstTrip int64          `json:"first_trip,omitempty"`
	Opens     int            `json:"opens,omitempty"`
	Reason    breaker.Reason `json:"reason,omitempty"`
	Role      string         `json:"role,omitempty"`
	ByRole    bool           `json:"by_role,omitempty"`
	Detail    string         `json:"detail,omitempty"`
	Keep      int64          `json:"keep,omitempty"`
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func wallOf(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// hostColumn is how a key is written: a host bare, a resolver as "resolver:NAME".
func hostColumn(k breaker.Key) string {
	if k.Scope() == breaker.ScopeHost {
		return k.Name()
	}
	return string(k)
}

func keyOf(host string) breaker.Key {
	if k, err := breaker.ParseKey(host); err == nil && k.Scope() == breaker.ScopeResolver {
		return k
	}
	return breaker.HostKey(host)
}

// encodeCooldowns returns the columns of a record; the row shows the longest
// survivor, 0 for none.
func encodeCooldowns(r *cooldownstore.Record) (until float64, reason string, text []byte, err error) {
	m := more{Clear: r.Snapshot.Clear, ClearKept: nanos(r.ClearKept), Renewed: nanos(r.Renewed)}
	for i, c := range r.Snapshot.Cooldowns {
		m.Cooldowns = append(m.Cooldowns, cooldownRow{c.Setter, c.Stamp, nanos(r.Wall[i]), c.Length, c.Reason, c.Author, c.Detail})
		if u := seconds(r.Wall[i]); u > until {
			until, reason = u, string(c.Reason)
		}
	}
	text, err = json.Marshal(m)
	return until, reason, text, err
}

func encodeCircuit(r *cooldownstore.Record) ([]byte, error) {
	c, w := r.Snapshot.Circuit, r.Circuit
	return json.Marshal(circuitRow{
		c.State, c.Stamp, nanos(w.Until), w.Length, nanos(w.FirstTrip), c.Opens, c.Reason, c.Role, c.ByRole, c.Detail, nanos(w.Keep),
	})
}

// decodeCooldowns fills the record from a row. A row that somebody else wrote
// (no more column) is one cooldown.
func decodeCooldowns(r *cooldownstore.Record, until, updated float64, reason, text string) error {
	r.UpdatedAt = wallSeconds(updated)
	if text == "" {
		return decodeForeign(r, until, reason)
	}
	var m more
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return fmt.Errorf("row of %s: %w", r.Key, err)
	}
	for _, c := range m.Cooldowns {
		r.Snapshot.Cooldowns = append(r.Snapshot.Cooldowns, breaker.Cooldown{
			Setter: c.Setter, Stamp: c.Stamp, Length: c.Length, Reason: c.Reason, Author: c.Author, Detail: c.Detail,
		})
		r.Wall = append(r.Wall, wallOf(c.Until))
	}
	r.Snapshot.Clear, r.ClearKept, r.Renewed = m.Clear, wallOf(m.ClearKept), wallOf(m.Renewed)
	return nil
}

func decodeForeign(r *cooldownstore.Record, until float64, reason string) error {
	if !(until > 0) { // NaN, negative, cleared
		return nil
	}
	wall := wallSeconds(until)
	length := min(wall.Sub(r.UpdatedAt), breaker.MaxOpen)
	if length <= 0 {
		return nil
	}
	r.Snapshot.Cooldowns = []breaker.Cooldown{{
		Setter: "store", Stamp: breaker.StampAt(r.UpdatedAt), Length: length,
		Reason: breaker.ReasonStore, Detail: breaker.Cut(reason),
	}}
	r.Wall = []time.Time{wall}
	return nil
}

// wallSeconds reads epoch seconds that anybody may have written.
func wallSeconds(s float64) time.Time {
	const latest = 253402300799 // the end of the year 9999
	if math.IsNaN(s) || s < 0 {
		s = 0
	}
	whole, fraction := math.Modf(min(s, latest))
	return time.Unix(int64(whole), int64(fraction*1e9))
}

func decodeCircuit(r *cooldownstore.Record, text string) error {
	var c circuitRow
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return fmt.Errorf("circuit of %s: %w", r.Key, err)
	}
	r.Snapshot.Circuit = breaker.Circuit{
		State: min(c.State, breaker.Open), Stamp: c.Stamp, Opens: c.Opens, Reason: c.Reason, Role: c.Role, ByRole: c.ByRole, Detail: c.Detail,
	}
	r.Circuit = cooldownstore.CircuitWall{
		Until: wallOf(c.Until), Length: c.Length, FirstTrip: wallOf(c.FirstTrip), Keep: wallOf(c.Keep),
	}
	return nil
}
