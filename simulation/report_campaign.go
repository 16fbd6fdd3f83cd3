package simulation

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// maxKept bounds the violations that a campaign keeps.
const maxKept = 20

// A Campaign sums up runs of one scenario with different seeds, under each of
// some policies.
type Campaign struct {
	Scenario  string        `json:"scenario"`
	FirstSeed uint64        `json:"first_seed"`
	Seeds     int           `json:"seeds"`
	Policies  []PolicyRange `json:"policies"`
}

// A PolicyRange is what one policy came to.
type PolicyRange struct {
	Policy     string            `json:"policy"`
	Figures    map[string]Ranged `json:"figures"`    // by their names in the JSON of a run
	Violations []SeedViolation   `json:"violations"` // the first ones
	Broken     int               `json:"broken"`     // runs with a violation

	numbers [][]float64 // of each figure, by seed
}

// A SeedViolation is one, and the seed that shows it again.
type SeedViolation struct {
	Seed uint64 `json:"seed"`
	Text string `json:"text"`
}

// Ranged is a figure over all seeds in which it is known. What never ended is
// larger than all else.
type Ranged struct {
	Median, Least, Most float64
	unit                string
	unknown             bool // in each
}

// neverEnded stands for what did not end, in a sorted list.
const neverEnded = 1e18

// Add adds a run under the i-th policy.
func (c *Campaign) Add(i int, r *Report) {
	for len(c.Policies) <= i {
		c.Policies = append(c.Policies, PolicyRange{numbers: make([][]float64, len(figures)), Violations: []SeedViolation{}})
	}
	p := &c.Policies[i]
	p.Policy, c.Scenario = r.Policy, r.Scenario
	for k, f := range figures {
		if x, known := f.number(&r.Figures); known {
			p.numbers[k] = append(p.numbers[k], x)
		}
	}
	if i == 0 {
		if c.Seeds == 0 {
			c.FirstSeed = r.Seed
		}
		c.Seeds++
	}
	if len(r.Violations) > 0 {
		p.Broken++
	}
	for _, v := range r.Violations {
		if len(p.Violations) < maxKept {
			p.Violations = append(p.Violations, SeedViolation{r.Seed, v})
		}
	}
}

// Sum works out the figures.
func (c *Campaign) Sum() {
	for i := range c.Policies {
		p := &c.Policies[i]
		p.Figures = map[string]Ranged{}
		for k, f := range figures {
			p.Figures[f.key] = ranged(slices.Sorted(slices.Values(p.numbers[k])), f.unit)
		}
	}
}

func ranged(sorted []float64, unit string) Ranged {
	n := len(sorted)
	if n == 0 {
		return Ranged{unit: unit, unknown: true}
	}
	median := sorted[n/2]
	if n%2 == 0 && median < neverEnded {
		median = (sorted[n/2-1] + median) / 2
	}
	return Ranged{Median: median, Least: sorted[0], Most: sorted[n-1], unit: unit}
}

// MarshalJSON writes what never ended, and what is not known, as null.
func (r Ranged) MarshalJSON() ([]byte, error) {
	value := func(x float64) any {
		if x >= neverEnded || r.unknown {
			return nil
		}
		return x
	}
	return json.Marshal(map[string]any{"median": value(r.Median), "min": value(r.Least), "max": value(r.Most)})
}

// String is the median and, in brackets, the least and the most.
func (r Ranged) String() string {
	text := func(x float64) string {
		switch {
		case x >= neverEnded:
			return "never"
		case r.unit != "":
			return fmt.Sprintf("%.1f", x)
		case x != math.Trunc(x): // the mean of two that are next to each other
			return whole(uint64(x)) + ".5"
		}
		return whole(uint64(x))
	}
	if r.unknown {
		return unseen.String()
	}
	unit := r.unit
	if r.Median >= neverEnded {
		unit = ""
	}
	return fmt.Sprintf("%s%s (%s-%s)", text(r.Median), unit, text(r.Least), text(r.Most))
}

// String is the campaign in 80 columns.
func (c *Campaign) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d seeds from %d on; median (least-most)\n\n%-31s", short(c.Scenario, 40), c.Seeds, c.FirstSeed, "")
	for i := range c.Policies {
		fmt.Fprintf(&b, " %23s", short(c.Policies[i].Policy, 23))
	}
	b.WriteString("\n")
	for _, f := range figures {
		fmt.Fprintf(&b, "%-31s", f.name)
		for i := range c.Policies {
			fmt.Fprintf(&b, " %23s", c.Policies[i].Figures[f.key])
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for i := range c.Policies {
		p := &c.Policies[i]
		fmt.Fprintf(&b, "%s: %d of %d runs with a violation\n", short(p.Policy, 40), p.Broken, c.Seeds)
		for _, v := range p.Violations {
			fmt.Fprintf(&b, "  seed %d: %s\n", v.Seed, v.Text)
		}
	}
	return b.String()
}
