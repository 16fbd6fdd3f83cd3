package canary

import "time"

// Settings say what a canary must show, and by when.
type Settings struct {
	Alpha     float64       // chance that a change which makes no difference is rolled back as worse (0.001 to 0.5)
	Beta      float64       // chance that one which is worse by more than Tolerance is promoted (0.001 to 0.5)
	Tolerance float64       // what of the usual cost a promoted change may at most cost more (0.05 to 10)
	Least     time.Duration // no promotion earlier (0 to 7 days)
	Opens     int           // no promotion with fewer opens (0 to 1,000)
	Limit     time.Duration // rolled back if undecided by then (Least to 30 days)
}

// Defaults are the settings of a tuner nobody configured.
func Defaults() Settings {
	return Settings{Alpha: 0.05, Beta: 0.2, Tolerance: 1, Least: 30 * time.Minute, Opens: 3, Limit: 24 * time.Hour}
}

// most is the longest trial.
const most = 30 * 24 * time.Hour

// bounded answers the settings within their limits; what is not a number
// counts as the strictest.
func (s Settings) bounded() Settings {
	s.Alpha = within(s.Alpha, 0.001, 0.5, 0.5)
	s.Beta = within(s.Beta, 0.001, 0.5, 0.001)
	s.Tolerance = within(s.Tolerance, 0.05, 10, 0.05)
	s.Least = min(max(s.Least, 0), 7*24*time.Hour)
	s.Opens = min(max(s.Opens, 0), 1000)
	s.Limit = min(max(s.Limit, s.Least, time.Minute), most)
	return s
}

func within(x, low, high, otherwise float64) float64 {
	if x != x {
		return otherwise
	}
	return min(max(x, low), high)
}
