package outages

import (
	_ "embed"
	"fmt"
	"io/fs"
	"strings"

	"fleetfuse/tuner/outage"
)

// words is the text around the tables: {NAME} stands for what is computed.
//
//go:embed words.md
var words string

// everything is the name of all data sets in one.
const everything = "all together"

// Study is the recordings, parted.
type Study struct {
	recordings    []recording
	table, tuning []part // of the data sets in which an outage ended
	latest        []part // the table's, with other ends
	all           []cell // of the table
}

// Open reads the recordings below the root of data and draws the ends of
// their outages.
func Open(data fs.FS) (*Study, error) {
	all, err := Read(data)
	if err != nil {
		return nil, err
	}
	s := &Study{recordings: all}
	var every []group
	add := func(list *[]part, name string, groups []group, by ends) {
		if p, ok := newPart(name, groups, by); ok {
			*list = append(*list, p)
		}
	}
	for _, r := range all {
		table, tuning := r.split()
		every = append(every, table...)
		add(&s.table, r.name, table, uniform)
		add(&s.latest, r.name, table, latest)
		add(&s.tuning, r.name, tuning, uniform)
	}
	add(&s.table, everything, every, uniform)
	add(&s.latest, everything, every, latest)
	return s, nil
}

// Replay replays the table's part with the prior that is shipped (some ten
// seconds of one core).
func (s *Study) Replay() {
	for _, p := range s.table {
		s.all = append(s.all, cells(p, outage.Usual())...)
	}
}

// blocks are the parts of the note that Replay makes, and the plot.
func (s *Study) blocks() map[string]string {
	latest := map[string][][2]float64{}
	for _, p := range s.latest {
		latest[p.name] = p.against(outage.Usual())
	}
	return map[string]string{
		"{SETS}":   s.setsTable(),
		"{RATIOS}": ratioTable(s.all),
		"{BAR}":    s.verdict(),
		"{COSTS}":  costTable(s.all),
		"{SPACE}":  spaceTable(s.all),
		"{ROBUST}": robustTable(s.all, latest),
		"{PRIOR}":  describe(outage.Usual()),
	}
}

// Write makes the note and its plot. It also chooses a prior on the tuning part,
// and one on the table's for the parts swapped (minutes of one core); it fails if the
// former is not the one that is shipped.
func (s *Study) Write() (note, svg string, err error) {
	best := choose(s.tuning)
	if best.prior != outage.Usual() {
		return "", "", fmt.Errorf("outage.Usual is %+v, chosen was %+v", outage.Usual(), best.prior)
	}
	pairs := []string{"{CHOSEN}", fmt.Sprintf("dearest ratio %.2f, mean %.2f", best.dearest, best.mean)}
	other := choose(s.table[:len(s.table)-1])
	swapped, names := map[string][][2]float64{}, []string{}
	for _, p := range s.tuning {
		swapped[p.name] = p.against(other.prior)
		names = append(names, p.name)
	}
	pairs = append(pairs, "{SWAPPED}", swappedTable(names, swapped), "{OTHER}", describe(other.prior))
	for name, text := range s.blocks() {
		pairs = append(pairs, name, text)
	}
	return strings.NewReplacer(pairs...).Replace(words), plot(s.all), nil
}

func describe(p outage.Prior) string {
	return fmt.Sprintf("median %v, spread %g, weights %g and %g, forgetting %g", p.Median, p.Spread, p.MedianWeight, p.SpreadWeight, p.Forget)
}

// setsTable says how large each part is.
func (s *Study) setsTable() string {
	var b strings.Builder
	b.WriteString("| data set | sites with an outage | groups | outages | not over at the end | in the table: groups | outages | in the largest group | in the tuning: outages |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range s.recordings {
		table, tuning := r.split()
		ended, seen := 0, 0
		for _, one := range r.sites {
			ended += one.ended()
			seen += len(one.outages)
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %d |\n", r.name, len(r.sites), len(table)+len(tuning), ended, seen-ended,
			len(table), outagesIn(table), table[0].ended(), outagesIn(tuning))
	}
	return b.String()
}

func outagesIn(groups []group) (n int) {
	for _, g := range groups {
		n += g.ended()
	}
	return n
}

// verdict says where tuned is within the bar, and where not.
func (s *Study) verdict() string {
	over := []string{}
	for _, c := range s.all {
		if r := c.ratios[atTuned].value; r > bar {
			over = append(over, fmt.Sprintf("%s at %g s (%.2f)", c.part.name, c.price, r))
		}
	}
	if len(over) == 0 {
		return fmt.Sprintf("met by all %d rows", len(s.all))
	}
	return fmt.Sprintf("met by %d of %d rows, missed by %s", len(s.all)-len(over), len(s.all), strings.Join(over, ", "))
}
