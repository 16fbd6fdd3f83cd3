package planner

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner"
	"fleetfuse/tuner/canary"
	"fleetfuse/tuner/guard"
)

// A Verdict says what becomes of a suggestion when its plan is enforced.
type Verdict string

// The verdicts.
const (
	Now     Verdict = "now"     // it is made
	Later   Verdict = "later"   // it is made if it does well where it is tried first
	Refused Verdict = "refused" // it is not made
)

// A Case is what is known about one host when a plan is drawn.
type Case struct {
	Metrics tuner.HostMetrics
	Advice  tuner.HostAdvice
	// Proof is what a replay said, by rule.
	Proof map[tuner.Rule]Proof
	// Before is the tuner's overlay, as text, that a change would be laid over.
	Before string
	// Inputs are what the proofs were made from, as they are to be recorded.
	Inputs json.RawMessage
}

// A Proof is what a replay of the window says of a change.
type Proof struct {
	Accepted bool
	Why      string
	Found    json.RawMessage // all that it found, as it is to be recorded
}

// A Change is a suggestion and what would become of it.
type Change struct {
	tuner.Suggestion
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"` // of the verdict
}

// A HostPlan is what a plan does to one host.
type HostPlan struct {
	Case
	Changes []Change
}

// Key is whom it is about.
func (h *HostPlan) Key() breaker.Key { return h.Metrics.Key }

// chosen are the changes with a verdict.
func (h *HostPlan) chosen(v Verdict) (list []Change) {
	for _, c := range h.Changes {
		if c.Verdict == v {
			list = append(list, c)
		}
	}
	return list
}

// A Plan is advice with what enforcing it would do. It never changes.
type Plan struct {
	ID     string
	Made   time.Time
	Window time.Duration
	Hosts  []HostPlan
}

// Draw makes a plan of cases. Rules, guard, proofs and trials each have a say in every
// verdict; the first that refuses is the reason.
func (p *Planner) Draw(now time.Time, window time.Duration, cases []Case) Plan {
	plan := Plan{Made: now, Window: window, Hosts: make([]HostPlan, len(cases))}
	for i, c := range cases {
		if len(c.Inputs) > MaxRecordBytes {
			c.Inputs = nil // no record could have them
		}
		plan.Hosts[i] = p.decide(now, c)
	}
	plan.ID = idOf(&plan)
	p.choose(&plan)
	p.spend(now, &plan)
	return plan
}

// decide gives each suggestion of a case its verdict, as if every host could be
// changed at once.
func (p *Planner) decide(now time.Time, c Case) HostPlan {
	h := HostPlan{Case: c, Changes: make([]Change, len(c.Advice.Suggestions))}
	best := ""
	for i, s := range c.Advice.Suggestions {
		h.Changes[i] = Change{Suggestion: s, Verdict: Refused, Reason: p.objection(now, &c, s)}
	}
	for _, name := range groupsByConfidence(h.Changes) {
		if objections(h.Changes, name) == "" {
			best = name
			break
		}
	}
	for i := range h.Changes {
		switch x := &h.Changes[i]; {
		case groupOf(x) == best:
			x.Verdict = Now
		case x.Reason == "":
			x.Reason = objections(h.Changes, groupOf(x))
			x.Reason = cmp.Or(x.Reason, "one change of a breaker at a time: that of the rule "+ruleOf(best)+" comes first")
		}
	}
	return h
}

// objection says why a suggestion is not to be enforced, "" if nothing speaks
// against it.
func (p *Planner) objection(now time.Time, c *Case, s tuner.Suggestion) string {
	if t := p.trialOf(c.Metrics.Key); t != nil {
		return "its last change is still watched, since " + t.Began.UTC().Format(time.TimeOnly)
	}
	if v := p.ledger.May(now, changeOf(c.Metrics.Key, &s)); !v.OK {
		return v.Detail
	}
	if want := readable(p.settings.Trial.Interval); want != p.length {
		return fmt.Sprintf("changes on trial are judged by spans of %v: others begin, by spans of %v, when those are over", p.length, want)
	}
	if n := p.seenIntervals(c.Metrics.Key); n < canary.LeastPast {
		return fmt.Sprintf("calls were seen in %d of the %d spans of %v that it takes to tell whether a change does harm", n, canary.LeastPast, p.length)
	}
	if s.Provable() {
		switch proof, ok := c.Proof[s.Rule]; {
		case !ok:
			return "nothing that could prove it was recorded"
		case !proof.Accepted:
			return proof.Why
		}
	}
	return ""
}

// changeOf is a suggestion as the ledger has it.
func changeOf(key breaker.Key, s *tuner.Suggestion) guard.Change {
	return guard.Change{Key: key, Field: s.Field, Role: s.Role, From: s.Current, To: s.Proposed, Evidence: guard.LogOdds(s.Confidence)}
}

// groupOf names the changes that go together: those of one rule and role.
func groupOf(c *Change) string { return string(c.Rule) + "/" + c.Role }

func ruleOf(group string) string { return group[:max(0, slices.Index([]byte(group), '/'))] }

// groupsByConfidence lists the groups, the surest first.
func groupsByConfidence(changes []Change) []string {
	least := map[string]float64{}
	for i := range changes {
		g := groupOf(&changes[i])
		if c, ok := least[g]; !ok || changes[i].Confidence < c {
			least[g] = changes[i].Confidence
		}
	}
	var names []string
	for g := range least {
		names = append(names, g)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(least[b], least[a]), cmp.Compare(a, b)) })
	return names
}

// objections is the first of those against a group.
func objections(changes []Change, group string) string {
	var together []Change
	for i := range changes {
		if c := &changes[i]; groupOf(c) == group {
			if c.Reason != "" {
				return c.Reason
			}
			together = append(together, *c)
		}
	}
	if !oneChange(together) {
		return "it says two things of one field"
	}
	return ""
}

// idOf names a plan by what it says and when.
func idOf(p *Plan) string {
	sum := sha256.New()
	fmt.Fprint(sum, p.Made.UnixNano(), p.Window)
	for i := range p.Hosts {
		fmt.Fprint(sum, p.Hosts[i].Key(), p.Hosts[i].Changes)
	}
	return "p-" + hex.EncodeToString(sum.Sum(nil)[:6])
}
