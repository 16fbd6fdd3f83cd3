package changepoint

import (
	"fmt"
	"math"
	"strings"
)

// peers lists the methods of the paper in the table, best default F1 first.
var peers = []string{"binseg", "pelt", "bocpd", "amoc", "segneigh", "cpnp", "ecp", "rfpop", "bocpdms", "prophet", "rbocpdms", "wbs", "kcpa"}

// outcome is what became of one method.
type outcome struct {
	method
	scores
	first int // the setting that is best over all series
}

// row is one line of the main table; a score the paper does not have is NaN.
type row struct {
	name, peeks          string
	settings             int
	one, leftOut, oracle Score
}

func (o outcome) row() row {
	each, _ := o.leaveOneOut(byBoth)
	return row{
		name: o.name, peeks: o.peeks, settings: len(o.settings),
		one: mean(o.scores[o.first]), leftOut: mean(each), oracle: mean(o.oracle()),
	}
}

// peerRow reads the published scores of a method.
func (p Published) peerRow(name string, series []string) (row, error) {
	r := row{name: name, peeks: "scale, later values", leftOut: Score{math.NaN(), math.NaN()}}
	for measure, to := range map[string]*float64{
		"default_f1": &r.one.F1, "default_cover": &r.one.Cover,
		"oracle_f1": &r.oracle.F1, "oracle_cover": &r.oracle.Cover,
	} {
		v, err := p.Mean(measure, name, series)
		if err != nil {
			return row{}, err
		}
		*to = v
	}
	return r, nil
}

// people scores each annotator against the other four, and averages. Nobody sees
// more than people do: it is about what a method can hope for.
func people(all []Series) Score {
	var each []Score
	for _, s := range all {
		for i, own := range s.Annotations {
			others := Series{Values: s.Values}
			others.Annotations = append(others.Annotations, s.Annotations[:i]...)
			others.Annotations = append(others.Annotations, s.Annotations[i+1:]...)
			each = append(each, Of(others, own))
		}
	}
	return mean(each)
}

func (r row) String() string {
	settings := "–"
	if r.settings > 0 {
		settings = fmt.Sprint(r.settings)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s | %s |", r.name, r.peeks,
		number(r.one.F1), number(r.one.Cover), number(r.leftOut.F1), number(r.leftOut.Cover),
		number(r.oracle.F1), number(r.oracle.Cover), settings)
}

func number(x float64) string {
	if math.IsNaN(x) {
		return "–"
	}
	return fmt.Sprintf("%.3f", x)
}

const mainHead = `| method | peeks at | F1, one setting | cover | **F1, left out** | cover | F1, best each | cover | settings |
|---|---|---|---|---|---|---|---|---|
`

// mainTable puts our rows first.
func mainTable(ours, theirs []row) string {
	var b strings.Builder
	b.WriteString(mainHead)
	for _, r := range ours {
		fmt.Fprintln(&b, r)
	}
	for _, r := range theirs {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}

// chosenTable says which settings leaving one out chose, and how often.
func chosenTable(outcomes []outcome) string {
	var b strings.Builder
	b.WriteString("| method | best over all 25 | chosen with one left out (times) |\n|---|---|---|\n")
	for _, o := range outcomes {
		_, chosen := o.leaveOneOut(byBoth)
		times := make([]int, len(o.settings))
		for _, i := range chosen {
			times[i]++
		}
		var list []string
		for i, n := range times {
			if n > 0 {
				list = append(list, fmt.Sprintf("%s (%d)", o.settings[i].label, n))
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", o.name, o.settings[o.first].label, strings.Join(list, "; "))
	}
	return b.String()
}

// seriesTable sets the left-out F1 of the outcomes beside the published default
// F1 of two peers, series by series.
func seriesTable(all []Series, outcomes []outcome, p Published) string {
	var b strings.Builder
	b.WriteString("| series | values |")
	for _, o := range outcomes {
		fmt.Fprintf(&b, " %s |", o.name)
	}
	b.WriteString(" binseg, default | bocpd, default | no change |\n|---|---|" + strings.Repeat("---|", len(outcomes)+3) + "\n")
	columns := make([][]Score, len(outcomes))
	for i, o := range outcomes {
		columns[i], _ = o.leaveOneOut(byBoth)
	}
	for j, s := range all {
		fmt.Fprintf(&b, "| %s | %d |", s.Name, len(s.Values))
		for i := range columns {
			fmt.Fprintf(&b, " %.3f |", columns[i][j].F1)
		}
		published := p["default_f1"][s.Name]
		fmt.Fprintf(&b, " %s | %s | %s |\n", published.text("binseg"), published.text("bocpd"), published.text("zero"))
	}
	return b.String()
}

// against compares two lists of F1 series by series: the mean difference, its
// standard error, and how many series got better and worse.
func against(ours []Score, theirs []float64) (difference, deviation float64, better, worse int) {
	n := float64(len(ours))
	square := 0.0
	for i := range ours {
		d := ours[i].F1 - theirs[i]
		difference += d
		square += d * d
		if d > 0 {
			better++
		}
		if d < 0 {
			worse++
		}
	}
	difference /= n
	return difference, math.Sqrt((square - n*difference*difference) / (n - 1) / n), better, worse
}
