//go:build cgo

package sqlite

import (
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

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
	Recovered time.Time     `json:"recovered,omitzero"`
	Renewed   time.Time     `json:"renewed,omitzero"`
	UpdatedAt time.Time     `json:"updated_at,omitzero"`
}

func circuitOf(r cooldownstore.Record) ownCircuit {
	c, w := r.Snapshot.Circuit, r.Circuit
	return ownCircuit{
		State: c.State, Stamp: c.Stamp, Until: w.Until.UTC(), LengthNS: w.Length, FirstTrip: w.FirstTrip.UTC(),
		Opens: c.Opens, Reason: string(c.Reason), Role: c.Role, ByRole: c.ByRole, Detail: c.Detail,
		Keep: w.Keep.UTC(), Recovered: w.Recovered.UTC(), Renewed: r.Renewed.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
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
	r.Circuit = cooldownstore.CircuitWall{
		Until: m.Until, Length: m.LengthNS, FirstTrip: m.FirstTrip, Keep: m.Keep, Recovered: m.Recovered,
	}
	r.Renewed, r.UpdatedAt = m.Renewed, m.UpdatedAt
}
