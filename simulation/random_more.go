package simulation

import (
	"math/rand/v2"
	"slices"
	"time"
)

// more adds to a random plan what its parts alone seldom make together.
func (p *Plan) more(seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0x3e))
	switch r.IntN(6) {
	case 0:
		p.zone(r)
	case 1:
		p.bootClocks(r)
	case 2:
		p.quietForLong(r)
	case 3:
		p.twoOperators(r)
	case 4:
		p.blackout(r)
	}
	byTime := func(a, b Fault) int { return int(a.At - b.At) }
	slices.SortStableFunc(p.Faults, byTime)
}

// someNodes are at least one node and not all.
func (p *Plan) someNodes(r *rand.Rand) []int {
	nodes := r.Perm(p.Nodes)[:1+r.IntN(p.Nodes-1)]
	slices.Sort(nodes)
	return nodes
}

// zone cuts some nodes off from the others and from all hosts, as a zone whose
// uplink fails is. Some hosts are well all the time: nothing may open them for
// the others.
func (p *Plan) zone(r *rand.Rand) {
	f := Fault{Kind: Split, Nodes: p.someNodes(r), At: time.Duration(20+r.IntN(60)) * time.Second, For: time.Duration(5+r.IntN(35)) * time.Second}
	p.Faults = append(p.Faults, f)
	for _, i := range f.Nodes {
		p.Faults = append(p.Faults, Fault{Kind: Sick, Node: i, At: f.At, For: f.For})
	}
	for i := range p.Hosts {
		if r.IntN(2) == 0 {
			p.Hosts[i].Phases = nil
		}
	}
}

// bootClocks gives machines that start again a clock that is wrong until it was
// set, as one without a battery has.
func (p *Plan) bootClocks(r *rand.Rand) {
	if !slices.ContainsFunc(p.Faults, func(f Fault) bool { return f.Kind == Kill }) {
		kill := Fault{Kind: Kill, Node: r.IntN(p.Nodes), At: time.Duration(20+r.IntN(90)) * time.Second, For: time.Duration(2+r.IntN(20)) * time.Second}
		p.Faults = append(p.Faults, kill)
	}
	for _, f := range slices.Clone(p.Faults) {
		if f.Kind != Kill && f.Kind != PowerLoss {
			continue
		}
		wrong := time.Duration(r.IntN(7200)-3600) * time.Second
		p.Faults = append(p.Faults,
			Fault{Kind: ClockSteps, Node: f.Node, At: f.At + f.For/2, Step: wrong},
			Fault{Kind: ClockSteps, Node: f.Node, At: f.At + f.For + time.Duration(1+r.IntN(10))*time.Second, Step: -wrong})
	}
}

// blackout stops the whole fleet: what is known afterwards was on disks.
func (p *Plan) blackout(r *rand.Rand) {
	at := time.Duration(20+r.IntN(90)) * time.Second
	for i := range p.Nodes {
		p.Faults = append(p.Faults, Fault{
			Kind: []FaultKind{Kill, PowerLoss}[r.IntN(2)], Node: i,
			At: at + time.Duration(r.IntN(500))*time.Millisecond, For: time.Duration(1+r.IntN(8)) * time.Second,
		})
	}
}

// quietForLong lets the world go on until what nobody asks for is forgotten.
func (p *Plan) quietForLong(r *rand.Rand) {
	before := p.Length + p.Quiet
	p.Quiet = time.Duration(12+r.IntN(6)) * time.Minute
	p.Rate *= before.Seconds() / (p.Length + p.Quiet).Seconds()
}

// twoOperators say things about one host to both sides of a split.
func (p *Plan) twoOperators(r *rand.Rand) {
	f := Fault{Kind: Split, Nodes: p.someNodes(r), At: time.Duration(20+r.IntN(60)) * time.Second, For: time.Duration(10+r.IntN(30)) * time.Second}
	p.Faults = append(p.Faults, f)
	host := r.IntN(len(p.Hosts))
	for range 2 + r.IntN(4) {
		x := randomWord(r, p)
		x.Host, x.At = host, f.At+time.Duration(r.Int64N(int64(f.For+5*time.Second)))
		p.Words = append(p.Words, x)
	}
}
