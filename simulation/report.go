package simulation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// A Report is what a run came to, for people.
type Report struct {
	Scenario    string `json:"scenario"`
	Description string `json:"description,omitempty"`
	Policy      string `json:"policy"` // where it came from
	Seed        uint64 `json:"seed"`
	Nodes       int    `json:"nodes"`
	Length      Span   `json:"length_s"`
	Quiet       Span   `json:"quiet_s"`
	Bucket      Span   `json:"bucket_s"`
	Hash        string `json:"hash"`

	Figures    Figures           `json:"figures"`
	WronglyBy  map[string]uint64 `json:"wrongly_rejected_by"` // node
	Timeline   []Tally           `json:"timeline"`            // of all hosts, by bucket
	Hosts      []HostReport      `json:"hosts"`               // those to which something happened first
	Events     []Event           `json:"events"`
	Store      *StoreReport      `json:"shared_store,omitempty"`
	Violations []string          `json:"violations"` // promises of ours that were broken: a defect
}

// Span is a duration that JSON has in seconds.
type Span time.Duration

// MarshalJSON writes seconds, to the millisecond.
func (s Span) MarshalJSON() ([]byte, error) { return []byte(seconds(time.Duration(s))), nil }

// A Wait is a Span that may not have ended, or that nobody could see: null.
type Wait time.Duration

// Waits that are none.
const (
	unended Wait = -1
	unseen  Wait = -2 // too few calls tell
)

// MarshalJSON writes seconds, or null.
func (w Wait) MarshalJSON() ([]byte, error) {
	if w < 0 {
		return []byte("null"), nil
	}
	return []byte(seconds(time.Duration(w))), nil
}

// Figures sum up a run.
type Figures struct {
	Tally
	Unended   uint64 `json:"unended"`          // calls sent that had no answer yet at the end of the run
	Wasted    uint64 `json:"wasted"`           // calls sent to a host while it was down
	Spared    uint64 `json:"spared"`           // calls not sent while a host was not well, or by a machine that reached nobody
	Obeyed    uint64 `json:"obeyed"`           // calls not sent because a host or an operator had asked for a pause
	Wrongly   uint64 `json:"wrongly_rejected"` // the other calls of healthy hosts that were not sent
	Late      uint64 `json:"late"`             // of these, before the host was called again after an outage
	Overshoot uint64 `json:"overshoot"`        // calls sent by nodes that had not rejected one since the host went down
	Recovery  Wait   `json:"recovery_s"`       // the slowest that was seen, until 95 % of the calls were allowed
	Closed    Wait   `json:"closed_s"`         // the slowest, until the breaker was closed
	Trips     uint64 `json:"trips"`
	Messages  uint64 `json:"messages"` // between nodes
}

// HostReport is what happened to the calls of one host.
type HostReport struct {
	Name    string        `json:"name"`
	Figures HostFigures   `json:"figures"`
	Phases  []PhaseReport `json:"phases"`
	Bands   []BandReport  `json:"breaker"` // its states
	Outages []Outage      `json:"outages"`
	Tallies []Tally       `json:"timeline"`
}

// HostFigures sum up one host.
type HostFigures struct {
	Tally
	Spared  uint64 `json:"spared"`
	Obeyed  uint64 `json:"obeyed"`
	Wrongly uint64 `json:"wrongly_rejected"`
	Late    uint64 `json:"late"`
}

// PhaseReport is how a host behaved.
type PhaseReport struct {
	From  Span   `json:"from_s"`
	Until Span   `json:"until_s"`
	Mode  string `json:"mode"`
	mode  Mode
}

// BandReport is how its breaker stood.
type BandReport struct {
	From  Span   `json:"from_s"`
	Until Span   `json:"until_s"`
	State string `json:"state"`
	state breaker.State
}

// An Outage is a time in which a host was not well.
type Outage struct {
	From      Span         `json:"from_s"`
	Until     Span         `json:"until_s"`
	Mode      string       `json:"mode"` // in which it began
	Then      []ModeChange `json:"then,omitempty"`
	Overshoot uint64       `json:"overshoot"`
	Noticed   Wait         `json:"noticed_s"` // until the last of the nodes that rejected did so
	Nodes     int          `json:"nodes"`     // that rejected a call
	Closed    Wait         `json:"closed_s"`
	Recovery  Wait         `json:"recovery_s"`
	TooFew    bool         `json:"too_few_calls,omitempty"` // to say when it recovered
}

// A ModeChange is a host that goes on to be unwell in another mode.
type ModeChange struct {
	From Span   `json:"from_s"`
	Mode string `json:"mode"`
}

// An Event is something that a scenario did.
type Event struct {
	At   Span   `json:"at_s"`
	For  Span   `json:"for_s"`
	Text string `json:"text"`
}

