package config

import (
	"maps"
	"slices"

	"fleetfuse/breaker"
)

// A Value is one field of a policy as it applies, and where it comes from.
type Value struct {
	Name   string // in full, as roles.metadata.fail_max
	Value  any    // as JSON shows it: durations as 1m0s, lists of statuses as []int
	Origin Origin
}

// Values lists every field that applies to k ("" is the defaults) with layers
// laid over its own settings, in the order of the table, then the fields that
// roles override.
func (b *Breakers) Values(k breaker.Key, layers ...Layer) []Value {
	levels := b.levels(k, layers)
	p := b.laid(k, levels[0])
	var values []Value
	for i := range fields {
		f := &fields[i]
		values = append(values, Value{f.name, valueJSON(valueAt(f.at(p))), originIn(levels, "", f)})
	}
	for _, role := range slices.Sorted(maps.Keys(p.Roles)) {
		own := p.Roles[role]
		for i := range fields {
			f := &fields[i]
			if f.atRole == nil {
				continue
			}
			if value := valueAt(f.atRole(&own)); !isZero(value) {
				values = append(values, Value{f.nameIn(role), valueJSON(value), originIn(levels, role, f)})
			}
		}
	}
	return values
}
