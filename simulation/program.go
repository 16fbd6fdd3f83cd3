package simulation

import (
	"encoding/json"
	"fmt"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// program is what another program does that knows the two documented fields
// only. Its clock is right.
func (p *place) program(x Write, key breaker.Key) {
	name := cooldownstore.SharedName(key)
	value := map[string]any{}
	if text, _ := p.find(name); x.Copies {
		_ = json.Unmarshal([]byte(text), &value) // of nothing it keeps nothing
	}
	value["until_wall"], value["reason"] = 0.0, "another program"
	if x.Kind == ProgramDeadline {
		value["until_wall"] = cooldownstore.EpochSeconds(epoch.Add(p.world.now + x.For))
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("a value that was read is written: %v", err)) // numbers and text of ours
	}
	p.set(name, string(text), 0)
	if x.Hints {
		p.announce(key)
	}
}
