package changepoint

import (
	"fmt"

	"fleetfuse/tuner/detect"
)

// method is a detector and how it is read, with the settings it is tried in.
type method struct {
	name     string
	peeks    string // what it knows that it could not know while the values come
	settings []setting
}

// setting is a method with its numbers fixed.
type setting struct {
	label  string
	detect func(values []float64) []int
}

// methods lists what is scored. The grids are steps of half a decade (or the
// like) around what the numbers mean, and were fixed before the first run of this
// study; the exploration before it is told in the note.
func methods() []method {
	return []method{
		{"BOCPD, looking back", "scale, later values", lookingBack()},
		{"BOCPD, as it comes, scaled", "scale", bocpd(1)},
		{"BOCPD, as it comes", "nothing", bocpd(0)},
		{"CUSUM", "nothing", cusum()},
		{"Page-Hinkley", "nothing", pageHinkley()},
		{"EWMA chart", "nothing", chart()},
	}
}

// stretches lists the settings of a BOCPD but for the odds.
func stretches(scale float64) (all []detect.BOCPDSettings) {
	for _, trend := range []bool{true, false} {
		for _, floor := range []float64{0.3, 0.1, 0.03, 0.01} {
			for _, hazard := range []float64{0.1, 0.03, 0.01, 0.003, 0.001} {
				for _, run := range []int{3, 5, 10} {
					all = append(all, detect.BOCPDSettings{
						Trend: trend, Scale: scale, Floor: floor, Hazard: hazard, MinRun: run,
					})
				}
			}
		}
	}
	return all
}

func describe(s detect.BOCPDSettings) string {
	kind := "level"
	if s.Trend {
		kind = "trend"
	}
	return fmt.Sprintf("%s, floor %g, hazard %g, run %d", kind, s.Floor, s.Hazard, s.MinRun)
}

func lookingBack() (all []setting) {
	for _, s := range stretches(1) {
		all = append(all, setting{describe(s), func(values []float64) []int {
			return lookedBack(s, standardized(values))
		}})
	}
	return all
}

// bocpd is told its scale (1: the values are standardized first), or has to
// find it (0).
func bocpd(scale float64) (all []setting) {
	for _, s := range stretches(scale) {
		for _, s.Odds = range []float64{2, 4, 7} {
			label := fmt.Sprintf("%s, odds %g", describe(s), s.Odds)
			all = append(all, setting{label, func(values []float64) []int {
				if scale > 0 {
					values = standardized(values)
				}
				d := detect.NewBOCPD(s)
				return told(&d, values)
			}})
		}
	}
	return all
}

func cusum() (all []setting) {
	for _, slack := range []float64{0.25, 0.5, 1, 2} {
		for _, threshold := range []float64{3, 5, 8, 12, 20} {
			for _, warmup := range []int{5, 10, 20} {
				label := fmt.Sprintf("slack %g, threshold %g, warm-up %d", slack, threshold, warmup)
				all = append(all, setting{label, func(values []float64) []int {
					d := detect.NewCUSUM(detect.CUSUMSettings{Slack: slack, Threshold: threshold, Warmup: warmup})
					return told(&d, values)
				}})
			}
		}
	}
	return all
}

func pageHinkley() (all []setting) {
	for _, slack := range []float64{0.1, 0.25, 0.5, 1} {
		for _, threshold := range []float64{3, 5, 8, 12, 20} {
			for _, warmup := range []int{5, 10, 20} {
				label := fmt.Sprintf("slack %g, threshold %g, warm-up %d", slack, threshold, warmup)
				all = append(all, setting{label, func(values []float64) []int {
					d := detect.NewPageHinkley(detect.PageHinkleySettings{Slack: slack, Threshold: threshold, Warmup: warmup})
					return told(&d, values)
				}})
			}
		}
	}
	return all
}

func chart() (all []setting) {
	for _, weight := range []float64{0.05, 0.1, 0.2, 0.4} {
		for _, limit := range []float64{3, 4, 6, 9, 13} {
			for _, warmup := range []int{5, 10, 20} {
				label := fmt.Sprintf("weight %g, limit %g, warm-up %d", weight, limit, warmup)
				all = append(all, setting{label, func(values []float64) []int {
					d := detect.NewChart(detect.ChartSettings{Weight: weight, Limit: limit, Warmup: warmup})
					return told(&d, values)
				}})
			}
		}
	}
	return all
}
