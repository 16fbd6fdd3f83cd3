package simulation

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Shrink makes a plan whose world breaks a promise smaller, as long as it breaks
// the same one. It tries at most so many worlds.
func Shrink(p Plan, check string, most int) Plan {
	s := shrinker{check: check, left: most}
	for again := true; again && s.left > 0; {
		again = false
		for _, step := range shrinkSteps {
			for _, smaller := range step(p) {
				if s.fails(&smaller) {
					p, again = smaller, true
					break // the next pass goes on from there
				}
			}
		}
	}
	return p
}

// shrinker tries plans.
type shrinker struct {
	check string
	left  int
}

// seedsEach is how many seeds a smaller plan is tried with: with one part less,
// all random numbers after it are others.
const seedsEach = 6

// fails reports whether the world of a plan breaks the promise; the plan gets
// the seed with which it does.
func (s *shrinker) fails(p *Plan) bool {
	seed := p.Seed
	for i := range uint64(seedsEach) {
		if s.left--; s.left < 0 {
			break
		}
		p.Seed = seed + i
		if breaks(*p, s.check) {
			return true
		}
	}
	return false
}

// breaks reports whether the world of a plan breaks a promise. One that panics
// does, whatever the promise was.
func breaks(p Plan, check string) (broken bool) {
	defer func() {
		if recover() != nil {
			broken = check == noPanic
		}
	}()
	w := New(p)
	w.Run()
	return slices.ContainsFunc(w.Violations(), func(v Violation) bool { return v.Check == check })
}

// shrinkSteps each make some smaller plans of one, the much smaller ones first.
var shrinkSteps = []func(Plan) []Plan{
	fewerNodes, fewerFaults, fewerWords, fewerWrites, fewerHosts, fewerPhases, shorter, plainer, fewerSettings, rounder,
}

// parts are a list without its halves, quarters and single parts.
func parts[T any](list []T) (some [][]T) {
	for size := (len(list) + 1) / 2; size > 0; size /= 2 {
		for i := 0; i < len(list); i += size {
			some = append(some, slices.Concat(list[:i], list[min(i+size, len(list)):]))
		}
	}
	return some
}

func fewerFaults(p Plan) (plans []Plan) {
	for _, list := range parts(p.Faults) {
		q := p
		q.Faults = list
		plans = append(plans, q)
	}
	return plans
}

func fewerWords(p Plan) (plans []Plan) {
	for _, list := range parts(p.Words) {
		q := p
		q.Words = list
		plans = append(plans, q)
	}
	return plans
}

// fewerWrites leaves out what others write to the shared store, or the store.
func fewerWrites(p Plan) (plans []Plan) {
	if !p.Shared.There {
		return nil
	}
	q := p
	q.Shared = SharedStore{}
	q.Faults = slices.DeleteFunc(slices.Clone(p.Faults), func(f Fault) bool { return f.Kind.ofPlace() })
	plans = append(plans, q)
	for _, list := range parts(p.Shared.Writes) {
		q := p
		q.Shared.Writes = list
		plans = append(plans, q)
	}
	return plans
}

// fewerNodes leaves out the last node, and what is about it.
func fewerNodes(p Plan) []Plan {
	last := p.Nodes - 1
	if last < 1 {
		return nil
	}
	q := p
	q.Nodes, q.Machines = last, p.Machines[:min(len(p.Machines), last)]
	q.Words = slices.DeleteFunc(slices.Clone(p.Words), func(w Word) bool { return w.Node == last })
	q.Faults = nil
	for _, f := range p.Faults {
		f.Nodes = slices.DeleteFunc(slices.Clone(f.Nodes), func(i int) bool { return i == last })
		if f.Node != last && f.Other != last {
			q.Faults = append(q.Faults, f)
		}
	}
	return []Plan{q}
}

// fewerHosts leaves out each host, and what is said of it.
func fewerHosts(p Plan) (plans []Plan) {
	for h := range p.Hosts {
		if len(p.Hosts) == 1 {
			break
		}
		q := p
		q.Hosts = slices.Delete(slices.Clone(p.Hosts), h, h+1)
		q.Rate = p.Rate * float64(len(q.Hosts)) / float64(len(p.Hosts))
		q.Words = slices.DeleteFunc(slices.Clone(p.Words), func(w Word) bool { return w.Host == h })
		for i := range q.Words {
			if q.Words[i].Host > h {
				q.Words[i].Host--
			}
		}
		q.Shared.Writes = slices.DeleteFunc(slices.Clone(p.Shared.Writes), func(x Write) bool { return x.Host == h })
		for i := range q.Shared.Writes {
			if q.Shared.Writes[i].Host > h {
				q.Shared.Writes[i].Host--
			}
		}
		plans = append(plans, q)
	}
	return plans
}

