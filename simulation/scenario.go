package simulation

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"fleetfuse/config"
)

// A Scenario is a world that people write down, to see what a policy does in it.
// docs/simulation.md describes the form.
type Scenario struct {
	Description string
	Plan        Plan
}

// Limits of a scenario.
const (
	maxNodes      = 1000
	maxLength     = 24 * time.Hour
	maxHosts      = 1000
	maxPhases     = 10_000 // of one host
	maxFaults     = 10_000
	maxWords      = 10_000
	maxRate       = 10_000.0  // calls a second of one node
	maxCalls      = 5_000_000 // of a run: some 20 s of ours, and a GiB that checkers remember
	maxNodeTime   = maxNodes * time.Hour
	maxFileBytes  = 16 << 20
	maxNameBytes  = 100
	maxProseBytes = 4000
)

// What a scenario says that it does not say.
const (
	defaultQuiet   = 2 * time.Minute
	defaultRate    = 10.0
	defaultLatency = 50 * time.Millisecond
	defaultLeast   = 200 * time.Microsecond // of the network
	defaultMost    = 2 * time.Millisecond
)

// Parse reads the text of a scenario. Files that it names lie beside path. The
// error joins all that is wrong, each with its file:line:column.
func Parse(path string, text []byte) (Scenario, error) {
	return parse(path, text, func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		return config.ReadFile(name, maxFileBytes)
	})
}

// LoadScenario reads a file.
func LoadScenario(path string) (Scenario, error) {
	text, err := config.ReadFile(path, maxFileBytes)
	if err != nil {
		return Scenario{}, err
	}
	return Parse(path, text)
}

// A scenarioReader turns a form into a plan.
type scenarioReader struct {
	form   *config.Form
	plan   Plan
	hosts  map[string]int // by name
	beside func(name string) ([]byte, error)
}

func parse(path string, text []byte, beside func(string) ([]byte, error)) (Scenario, error) {
	form := config.ReadForm(path, text)
	root := form.Root()
	if !root.There() {
		if err := form.Err(); err != nil {
			return Scenario{}, err
		}
		return Scenario{}, fmt.Errorf("%s: is empty; a scenario has nodes, length and hosts: docs/simulation.md", path)
	}
	if form.IsConfiguration() {
		return Scenario{}, fmt.Errorf("%s: this looks like a configuration, not like a scenario: give it with --policy, and a scenario to try its policies in", path)
	}
	r := &scenarioReader{form: form, hosts: map[string]int{}, beside: beside}
	f := root.Fields("name", "description", "nodes", "length", "quiet", "rate", "network", "hosts", "outages", "faults", "words", "shared-store", "policy")
	s := Scenario{Description: f["description"].Text(maxProseBytes)}
	r.plan.Name, r.plan.Seed = f["name"].Value(maxNameBytes), 1
	if r.plan.Name == "" {
		r.plan.Name = filepath.Base(path)
	}
	r.size(root, f)
	r.network(f["network"])
	r.hostsOf(root, f["hosts"], f["outages"])
	r.shared(f["shared-store"])
	r.faults(f["faults"])
	r.words(f["words"])
	policies := f["policy"].Breakers()
	r.plan.Policies = &policies
	r.quiet(f["quiet"])
	if form.Problems() == 0 { // a stand-in for a size is not affordable
		for _, problem := range r.plan.tooLarge() {
			f["nodes"].Fail("%w", problem)
		}
	}
	if err := form.Err(); err != nil {
		return Scenario{}, err
	}
	s.Plan = r.plan
	return s, nil
}

// size reads how large the world is. What follows is measured by nodes and
// length: where one of them is wrong the largest stands in, so that the rest is
// read all the same.
func (r *scenarioReader) size(root config.Part, f map[string]config.Part) {
	p := &r.plan
	for _, key := range []string{"nodes", "length"} {
		if !f[key].There() {
			root.Fail("%s is missing", key)
		}
	}
	p.Nodes = f["nodes"].Whole(1, maxNodes)
	if p.Nodes == 0 {
		p.Nodes = maxNodes
	}
	p.Length = f["length"].Duration(time.Second, maxLength)
	if p.Length == 0 {
		p.Length = maxLength
	}
	p.Rate = defaultRate
	if f["rate"].There() {
		p.Rate = f["rate"].Number(0.001, maxRate)
	}
}

func (r *scenarioReader) network(part config.Part) {
	f := part.Fields("delay_min", "delay_max", "loss", "duplicate", "slow")
	n := &r.plan.Network
	n.Least, n.Most = delays(f, defaultLeast, defaultMost)
	n.Loss = f["loss"].Number(0, 0.9)
	n.Duplicate = f["duplicate"].Number(0, 0.9)
	n.Slow = f["slow"].Number(0, 0.9)
}

// delays reads how long something is under way.
func delays(f map[string]config.Part, least, most time.Duration) (time.Duration, time.Duration) {
	if f["delay_min"].There() {
		least = f["delay_min"].Duration(0, 10*time.Second)
		most = max(most, least)
	}
	if f["delay_max"].There() {
		most = f["delay_max"].Duration(0, 10*time.Second)
		if most < least {
			f["delay_max"].Fail("delay_max is %v, less than delay_min, which is %v", most, least)
		}
	}
	return least, most
}

// Under is the plan with other policies. All that are compared belong into one
// call: the quiet part gets long enough for each, so that the worlds are equal.
func (p Plan) Under(policies ...*config.Breakers) ([]Plan, error) {
	for _, b := range policies {
		p.Quiet = max(p.Quiet, p.leastQuiet(b))
	}
	plans := make([]Plan, len(policies))
	for i, b := range policies {
		plans[i] = p
		plans[i].Policies = b
	}
	problems := p.tooLarge()
	for i, problem := range problems {
		problems[i] = fmt.Errorf("%s: %w", p.Name, problem)
	}
	return plans, errors.Join(problems...)
}

// tooLarge says why no machine can run a plan.
func (p *Plan) tooLarge() (problems []error) {
	total := p.Length + p.Quiet
	if calls := total.Seconds() * p.Rate * float64(p.Nodes); calls > maxCalls {
		problems = append(problems, fmt.Errorf("%d nodes with %v calls a second each make %s calls in %v; at most %s make sense: lower rate, nodes or length",
			p.Nodes, p.Rate, whole(uint64(calls)), total, whole(maxCalls)))
	}
	if total > maxNodeTime/time.Duration(p.Nodes) {
		problems = append(problems, fmt.Errorf("%d nodes for %v are too much: at most %v for so many (the quiet part included)", p.Nodes, total, (maxNodeTime/time.Duration(p.Nodes)).Round(time.Second)))
	}
	return problems
}
