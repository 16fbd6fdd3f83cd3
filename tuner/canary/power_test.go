package canary_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fleetfuse/tuner/canary"
)

// trials is small for every day's tests; the table in the log is worth reading
// from 200 on (a minute).
var trials = flag.Int("trials", 40, "trials for each line of the table of false alarms and power")

// tally counts how trials ended.
type tally struct {
	ran, worse, fine int
	steps            []int // intervals until it was told that cost rose
}

func (c *tally) add(s canary.State, seen int) {
	c.ran++
	switch s.Why {
	case canary.Worse:
		c.worse++
		c.steps = append(c.steps, seen)
	case canary.NotWorse:
		c.fine++
	}
}

func (c *tally) percent(n int) float64 { return 100 * float64(n) / float64(max(c.ran, 1)) }

// median is when half of those that were rolled back as worse were.
func (c *tally) median() string {
	if len(c.steps) == 0 {
		return "–"
	}
	slices.Sort(c.steps)
	return fmt.Sprint(c.steps[len(c.steps)/2])
}

// TestFalseAlarmsAndPower: under no difference at most Alpha of the trials are
// rolled back as worse, whatever the weather, and a cost that doubled is promoted
// in at most Beta of them. In weather that has a cost in every interval a
// doubled one is mostly found within the day. The past is a week.
func TestFalseAlarmsAndPower(t *testing.T) {
	if testing.Short() {
		t.Skip("a quarter of a minute")
	}
	trials := *trials
	alpha, beta := canary.Defaults().Alpha, canary.Defaults().Beta
	t.Logf("share of %d trials of at most a day, in intervals of 5 minutes; refused: too quiet to begin", trials)
	t.Logf("%-9s %-16s %7s | no difference: textbook, worse, fine | halved: fine | doubled: worse, median, fine | x4: worse, median", "against", "weather", "refused")
	for _, d := range designs {
		for _, w := range weathers {
			counts := map[float64]*tally{}
			rival, refused := 0, 0
			for _, factor := range []float64{1, 0.5, 2, 4} {
				counts[factor] = &tally{}
				for seed := range uint64(trials) {
					r := rand.New(rand.NewPCG(seed, 1))
					s, before, since, err := trial(r, w, d, 7, factor)
					if factor == 1 && textbook(d.begin(r, w), before, d.against) {
						rival++
					}
					if err != nil {
						refused++
						continue
					}
					counts[factor].add(s, len(since))
				}
			}
			none, half, double, four := counts[1], counts[0.5], counts[2], counts[4]
			t.Logf("%-9s %-16s %6.0f%% | %5.0f%% %5.1f%% %5.0f%% | %5.0f%% | %5.0f%% %4s %5.1f%% | %5.0f%% %4s", d.name, w.name, 25*float64(refused)/float64(trials),
				100*float64(rival)/float64(trials), none.percent(none.worse), none.percent(none.fine), half.percent(half.fine),
				double.percent(double.worse), double.median(), double.percent(double.fine), four.percent(four.worse), four.median())
			if share := none.percent(none.worse); share > 100*alpha {
				t.Errorf("%s, %s: %.1f%% false alarms", d.name, w.name, share)
			}
			if share := double.percent(double.fine); share > 100*beta {
				t.Errorf("%s, %s: %.1f%% of doubled costs promoted", d.name, w.name, share)
			}
			always := !strings.Contains("5 spikes a day, flapping, 4 outages a day, long outages, drifting", w.name)
			if always && (double.percent(double.worse) < 90 || none.percent(none.fine) < 90) {
				t.Errorf("%s, %s: too weak", d.name, w.name)
			}
		}
	}
}

// TestFalseAlarmsAfterAShortPast: a day of it is little, so more is refused or undecided,
// and no more is rolled back as worse.
func TestFalseAlarmsAfterAShortPast(t *testing.T) {
	for _, d := range designs {
		for _, w := range weathers {
			count := tally{}
			for seed := range uint64(40) {
				s, _, since, err := trial(rand.New(rand.NewPCG(seed, 2)), w, d, 1, 1)
				if err == nil {
					count.add(s, len(since))
				}
			}
			t.Logf("%-9s %-16s: %3d trials, %.1f%% worse, %.0f%% fine", d.name, w.name, count.ran, count.percent(count.worse), count.percent(count.fine))
			if count.worse > 1 { // of 40 at most, of whom 2 would be Alpha
				t.Errorf("%s, %s: %d false alarms in %d trials", d.name, w.name, count.worse, count.ran)
			}
		}
	}
}
