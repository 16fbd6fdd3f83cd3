package simulation

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/config"
)

// scaled is what a world of some size came to.
type scaled struct {
	x         float64 // what was varied
	nodes     int
	rate      float64 // calls a second of the whole fleet
	failing   int     // hosts
	calls     uint64
	messages  float64 // a second, of all nodes
	converged time.Duration
	memory    float64 // KiB of a node
	took      time.Duration
}

// When what happens in a world of TestScale. The fleet has started long before
// messages are counted.
const (
	countFrom  = 20 * time.Second
	countUntil = 80 * time.Second
	splitAt    = 90 * time.Second
	splitFor   = 15 * time.Second
	scaleHosts = 100
)

// scaleWorld is a world in which so many hosts go down and come back, half a
// minute each, and then the fleet is split in two.
func scaleWorld(nodes int, rate float64, failing int) Plan {
	c, err := config.Load(config.Default(), nil, []string{"FLEETFUSE_BREAKER_DEFAULTS=fail_max:3,reset:10"})
	if err != nil {
		panic(err)
	}
	p := Plan{
		Name: "scale", Seed: 1, Nodes: nodes, Length: 120 * time.Second, Quiet: 45 * time.Second, Rate: rate / float64(nodes), Policies: &c.Breakers,
		Network: Network{Least: 200 * time.Microsecond, Most: 2 * time.Millisecond},
	}
	for i := range scaleHosts {
		h := Host{Name: fmt.Sprintf("h%d.example.org", i), Latency: 50 * time.Millisecond, Weight: 1}
		if i < failing {
			begin := 25*time.Second + time.Duration(i)*20*time.Second/time.Duration(failing)
			h.Phases = []Phase{{Until: begin}, {Until: begin + 30*time.Second, Mode: Down}, {Until: splitAt + time.Second}, {Until: splitAt + splitFor, Mode: Down}}
		}
		p.Hosts = append(p.Hosts, h)
	}
	split := Fault{At: splitAt, For: splitFor, Kind: Split}
	for i := range nodes / 2 {
		split.Nodes = append(split.Nodes, i)
	}
	p.Faults = []Fault{split}
	return p
}

func measure(x float64, nodes int, rate float64, failing int) scaled {
	s := scaled{x: x, nodes: nodes, rate: rate, failing: failing, converged: -1}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	w := New(scaleWorld(nodes, rate, failing))
	var first uint64
	w.after(countFrom, func() { first = w.messages })
	w.after(countUntil, func() { s.messages = float64(w.messages-first) / (countUntil - countFrom).Seconds() })
	healed := splitAt + splitFor
	var poll func()
	poll = func() {
		if s.converged < 0 && w.agreed() {
			s.converged = w.now - healed
			return
		}
		w.after(100*time.Millisecond, poll)
	}
	w.after(healed+time.Millisecond, poll)
	w.Run()
	s.took, s.calls = time.Since(began), w.Counts().Wanted
	w.queue, w.checks = queue{}, checks{} // what is under way, and what checkers remember, is no node's
	runtime.GC()
	runtime.ReadMemStats(&after)
	s.memory = max(float64(after.HeapAlloc)-float64(before.HeapAlloc), 0) / 1024 / float64(nodes)
	runtime.KeepAlive(w)
	return s
}

// agreed reports whether all nodes see each other and believe the same of every
// host.
func (w *World) agreed() bool {
	for _, n := range w.nodes {
		if len(n.members.live) != len(w.nodes) {
			return false
		}
	}
	for i := range w.plan.Hosts {
		key := breaker.HostKey(w.plan.Hosts[i].Name)
		want := w.nodes[0].spread.View().Of(key)
		for _, n := range w.nodes[1:] {
			if got := n.spread.View().Of(key); got.Circuit.Stamp != want.Circuit.Stamp || got.Circuit.State != want.Circuit.State || got.Clear != want.Clear {
				return false
			}
		}
	}
	return true
}