func fewerPhases(p Plan) (plans []Plan) {
	for h := range p.Hosts {
		for _, list := range parts(p.Hosts[h].Phases) {
			q := p
			q.Hosts = slices.Clone(p.Hosts)
			q.Hosts[h].Phases = list
			plans = append(plans, q)
		}
	}
	return plans
}

// shorter cuts the time, and the calls.
func shorter(p Plan) (plans []Plan) {
	for _, part := range []time.Duration{4, 8} {
		q := p
		q.Quiet -= q.Quiet / part
		plans = append(plans, q)
		q = p
		q.Length -= q.Length / part
		q.Faults = slices.DeleteFunc(slices.Clone(p.Faults), func(f Fault) bool { return f.At >= q.Length })
		q.Words = slices.DeleteFunc(slices.Clone(p.Words), func(w Word) bool { return w.At >= q.Length })
		q.Shared.Writes = slices.DeleteFunc(slices.Clone(p.Shared.Writes), func(x Write) bool { return x.At >= q.Length })
		plans = append(plans, q)
		q = p
		q.Rate -= q.Rate / float64(part)
		plans = append(plans, q)
	}
	return slices.DeleteFunc(plans, func(q Plan) bool { return q.Quiet < 10*time.Second || q.Length < 10*time.Second || q.Rate < 0.1 })
}

// plainer makes the network and the clocks better.
func plainer(p Plan) (plans []Plan) {
	if n := p.Network; n.Loss+n.Duplicate+n.Slow > 0 {
		q := p
		q.Network.Loss, q.Network.Duplicate, q.Network.Slow = 0, 0, 0
		plans = append(plans, q)
	}
	if len(p.Machines) > 0 {
		q := p
		q.Machines = nil
		plans = append(plans, q)
	}
	return plans
}

// fewerSettings leaves out parts of the policies.
func fewerSettings(p Plan) (plans []Plan) {
	for i, line := range p.Environ {
		name, value, _ := strings.Cut(line, "=")
		for _, list := range parts(strings.Split(value, ",")) {
			q := p
			q.Environ = slices.Clone(p.Environ)
			q.Environ[i] = name + "=" + strings.Join(list, ",")
			if len(list) == 0 {
				q.Environ = slices.Delete(q.Environ, i, i+1)
			}
			var err error
			if q.Policies, err = policiesOf(q.Environ); err == nil {
				plans = append(plans, q)
			}
		}
	}
	return plans
}

// rounder leaves out what a fault of its kind does not read, and fractions of
// seconds.
func rounder(p Plan) []Plan {
	q := p
	q.Faults = nil
	for _, f := range p.Faults {
		takes := func(what string) bool { return slices.Contains(faultKinds[f.Kind].takes, what) }
		g := Fault{Kind: f.Kind, At: f.At.Round(time.Second), For: f.For.Round(time.Second)}
		if takes("node") {
			g.Node = f.Node
		}
		if takes("other") {
			g.Other = f.Other
		}
		if takes("nodes") {
			g.Nodes = f.Nodes
		}
		if takes("part") {
			g.Part = math.Round(100*f.Part) / 100
		}
		if takes("step") || takes("tail") {
			g.Step = f.Step.Round(time.Second)
		}
		q.Faults = append(q.Faults, g)
	}
	q.Words = slices.Clone(p.Words)
	for i := range q.Words {
		q.Words[i].At = q.Words[i].At.Round(time.Second)
	}
	q.Length, q.Quiet, q.Rate = p.Length.Round(time.Second), p.Quiet.Round(time.Second), math.Round(10*p.Rate)/10
	if reflect.DeepEqual(p.Faults, q.Faults) && reflect.DeepEqual(p.Words, q.Words) && p.Length == q.Length && p.Quiet == q.Quiet && p.Rate == q.Rate {
		return nil
	}
	return []Plan{q}
}
