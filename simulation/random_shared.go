package simulation

import (
	"math/rand/v2"
	"slices"
	"time"
)

// share gives one world in four a shared store, with others who write there and
// faults of its own. Its draws come from a stream of their own: those of the rest
// of the world stay as they are.
func (p *Plan) share(seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0x5a7ed))
	if r.IntN(4) != 0 {
		return
	}
	p.withoutBootClocks()
	p.Shared = SharedStore{There: true, Least: 200 * time.Microsecond, Most: time.Duration(1+r.IntN(20)) * time.Millisecond}
	for range r.IntN(7) {
		p.Shared.Writes = append(p.Shared.Writes, randomWrite(r, p))
	}
	for range r.IntN(3) {
		p.contest(r)
	}
	p.trueClocks()
	slices.SortStableFunc(p.Shared.Writes, func(a, b Write) int { return int(a.At - b.At) })
	p.tellApart()
	for range r.IntN(5) {
		p.Faults = append(p.Faults, randomFaultOfPlace(r, p))
	}
	slices.SortStableFunc(p.Faults, func(a, b Fault) int { return int(a.At - b.At) })
}

// trueClocks sets the wall clocks, to the second, where other programs write: what
// they write is wall time, and means to each machine what its clock says.
func (p *Plan) trueClocks() {
	if !slices.ContainsFunc(p.Shared.Writes, func(x Write) bool { return x.Kind.byProgram() }) {
		return
	}
	for i := range p.Machines {
		p.Machines[i].Ahead /= 3600
	}
	p.Faults = slices.DeleteFunc(p.Faults, func(f Fault) bool { return f.Kind == ClockSteps || f.Kind == Suspend })
}

// tellApart keeps deadlines of other programs that are not the same some seconds
// apart: those less than a second apart count as one (docs/simulation.md).
func (p *Plan) tellApart() {
	const apart = 3 * time.Second
	for i := range p.Shared.Writes {
		x := &p.Shared.Writes[i]
		near := func(y Write) bool {
			d := (x.At + x.For - y.At - y.For).Abs()
			return y.Kind == ProgramDeadline && y.Host == x.Host && d > 0 && d < apart
		}
		for x.Kind == ProgramDeadline && slices.ContainsFunc(p.Shared.Writes[:i], near) {
			x.For += apart
		}
	}
}

// withoutBootClocks leaves clocks alone where machines start again: one that
// starts with a wrong clock takes deadlines that were read from the store, and
// none of which is living anywhere, for longer or shorter (docs/simulation.md).
func (p *Plan) withoutBootClocks() {
	starts := func(f Fault) bool { return f.Kind == Kill || f.Kind == PowerLoss || f.Kind == Wipe }
	if slices.ContainsFunc(p.Faults, starts) {
		p.Faults = slices.DeleteFunc(p.Faults, func(f Fault) bool { return f.Kind == ClockSteps })
	}
}

func randomWrite(r *rand.Rand, p *Plan) Write {
	return Write{
		Kind: WriteKind(r.IntN(len(writeNames))), Host: r.IntN(len(p.Hosts)), At: time.Duration(r.Int64N(int64(p.Length * 3 / 4))),
		For: time.Duration(5+r.IntN(60)) * time.Second, Copies: r.IntN(3) == 0, Hints: r.IntN(2) == 0,
	}
}

// contest has several write, or an operator close, one key within some seconds.
func (p *Plan) contest(r *rand.Rand) {
	first := randomWrite(r, p)
	first.Kind = ProgramDeadline
	for range 2 + r.IntN(3) {
		x := randomWrite(r, p)
		x.Host, x.At = first.Host, first.At+time.Duration(r.Int64N(int64(20*time.Second)))
		p.Shared.Writes = append(p.Shared.Writes, x)
	}
	switch r.IntN(5) {
	case 0:
		p.saidWhileOff(r, &first)
	case 1, 2:
		at := first.At + time.Duration(r.Int64N(int64(15*time.Second)))
		p.Words = append(p.Words, Word{At: at, Kind: Close, Node: r.IntN(p.Nodes), Host: first.Host})
		again := first
		again.At = at + time.Duration(r.Int64N(int64(15*time.Second)))
		if again.For = first.At + first.For - again.At; again.For > 0 { // it says the same deadline again
			p.Shared.Writes = append(p.Shared.Writes, again)
		}
	}
	p.Shared.Writes = append(p.Shared.Writes, first)
}

// saidWhileOffLasts is more than what saidWhileOff plans takes.
const saidWhileOffLasts = 45 * time.Second

// saidWhileOff has an operator end a deadline, and its program say it again while
// the whole fleet is off: who comes back must remember.
func (p *Plan) saidWhileOff(r *rand.Rand, first *Write) {
	first.At, first.For = min(first.At, p.Length-saidWhileOffLasts), 2*time.Minute
	at := first.At + time.Duration(1+r.IntN(10))*time.Second
	p.Words = append(p.Words, Word{At: at, Kind: Close, Node: r.IntN(p.Nodes), Host: first.Host})
	off := at + time.Duration(16+r.IntN(10))*time.Second
	again := *first
	again.At, again.For = off+2*time.Second, first.At+first.For-off-2*time.Second
	p.Shared.Writes = append(p.Shared.Writes, again)
	for i := range p.Nodes {
		p.Faults = append(p.Faults, Fault{Kind: Kill, Node: i, At: off + time.Duration(r.IntN(500))*time.Millisecond, For: 4 * time.Second})
	}
}

func randomFaultOfPlace(r *rand.Rand, p *Plan) Fault {
	f := Fault{Kind: StoreFails + FaultKind(r.IntN(int(StoreEmptied-StoreFails)+1)), Part: 0.2 + 0.7*r.Float64(), Step: time.Duration(1+r.IntN(20)) * time.Second}
	f.At = time.Duration(r.Int64N(int64(p.Length * 3 / 4)))
	f.For = min(time.Duration(500+r.IntN(60_000))*time.Millisecond, p.Length-f.At)
	f.Nodes = r.Perm(p.Nodes)[:1+r.IntN(p.Nodes)]
	slices.Sort(f.Nodes)
	return f
}