// TestScale measures what the fleet costs: make sim-scale. Beside what is
// measured with a node's own numbers, memory is that of this program's world.
func TestScale(t *testing.T) {
	path := os.Getenv("SIM_SCALE")
	if path == "" {
		t.Skip("make sim-scale")
	}
	most := 1000
	if n := os.Getenv("SIM_SCALE_NODES"); n != "" {
		fmt.Sscan(n, &most)
	}
	var byNodes, byTraffic, byFailures []scaled
	for _, n := range []int{5, 10, 20, 50, 100, 200, 500, 1000} {
		if n <= most {
			byNodes = append(byNodes, measure(float64(n), n, 500, 5))
		}
	}
	table("nodes, at 500 calls/s of the fleet and 5 failing hosts", "nodes", byNodes)
	for _, x := range []float64{1, 3, 10, 30, 100} {
		byTraffic = append(byTraffic, measure(x, 20, 100*x, 5))
	}
	table("traffic, x 100 calls/s of the fleet, at 20 nodes and 5 failing hosts", "traffic", byTraffic)
	for _, n := range []int{0, 1, 2, 5, 10, 20, 50, 100} {
		byFailures = append(byFailures, measure(float64(n), 20, 1000, n))
	}
	table("failing hosts of 100, at 20 nodes and 1,000 calls/s of the fleet", "failing", byFailures)
	svg := panels(t, []panel{{"traffic (x 100 calls/s)", byTraffic}, {"failing hosts", byFailures}, {"nodes", byNodes}})
	if err := os.WriteFile(path, []byte(svg), 0o644); err != nil {
		t.Fatal(err)
	}
}

func table(title, x string, list []scaled) {
	fmt.Printf("\nBy %s\n\n| %s | messages/s, fleet | messages/s, node | agreed after healing | memory of a node | calls | run took |\n|---|---|---|---|---|---|---|\n", title, x)
	for _, s := range list {
		fmt.Printf("| %s | %.1f | %.2f | %s | %.0f KiB | %s | %.1f s |\n", whole(uint64(s.x)), s.messages, s.messages/float64(s.nodes), Wait(s.converged), s.memory, whole(s.calls), s.took.Seconds())
	}
}

// A panel is one picture: messages a second against what was varied.
type panel struct {
	title string
	list  []scaled
}

func panels(t *testing.T, list []panel) string {
	const width, height, left, top, plotW, plotH = 340, 260, 52, 34, 260, 180
	most, least := 1.0, math.Inf(1)
	for _, p := range list {
		for _, s := range p.list {
			most, least = max(most, s.messages), min(least, s.messages)
		}
	}
	if least <= 0 {
		t.Fatal("a fleet that sends nothing")
	}
	low, high := math.Floor(math.Log10(least)), math.Ceil(math.Log10(most))
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"11\">\n<title>Messages a second of a simulated fleet</title>\n<rect x=\"0\" y=\"0\" width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", width*len(list), height, width*len(list), height)
	for i, p := range list {
		x0 := float64(i*width + left)
		y := func(v float64) float64 { return top + plotH*(high-math.Log10(v))/(high-low) }
		last := p.list[len(p.list)-1].x
		x := func(v float64) float64 { return x0 + plotW*math.Log10(max(v, 0.5)*2)/math.Log10(last*2) }
		fmt.Fprintf(&b, "<text x=\"%.0f\" y=\"18\" font-size=\"13\" fill=\"#1c2126\">messages/s of the fleet, by %s</text>\n", x0, p.title)
		for d := low; d <= high; d++ {
			v := math.Pow(10, d)
			fmt.Fprintf(&b, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#d5dade\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" fill=\"#68727d\">%s</text>\n", x0, x0+plotW, y(v), y(v), x0-6, y(v)+4, cmp.Or(strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0"), "0"))
		}
		var line []string
		for _, s := range p.list {
			line = append(line, fmt.Sprintf("%.1f,%.1f", x(s.x), y(s.messages)))
			fmt.Fprintf(&b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"#c8372d\"><title>%v: %.1f messages/s</title></circle><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#68727d\">%v</text>\n", x(s.x), y(s.messages), s.x, s.messages, x(s.x), top+plotH+16, s.x)
		}
		fmt.Fprintf(&b, "<polyline points=\"%s\" fill=\"none\" stroke=\"#c8372d\" stroke-width=\"1.5\"/>\n", strings.Join(line, " "))
	}
	b.WriteString("</svg>\n")
	return b.String()
}
