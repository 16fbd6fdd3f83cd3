package changepoint

// scores holds, for each setting of a method in order, its score on each series.
type scores [][]Score

// try scores every setting on every series.
func (m method) try(all []Series) scores {
	table := make(scores, len(m.settings))
	for i, s := range m.settings {
		for _, one := range all {
			table[i] = append(table[i], Of(one, s.detect(one.Values)))
		}
	}
	return table
}

// rule says how good a setting is, given the sums of its scores.
type rule func(sum Score) float64

// byBoth is the rule of the study: F1 and cover are both wanted. byF1 is set
// beside it, to show how much depends on the rule.
func byBoth(sum Score) float64 { return sum.F1 + sum.Cover }
func byF1(sum Score) float64   { return sum.F1 }

// best is the setting that is best by the rule over the series, not counting the
// one left out (-1: none); among equals the first.
func (table scores) best(by rule, leftOut int) int {
	best, top := 0, -1.0
	for i, row := range table {
		var sum Score
		for j, s := range row {
			if j != leftOut {
				sum = Score{sum.F1 + s.F1, sum.Cover + s.Cover}
			}
		}
		if value := by(sum); value > top {
			best, top = i, value
		}
	}
	return best
}

// leaveOneOut scores each series with the setting that is best on the others;
// chosen holds that setting.
func (table scores) leaveOneOut(by rule) (each []Score, chosen []int) {
	for j := range table[0] {
		i := table.best(by, j)
		each, chosen = append(each, table[i][j]), append(chosen, i)
	}
	return each, chosen
}

// oracle is the best a setting reaches on each series, for F1 and cover apart,
// as the benchmark defines it.
func (table scores) oracle() []Score {
	best := make([]Score, len(table[0]))
	for _, row := range table {
		for j, s := range row {
			best[j] = Score{max(best[j].F1, s.F1), max(best[j].Cover, s.Cover)}
		}
	}
	return best
}

func mean(list []Score) Score {
	var sum Score
	for _, s := range list {
		sum = Score{sum.F1 + s.F1, sum.Cover + s.Cover}
	}
	n := float64(len(list))
	return Score{sum.F1 / n, sum.Cover / n}
}
