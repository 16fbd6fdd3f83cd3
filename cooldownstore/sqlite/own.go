//go:build cgo

package sqlite

import (
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// ownCooldowns is the JSON in breaker_cooldowns.more. Fields are only ever
// added.
type ownCooldowns struct {
	Shown     float64       `json:"shown"` // the until_wall that goes with it
	Cooldowns []ownCooldown `json:"cooldowns,omitempty"`
	Clear     breaker.Stamp `json:"clear,omitempty"`
	ClearKept time.Time     `json:"clear_kept,omitzero"`
	Renewed   time.Time     `json:"renewed,omitzero"`
	UpdatedAt time.Time     `json:"updated_at,omitzero"`
}

type ownCooldown struct {
	Setter   string        `json:"setter"`
	Stamp    breaker.Stamp `json:"stamp"`
	Until    time.Time     `json:"until"`
	LengthNS time.Duration `json:"length_ns"`
	Reason   string        `json:"reason"`
	Author   string        `json:"author,omitempty"`
	Detail   string        `json:"detail,omitempty"`
}

// ownCircuit is the JSON in breaker_circuits.more.
type ownCircuit struct {
	State     breaker.State `json:"state"` // 0 closed, 1 half-open, 2 open
	Stamp     breaker.Stamp `json:"stamp"`
	Until     time.Time     `json:"until,omitzero"`
	LengthNS  time.Duration `json:"length_ns,omitempty"`
	FirstTrip time.Time     `json:"first_trip,omitzero"`
	Opens     int           `json:"opens,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	Role      string        `json:"role,omitempty"`
	ByRole    bool          `json:"by_role,omitempty"`
	Detail    string        `json:"detail,omitempty"`
	Keep      time.Time     `json:"keep,omitzero"`
	Renewed   time.Time     `json:"renewed,omitzero"`
	UpdatedAt time.Time     `json:"updated_at,omitzero"`
}

// cooldownsOf is the part of a record that belongs in breaker_cooldowns, and
// the index of the cooldown to show, -1 for none.
func cooldownsOf(r cooldownstore.Record) (m ownCooldowns, longest int) {
	s, longest := &r.Snapshot, -1
	m = ownCooldowns{
		Clear: s.Clear, ClearKept: r.ClearKept.UTC(), Renewed: r.Renewed.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}
	for i, c := range s.Cooldowns {
		m.Cooldowns = append(m.Cooldowns, ownCooldown{
			Setter: c.Setter, Stamp: c.Stamp, Until: r.Wall[i].UTC(), LengthNS: c.Length,
			Reason: string(c.Reason), Author: c.Author, Detail: c.Detail,
		})
		if longest < 0 || r.Wall[i].After(r.Wall[longest]) {
			longest = i
		}
	}
	if longest >= 0 {
		m.Shown = cooldownstore.EpochSeconds(r.Wall[longest])
	}
	return m, longest
}

func (m ownCooldowns) into(r *cooldownstore.Record) {
	for _, c := range m.Cooldowns {
		r.Snapshot.Cooldowns = append(r.Snapshot.Cooldowns, breaker.Cooldown{
			Setter: c.Setter, Stamp: c.Stamp, Length: c.LengthNS,
			Reason: breaker.Reason(c.Reason), Author: c.Author, Detail: c.Detail,
		})
		r.Wall = append(r.Wall, c.Until)
	}
	r.Snapshot.Clear, r.ClearKept = m.Clear, m.ClearKept
	r.Renewed, r.UpdatedAt = m.Renewed, m.UpdatedAt
}

func circuitOf(r cooldownstore.Record) ownCircuit {
	c, w := r.Snapshot.Circuit, r.Circuit
	return ownCircuit{
		State: c.State, Stamp: c.Stamp, Until: w.Until.UTC(), LengthNS: w.Length, FirstTrip: w.FirstTrip.UTC(),
		Opens: c.Opens, Reason: string(c.Reason), Role: c.Role, ByRole: c.ByRole, Detail: c.Detail,
		Keep: w.Keep.UTC(), Renewed: r.Renewed.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}
}

func (m ownCircuit) into(r *cooldownstore.Record) {
	if m.State > breaker.Open {
		return
	}
	r.Snapshot.Circuit = breaker.Circuit{
		State: m.State, Stamp: m.Stamp, Opens: m.Opens, Reason: breaker.Reason(m.Reason),
		Role: m.Role, ByRole: m.ByRole, Detail: m.Detail,
	}
	r.Circuit = cooldownstore.CircuitWall{Until: m.Until, Length: m.LengthNS, FirstTrip: m.FirstTrip, Keep: m.Keep}
	r.Renewed, r.UpdatedAt = m.Renewed, m.UpdatedAt
}
