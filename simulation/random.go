package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"fleetfuse/config"
)

// Random is the default world of a seed: a fleet of some nodes, hosts that have
// outages, policies, operators, and a few faults, all drawn from the seed.
func Random(seed uint64) Plan {
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	p := Plan{
		Name: "default", Seed: seed, Nodes: 2 + r.IntN(4), Length: time.Duration(120+r.IntN(180)) * time.Second, Quiet: 3 * time.Minute,
		Network: Network{Least: 200 * time.Microsecond, Most: time.Duration(1+r.IntN(20)) * time.Millisecond},
	}
	if r.IntN(3) == 0 {
		p.Network.Loss, p.Network.Duplicate, p.Network.Slow = 0.05*r.Float64(), 0.05*r.Float64(), 0.02*r.Float64()
	}
	const calls = 20_000
	p.Rate = calls / (p.Length + p.Quiet).Seconds() / float64(p.Nodes) * 1.1
	for range p.Nodes {
		m := Machine{PPM: int64(r.IntN(201) - 100)}
		if r.IntN(3) == 0 {
			m.Ahead = time.Duration(r.IntN(7200)-3600) * time.Second
		}
		p.Machines = append(p.Machines, m)
	}
	for i := range 3 + r.IntN(6) {
		p.Hosts = append(p.Hosts, randomHost(r, i, p.Length))
	}
	p.Environ = randomEnviron(r)
	p.Policies = mustPolicies(p.Environ)
	for range r.IntN(6) {
		p.Faults = append(p.Faults, randomFault(r, &p))
	}
	slices.SortStableFunc(p.Faults, func(a, b Fault) int { return int(a.At - b.At) })
	for range r.IntN(6) {
		p.Words = append(p.Words, randomWord(r, &p))
	}
	p.more(seed)
	p.share(seed)
	return p
}

func randomHost(r *rand.Rand, i int, length time.Duration) Host {
	h := Host{
		Name: fmt.Sprintf("h%d.example.org", i), Latency: time.Duration(5+r.IntN(300)) * time.Millisecond, Weight: 0.5 + r.Float64(),
	}
	for at := time.Duration(0); at < length-90*time.Second; {
		p := Phase{Mode: Mode(r.IntN(int(Portal) + 1)), Part: 0.3 + 0.7*r.Float64()}
		p.After = time.Duration(2+r.IntN(40)) * time.Second
		p.Turn = time.Duration(1+r.IntN(10)) * time.Second
		if p.Mode == Slow {
			p.Turn = time.Duration(1+r.IntN(4)) * time.Second
		}
		at += time.Duration(10+r.IntN(60)) * time.Second
		p.Until = min(at, length-60*time.Second)
		h.Phases = append(h.Phases, p)
	}
	return h
}

// randomEnviron is policies that trip and probe within the length of a world.
func randomEnviron(r *rand.Rand) []string {
	text := fmt.Sprintf("fail_max:%d,reset:%d,trial_calls:%d,success_threshold:%d,permit_timeout:%d,witnesses:%d,retry_after_cap:%d",
		2+r.IntN(5), 2+r.IntN(18), 1+r.IntN(3), 1+r.IntN(2), 5+r.IntN(20), 1+r.IntN(3), 20+r.IntN(60))
	if r.IntN(3) == 0 {
		text += fmt.Sprintf(",rolling.enabled:true,rolling.window:%d,rolling.threshold_failures:%d,rolling.cooldown:%d", 5+r.IntN(20), 4+r.IntN(10), 2+r.IntN(20))
	}
	if r.IntN(3) == 0 {
		text += fmt.Sprintf(",failure_rate.enabled:true,failure_rate.ratio:0.%d,failure_rate.window:%d,failure_rate.min_calls:%d", 3+r.IntN(6), 5+r.IntN(30), 5+r.IntN(30))
	}
	if r.IntN(3) == 0 {
		text += ",backoff.multiplier:2,backoff.max:40,roles.metadata.fail_max:2"
	}
	environ := []string{"FLEETFUSE_BREAKER_DEFAULTS=" + text}
	if r.IntN(4) == 0 {
		environ = append(environ, "FLEETFUSE_BREAKERS=h1.example.org=mode:shadow")
	}
	return environ
}

// policiesOf loads policies from variables of the environment.
func policiesOf(environ []string) (*config.Breakers, error) {
	c, err := config.Load(config.Default(), nil, environ)
	return &c.Breakers, err
}

func mustPolicies(environ []string) *config.Breakers {
	b, err := policiesOf(environ)
	if err != nil {
		panic(fmt.Sprintf("the random policies %v: %v", environ, err)) // every seed of a campaign loads some
	}
	return b
}

func randomFault(r *rand.Rand, p *Plan) Fault {
	f := Fault{Kind: FaultKind(r.IntN(int(ClockSteps) + 1)), Node: r.IntN(p.Nodes), Part: 0.05 + 0.3*r.Float64()}
	f.Other = (f.Node + 1 + r.IntN(p.Nodes-1)) % p.Nodes
	f.At = time.Duration(r.Int64N(int64(p.Length * 3 / 4)))
	f.For = min(time.Duration(500+r.IntN(40_000))*time.Millisecond, p.Length-f.At)
	for i := range p.Nodes {
		if r.IntN(2) == 0 {
			f.Nodes = append(f.Nodes, i)
		}
	}
	f.Step = time.Duration(r.IntN(7200)-3600) * time.Second
	return f
}

func randomWord(r *rand.Rand, p *Plan) Word {
	x := Word{
		Kind: WordKind(r.IntN(3)), Node: r.IntN(p.Nodes), Host: r.IntN(len(p.Hosts)),
		At: time.Duration(r.Int64N(int64(p.Length * 3 / 4))), For: time.Duration(5+r.IntN(40)) * time.Second,
	}
	if x.Kind == Replace {
		x.Fields = []string{"fail_max:2", "fail_max:4,trial_calls:2", "reset:3", "roles.metadata.trial_calls:3", "mode:off"}[r.IntN(5)]
		if x.Fields != "mode:off" && r.IntN(2) == 0 {
			x.For = 0
		}
	}
	return x
}