// Report sums up what was recorded of a run that has ended.
func (r *Recorder) Report(s Scenario, policy string) Report {
	w := r.world
	p := &w.plan
	report := Report{
		Scenario: p.Name, Description: s.Description, Policy: policy, Seed: p.Seed, Nodes: p.Nodes, Hash: w.Hash(),
		Length: Span(p.Length), Quiet: Span(p.Quiet), Bucket: Span(r.width), Timeline: r.total[:], Violations: []string{}, Events: []Event{}, Hosts: []HostReport{}, WronglyBy: map[string]uint64{},
	}
	for i, n := range r.wrongBy {
		if n > 0 {
			report.WronglyBy[w.nodes[i].id] = n
		}
	}
	f := &report.Figures
	counts := w.Counts()
	f.Wasted, f.Trips, f.Messages = counts.Wasted, counts.Trips, counts.Messages
	for _, t := range r.total {
		f.add(t)
	}
	f.Unended = f.Called - f.Succeeded - f.Failed - f.Neutral
	var recoveries, closings []Wait
	for i := range r.hosts {
		h := r.hostReport(i)
		f.Spared += h.Figures.Spared
		f.Obeyed += h.Figures.Obeyed
		f.Wrongly += h.Figures.Wrongly
		f.Late += h.Figures.Late
		for _, o := range h.Outages {
			f.Overshoot += o.Overshoot
			recoveries, closings = append(recoveries, o.Recovery), append(closings, o.Closed)
		}
		report.Hosts = append(report.Hosts, h)
	}
	f.Recovery, f.Closed = slowest(recoveries), slowest(closings)
	slices.SortStableFunc(report.Hosts, func(a, b HostReport) int { return cmp.Compare(b.eventful(), a.eventful()) })
	report.Events, report.Store = p.events(), r.storeReport()
	for _, v := range w.Violations() {
		report.Violations = append(report.Violations, v.String())
	}
	return report
}

// slowest is the longest of waits that were seen; one that did not end is longer
// than any.
func slowest(waits []Wait) Wait {
	switch {
	case len(waits) == 0:
		return 0
	case slices.Contains(waits, unended):
		return unended
	}
	return slices.Max(waits)
}

// eventful is 1 for a host to which something happened.
func (h *HostReport) eventful() int {
	unhealthy := slices.ContainsFunc(h.Phases, func(p PhaseReport) bool { return p.mode != Healthy })
	if unhealthy || len(h.Bands) > 1 || len(h.Bands) == 1 && h.Bands[0].state != breaker.Closed {
		return 1
	}
	return 0
}

func (r *Recorder) hostReport(i int) HostReport {
	rec, host := &r.hosts[i], &r.world.plan.Hosts[i]
	h := HostReport{Name: host.Name, Tallies: rec.total[:], Phases: []PhaseReport{}, Bands: []BandReport{}, Outages: []Outage{}}
	h.Figures = HostFigures{Spared: rec.spared, Obeyed: rec.obeyed, Wrongly: rec.wrongly, Late: rec.late}
	for _, t := range rec.total {
		h.Figures.add(t)
	}
	from := time.Duration(0)
	for _, p := range host.Phases {
		h.Phases = append(h.Phases, PhaseReport{Span(from), Span(p.Until), p.Mode.String(), p.Mode})
		from = p.Until
	}
	for _, b := range rec.bands {
		h.Bands = append(h.Bands, BandReport{Span(b.From), Span(b.Until), b.State.String(), b.State})
	}
	for k := range rec.episodes {
		e := &rec.episodes[k]
		o := Outage{
			From: Span(e.from), Until: Span(e.until), Mode: e.mode.String(), Then: e.then, Overshoot: e.overshoot, Nodes: len(e.rejects), Noticed: unended,
			Closed: Wait(e.closed), Recovery: e.recovery(),
		}
		o.TooFew = o.Recovery == unseen
		if o.Nodes > 0 {
			o.Noticed = Wait(e.rejectedAt - e.from)
		}
		h.Outages = append(h.Outages, o)
	}
	return h
}

// events are the faults and words of a plan, by time.
func (p *Plan) events() []Event {
	list := []Event{}
	for _, f := range p.Faults {
		list = append(list, Event{Span(f.At), Span(f.For), f.String()})
	}
	for _, x := range p.Words {
		list = append(list, Event{Span(x.At), Span(x.For), "an operator says to n" + whole(uint64(x.Node+1)) + ": " + x.String() + " " + p.Hosts[x.Host].Name})
	}
	for _, x := range p.Shared.Writes {
		list = append(list, Event{Span(x.At), Span(x.For), x.String() + ": " + p.Hosts[x.Host].Name})
	}
	slices.SortStableFunc(list, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	return list
}

// nodeNames lists nodes as people name them, the first ones.
func nodeNames(nodes []int) string {
	const most = 8
	var names []string
	for i, n := range nodes {
		if i == most {
			names = append(names, fmt.Sprintf("and %d more", len(nodes)-most))
			break
		}
		names = append(names, fmt.Sprintf("n%d", n+1))
	}
	return strings.Join(names, " ")
}
