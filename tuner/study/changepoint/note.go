package changepoint

import (
	_ "embed"
	"fmt"
	"io/fs"
	"strings"
)

// words is the text around the tables: {NAME} stands for what is computed.
//
//go:embed words.md
var words string

// Study is everything the note is made of.
type Study struct {
	series    []Series
	published Published
	theirs    []row
	zero      row
}

// Open reads the series and the published scores below the root of data.
func Open(data fs.FS) (*Study, error) {
	all, err := Read(data, Redistributable)
	if err != nil {
		return nil, err
	}
	p, err := ReadPublished(data)
	if err != nil {
		return nil, err
	}
	s := &Study{series: all, published: p}
	for _, name := range append([]string{"zero"}, peers...) {
		r, err := p.peerRow(name, Redistributable)
		if err != nil {
			return nil, err
		}
		s.theirs = append(s.theirs, r)
	}
	s.zero = s.theirs[0]
	s.theirs = s.theirs[1:]
	s.zero.name, s.zero.peeks = "no change", "nothing"
	return s, nil
}

// Run tries every setting of every method on every series (about ten seconds of
// one core) and makes the note and its plot.
func (s *Study) Run() (note, svg string) {
	var outcomes []outcome
	var ours []row
	for _, m := range methods() {
		o := outcome{method: m, scores: m.try(s.series)}
		o.first = o.best(byBoth, -1)
		outcomes, ours = append(outcomes, o), append(ours, o.row())
	}
	theirs := append([]row{s.zero}, s.theirs...)
	note = strings.NewReplacer(
		"{MAIN}", mainTable(ours, theirs),
		"{CHOSEN}", chosenTable(outcomes),
		"{SERIES}", seriesTable(s.series, outcomes[:3], s.published),
		"{AGAINST}", s.comparisons(outcomes[:3]),
		"{RULES}", rulesTable(outcomes[:3]),
		"{PEOPLE}", s.people(),
	).Replace(words)
	return note, plot(ours, theirs, s.zero.one.F1)
}

func (s *Study) people() string {
	p := people(s.series)
	return fmt.Sprintf("F1 %.3f, cover %.3f", p.F1, p.Cover)
}

// comparisons sets our left-out F1 against the best published default.
func (s *Study) comparisons(outcomes []outcome) string {
	var b strings.Builder
	b.WriteString("| left out, against | mean difference of F1 | standard error | series better | series worse |\n|---|---|---|---|---|\n")
	for _, o := range outcomes {
		each, _ := o.leaveOneOut(byBoth)
		for _, peer := range []string{"binseg", "bocpd"} {
			var theirs []float64
			for _, one := range s.series {
				theirs = append(theirs, *s.published["default_f1"][one.Name][peer])
			}
			d, e, better, worse := against(each, theirs)
			fmt.Fprintf(&b, "| %s, against %s | %+.3f | %.3f | %d | %d |\n", o.name, peer, d, e, better, worse)
		}
	}
	return b.String()
}

// rulesTable shows what the choice of settings by another rule gives.
func rulesTable(outcomes []outcome) string {
	var b strings.Builder
	b.WriteString("| method | chosen by F1 + cover: F1 | cover | chosen by F1 alone: F1 | cover |\n|---|---|---|---|---|\n")
	for _, o := range outcomes {
		both, _ := o.leaveOneOut(byBoth)
		alone, _ := o.leaveOneOut(byF1)
		fmt.Fprintf(&b, "| %s | %.3f | %.3f | %.3f | %.3f |\n", o.name, mean(both).F1, mean(both).Cover, mean(alone).F1, mean(alone).Cover)
	}
	return b.String()
}
