package config

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// Hash sums up what the nodes of a fleet must agree on: the policy that every
// breaker ends up with, and the tuner. How it came about does not matter: where
// values were set, in which order, or that a host or a wildcard was given what it
// would have had anyway.
// What makes a node itself is left out. Nodes compare hashes, so the sum of a
// policy changes only with the table of fields. It reads every policy: ask
// once and keep the answer.
func (c *Config) Hash() uint64 {
	b := &c.Breakers
	inherited := map[*breaker.Policy]uint64{} // sums of the defaults and the wildcards
	text := binary.LittleEndian.AppendUint64(nil, hashPolicy(&b.Defaults))
	for _, k := range b.all() {
		above := b.inherited(k)
		if _, ok := inherited[above]; !ok {
			inherited[above] = hashPolicy(above)
		}
		if own := hashPolicy(b.Policy(k)); own != inherited[above] {
			text = appendText(text, string(k))
			text = binary.LittleEndian.AppendUint64(text, own)
		}
	}
	return hash(c.appendTuner(text))
}

// hashPolicy sums up the values of a policy. The well-known roles are always
// in the sum, for naming one without a value of its own changes nothing.
func hashPolicy(p *breaker.Policy) uint64 {
	text := make([]byte, 0, 2048)
	for i := range fields {
		text = appendText(text, fields[i].name)
		text = appendValue(text, fields[i].at(p))
	}
	roles := slices.AppendSeq([]string{breaker.RoleMetadata, breaker.RoleLanding, breaker.RoleArtifact}, maps.Keys(p.Roles))
	slices.Sort(roles)
	for _, name := range slices.Compact(roles) {
		text = appendText(text, rolesPrefix+name)
		role := p.ForRole(name)
		for i := range fields {
			if fields[i].atRole != nil {
				text = appendValue(text, fields[i].atRole(&role))
			}
		}
	}
	return hash(text)
}

// appendValue appends the value of a field, in a form that is the same on
// every machine.
func appendValue(text []byte, place any) []byte {
	switch p := place.(type) {
	case *int:
		return binary.LittleEndian.AppendUint64(text, uint64(*p))
	case *float64:
		return binary.LittleEndian.AppendUint64(text, math.Float64bits(*p))
	case *bool:
		if *p {
			return append(text, 1)
		}
		return append(text, 0)
	case *time.Duration:
		return binary.LittleEndian.AppendUint64(text, uint64(*p))
	case *[]int:
		set := slices.Clone(*p) // of statuses: order and repetition mean nothing
		slices.Sort(set)
		set = slices.Compact(set)
		text = binary.LittleEndian.AppendUint64(text, uint64(len(set)))
		for _, status := range set {
			text = binary.LittleEndian.AppendUint64(text, uint64(status))
		}
		return text
	case *breaker.Mode:
		return appendText(text, string(*p))
	case *breaker.RetryAfterScope:
		return appendText(text, string(*p))
	}
	panic(fmt.Sprintf("a field is of a kind unknown here: %T", place))
}

// appendText appends a text after its length, so that two never run together.
func appendText(text []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(text, uint64(len(s))), s...)
}

func hash(text []byte) uint64 {
	sum := fnv.New64a()
	sum.Write(text) // never fails
	return sum.Sum64()
}
