// Command table measures the gate beside its peers, interleaved, and prints
// one table with the bars of DESIGN section 10.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"fleetfuse/bench"
)

// bars are what the gate must be faster than gobreaker's Execute by.
var bars = map[string]float64{
	"closed, 1 key, 1 core": 7, "closed, 1 key, 2 cores": 14, "closed, 10000 keys, 1 core": 6, "rejected, 1 key, 1 core": 4,
}

const idleBar = 256

func main() {
	rounds := flag.Int("rounds", 7, "rounds for each row")
	about := flag.Duration("cell", 60*time.Millisecond, "time for each cell")
	flag.Parse()
	fmt.Printf("%s, %d cores, %s %s/%s, load %s before\n", cpuName(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, load())
	fmt.Printf("%d rounds, interleaved, ratio inside each round; median [quartiles]. Wall is the caller's path\n", *rounds)
	fmt.Println("in the best of 12 slices of each cell, because the machine is shared.")
	fmt.Println("CPU is the whole process's, with the gate's flush, owner machine and announcements. Peers decide on the")
	fmt.Println("caller's path, the gate defers to the owner, so compare CPU too.")
	missed := 0
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "scenario\tbreaker\twall ns\tcpu ns\tallocs\twall ratio\tcpu ratio\tbar\t")
	for _, s := range bench.Scenarios {
		missed += row(w, s, *rounds, *about)
	}
	idle := bench.IdleHostBytes(100_000)
	fmt.Fprintf(w, "idle host, 100000 hosts\tgate\t\t\t\t%.0f B\t\t<= %d B %s\t\n", idle, idleBar, verdict(idle <= idleBar, &missed))
	w.Flush()
	fmt.Printf("load %s after; %d bars missed\n", load(), missed)
	if missed > 0 {
		os.Exit(1)
	}
}

// row measures one scenario and returns how many bars it missed.
func row(w *tabwriter.Writer, s bench.Scenario, rounds int, about time.Duration) (missed int) {
	cells := make([][]bench.Measure, len(bench.Subjects))
	for range rounds {
		for i, sub := range bench.Subjects {
			cells[i] = append(cells[i], bench.Run(sub, s, about))
		}
	}
	for i, sub := range bench.Subjects {
		wall := quartiles(cells[i], func(k int) float64 { return cells[i][k].Wall })
		cpu := quartiles(cells[i], func(k int) float64 { return cells[i][k].CPU })
		allocs := quartiles(cells[i], func(k int) float64 { return cells[i][k].Allocs })
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%.1f\t%.2f\t", s.Name, sub.Name, wall[1], cpu[1], allocs[1])
		if i == 0 {
			bar := ""
			if s.FailEvery == 0 {
				bar = "0 allocs " + verdict(allocs[1] < 0.01, &missed)
			}
			fmt.Fprintf(w, "\t\t%s\t\n", bar)
			continue
		}
		ratio := quartiles(cells[i], func(k int) float64 { return cells[i][k].Wall / cells[0][k].Wall })
		cpuRatio := quartiles(cells[i], func(k int) float64 { return cells[i][k].CPU / cells[0][k].CPU })
		bar := ""
		if b := bars[s.Name]; b != 0 && i == 1 {
			bar = fmt.Sprintf(">= %gx %s", b, verdict(ratio[1] >= b, &missed))
		}
		fmt.Fprintf(w, "%.1fx [%.1f, %.1f]\t%.1fx [%.1f, %.1f]\t%s\t\n",
			ratio[1], ratio[0], ratio[2], cpuRatio[1], cpuRatio[0], cpuRatio[2], bar)
	}
	return missed
}

func verdict(ok bool, missed *int) string {
	if ok {
		return "met"
	}
	*missed++
	return "MISSED"
}

// quartiles are the lower quartile, the median and the upper quartile.
func quartiles(cells []bench.Measure, value func(int) float64) [3]float64 {
	list := make([]float64, len(cells))
	for k := range list {
		list[k] = value(k)
	}
	slices.Sort(list)
	last := len(list) - 1
	return [3]float64{list[last/4], list[last/2], list[last-last/4]}
}

func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(b))[0]
}

func cpuName() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown machine"
}
