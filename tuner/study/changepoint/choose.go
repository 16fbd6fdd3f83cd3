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

// best is the setting with the highest sum of F1 over the series, not counting
// the one left out (-1: none); among equals the one with the best cover, then
// the first.
func (table scores) best(leftOut int) int {
	best, top := 0, Score{F1: -1}
	for i, row := range table {
		var sum Score
		for j, s := range row {
			if j != leftOut {
				sum = Score{sum.F1 + s.F1, sum.Cover + s.Cover}
			}
		}
		if sum.F1 > top.F1 || sum.F1 == top.F1 && sum.Cover > top.Cover {
			best, top = i, sum
		}
	}
	return best
}

// leaveOneOut scores each series with the setting that is best on the others;
// chosen holds that setting.
func (table scores) leaveOneOut() (each []Score, chosen []int) {
	for j := range table[0] {
		i := table.best(j)
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
