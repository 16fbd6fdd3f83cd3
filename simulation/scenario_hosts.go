package simulation

import (
	"time"

	"fleetfuse/config"
)

// modeNames are the modes as a scenario has them.
var modeNames = []string{"healthy", "down", "limiting", "brownout", "flapping", "slow", "portal"}

// String is the mode as a scenario has it.
func (m Mode) String() string { return modeNames[m] }

// Limits of a phase. A worker gives up after timeout, so a host need not be
// slower.
const (
	leastTurn       = 10 * time.Millisecond
	leastRetryAfter = time.Second // the header counts in seconds
)

func (r *scenarioReader) hostsOf(root, hosts, outages config.Part) {
	before := r.form.Problems()
	for _, part := range hosts.Items(maxHosts) {
		r.host(part)
	}
	if outages.There() {
		r.outages(outages)
	}
	if len(r.plan.Hosts) == 0 && !outages.There() && r.form.Problems() == before {
		root.Fail("there are no hosts to call; list some in hosts, or name a file in outages")
	}
}

func (r *scenarioReader) host(part config.Part) {
	f := part.Fields("name", "latency", "weight", "phases")
	h := Host{Name: f["name"].Host(), Latency: defaultLatency, Weight: 1}
	if !f["name"].There() {
		part.Fail("a host needs a name")
	}
	if f["latency"].There() {
		h.Latency = f["latency"].Duration(0, timeout)
	}
	if f["weight"].There() {
		h.Weight = f["weight"].Number(0.000001, 1_000_000)
	}
	if _, twice := r.hosts[h.Name]; twice && h.Name != "" {
		f["name"].Fail("host %s is here twice", h.Name)
		return
	}
	for _, p := range f["phases"].Items(maxPhases) {
		h.Phases = append(h.Phases, r.phase(p, h.Phases))
	}
	r.hosts[h.Name] = len(r.plan.Hosts)
	r.plan.Hosts = append(r.plan.Hosts, h)
}

// phase reads how a host behaves after the phases before.
func (r *scenarioReader) phase(part config.Part, before []Phase) Phase {
	f := part.Fields("until", "for", "mode", "part", "retry_after", "turn")
	begins := time.Duration(0)
	if len(before) > 0 {
		begins = before[len(before)-1].Until
	}
	mode := f["mode"].Word(modeNames...)
	if !f["mode"].There() {
		part.Fail("a phase needs a mode: %v", modeNames)
	}
	p := Phase{Until: r.end(part, f, begins), Part: 1}
	for i, name := range modeNames {
		if name == mode {
			p.Mode = Mode(i)
		}
	}
	if mode != "" {
		r.modeOf(part, f, &p)
	}
	return p
}

// end reads when a phase ends.
func (r *scenarioReader) end(part config.Part, f map[string]config.Part, begins time.Duration) time.Duration {
	from, end := f["until"], time.Duration(0)
	switch {
	case f["until"].There() && f["for"].There():
		part.Fail("a phase has until or for, not both")
		return begins
	case f["until"].There():
		end = from.Duration(0, maxLength)
	case f["for"].There():
		from = f["for"]
		end = begins + from.Duration(0, maxLength)
	default:
		part.Fail("a phase needs its end: until, the moment of the run, or for, how long it lasts")
		return begins
	}
	switch {
	case end <= begins:
		from.Fail("the phase ends at %v, but the one before lasts until %v", end, begins)
	case end > r.plan.Length:
		from.Fail("the phase ends at %v, after the length of %v: what comes then must be healthy", end, r.plan.Length)
	}
	return end
}

// modeOf reads what a mode needs, and refuses what it does not know.
func (r *scenarioReader) modeOf(part config.Part, f map[string]config.Part, p *Phase) {
	takes := map[Mode][]string{Limiting: {"part", "retry_after"}, BrownOut: {"part"}, Flapping: {"turn"}, Slow: {"turn"}}[p.Mode]
	onlyThese(f, []string{"part", "retry_after", "turn"}, takes, "mode "+p.Mode.String())
	if f["part"].There() {
		p.Part = f["part"].Number(0, 1)
	}
	p.After = f["retry_after"].Duration(leastRetryAfter, maxLength)
	p.Turn = f["turn"].Duration(leastTurn, maxLength)
	switch {
	case p.Mode == Limiting && !f["retry_after"].There():
		part.Fail("mode limiting needs retry_after, the pause that the host asks for")
	case p.Mode == BrownOut && !f["part"].There():
		part.Fail("mode brownout needs part, the part of the calls that fail")
	case p.Mode == Flapping && !f["turn"].There():
		part.Fail("mode flapping needs turn: it is down and healthy by turns of so long")
	case p.Mode == Slow && !f["turn"].There():
		part.Fail("mode slow needs turn, the time that an answer takes")
	case p.Mode == Slow && p.Turn > timeout:
		f["turn"].Fail("turn is %v; a worker gives up after %v: want less, or mode down", p.Turn, timeout)
	}
}
