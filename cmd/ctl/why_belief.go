package main

import (
	"fmt"
	"slices"
	"strings"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// believed says what each node believes: in one line those that agree with the
// owner, then each that does not, then those that did not tell.
func (a *account) believed() []string {
	r := a.beliefs
	if r == nil {
		return nil
	}
	var lines, alike []string
	var reference *api.Belief
	for i := range r.Beliefs {
		b := &r.Beliefs[i]
		if len(b.Differs) > 0 {
			continue
		}
		var notes []string
		if b.Node == r.Reference && reference == nil {
			reference = b
			if b.ID == b.OwnerID {
				notes = append(notes, "its owner")
			}
		}
		if b.Disk {
			notes = append(notes, "from its disk")
		}
		alike = append(alike, noted(b.Node, notes))
	}
	if reference != nil {
		lines = append(lines, fmt.Sprintf("%s %s: %s.", list(alike), verb(len(alike), "says", "agree"), beliefWords(*reference)))
	}
	for _, b := range r.Beliefs {
		if len(b.Differs) > 0 {
			lines = append(lines, b.Node+" DIFFERS: "+differenceWords(b, reference))
		}
	}
	if len(r.Missing) > 0 {
		lines = append(lines, fmt.Sprintf("%s did not answer: what %s is not known.", list(r.Missing), verb(len(r.Missing), "it believes", "they believe")))
	}
	return lines
}

// noted writes "n1 (its owner, from its disk)".
func noted(name string, notes []string) string {
	if len(notes) == 0 {
		return name
	}
	return name + " (" + strings.Join(notes, ", ") + ")"
}

// beliefWords are the state a node believes in, and the policy in force there.
func beliefWords(b api.Belief) string {
	text := stateWords(b)
	if b.Ring != nil {
		text += "; " + ringWords(b.Ring)
	}
	if b.Mode == string(breaker.ModeShadow) || b.Mode == string(breaker.ModeOff) {
		text += "; mode " + b.Mode + ", which never rejects"
	}
	if b.PolicyVersion == noVersion {
		return text + "; policy as configured"
	}
	return text + "; policy version " + b.PolicyVersion
}

func stateWords(b api.Belief) string {
	text := b.State
	if b.State == breaker.Open.String() {
		text += " for another " + millis(b.RemainingMS)
	}
	if b.Reason != "" {
		text += ", " + b.Reason
	}
	return text
}

// ringWords tells of a node's own ring; none is closed.
func ringWords(r *api.Ring) string {
	if r == nil {
		return "its own ring is closed"
	}
	text := "its own ring is " + r.State
	if r.State == breaker.Open.String() {
		text += " for another " + millis(r.RemainingMS)
	}
	if r.Reason != "" {
		text += " (" + r.Reason + ")"
	}
	return text
}

// differenceWords says how a node differs from the owner and what that means for
// calls there.
func differenceWords(b api.Belief, owner *api.Belief) string {
	var text []string
	add := func(what, format string, args ...any) {
		if slices.Contains(b.Differs, what) {
			text = append(text, fmt.Sprintf(format, args...))
		}
	}
	var from api.Belief
	if owner != nil {
		from = *owner
	}
	add(api.DiffersState, "it believes %s, not %s: %s.", stateWords(b), orDash(from.State), consequence(b))
	add(api.DiffersDeadline, "it is open there for another %s, not %s.", millis(b.RemainingMS), millis(from.RemainingMS))
	add(api.DiffersStamp, "It goes by another word: stamp %s, not %s.", b.Stamp, from.Stamp)
	add(api.DiffersRing, "%s: calls failed there, and it rejects them by itself.", ringWords(b.Ring))
	add(api.DiffersPolicy, "It has policy version %s, not %s.", b.PolicyVersion, orDash(from.PolicyVersion))
	add(api.DiffersConfig, "Its configuration is another one: compare fleetfuse-ctl config show.")
	add(api.DiffersOwner, "It takes %s for the owner.", orNobody(b.Owner))
	if b.Ring != nil && !slices.Contains(b.Differs, api.DiffersRing) {
		text = append(text, "Beside that, "+ringWords(b.Ring)+".")
	}
	if len(text) == 0 { // a difference that only a newer node knows
		return strings.Join(b.Differs, ", ") + "; " + beliefWords(b) + "."
	}
	return strings.Join(text, " ")
}

// consequence is what a belief means for calls on that node.
func consequence(b api.Belief) string {
	switch {
	case b.Mode == string(breaker.ModeShadow) || b.Mode == string(breaker.ModeOff):
		return "calls there are allowed, its mode is " + b.Mode
	case b.State == breaker.Open.String():
		return "calls there are rejected"
	case b.State == breaker.HalfOpen.String():
		return "calls there wait for permits"
	case b.Ring != nil:
		return "calls there meet its own ring"
	}
	return "calls there are allowed"
}

func orNobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}

// happenings are its last events.
func (a *account) happenings() []string {
	lines := make([]string, len(a.events))
	for i, e := range a.events {
		lines[i] = e.Time.UTC().Format("2006-01-02 15:04:05") + "  " + happened(e)
		if detail := eventDetail(e); detail != "" {
			lines[i] += ": " + detail
		}
	}
	return lines
}
