package tuner

import (
	"testing"
	"time"

	"fleetfuse/breaker"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// trueOpen is one whose first probes failed; falseOpen one whose first was good.
func trueOpen(minute, failed int) Open {
	last := time.Duration(failed) * time.Minute
	return Open{
		Reason: string(breaker.ReasonConsecutive), Status: 503, Began: noon.Add(time.Duration(minute) * time.Minute),
		Lasted: last + time.Minute, Ended: true, Recovered: true, ProbesFailed: failed, LastFailed: last, FirstGood: last + time.Minute,
	}
}

func falseOpen(minute int) Open {
	return Open{
		Reason: string(breaker.ReasonConsecutive), Status: 503, Began: noon.Add(time.Duration(minute) * time.Minute),
		Lasted: time.Minute, Ended: true, Recovered: true, FirstGood: time.Minute,
	}
}

func failMax(k int) *breaker.Policy { return policyWith(func(p *breaker.Policy) { p.FailMax = k }) }

// knows is a memory of a host of which a share fails when it is up.
func knows(fails float64) *Memory {
	m, h := NewMemory(), newHost(11)
	h.fails, h.n = fails, 50
	remember(m, h, 0, 400)
	return m
}

func TestFailMax(t *testing.T) {
	four := []Open{falseOpen(0), falseOpen(2), falseOpen(4), falseOpen(6)}
	down := []Open{trueOpen(0, 2), trueOpen(4, 1), trueOpen(7, 1)}
	long := []Open{trueOpen(0, 3), trueOpen(4, 2), trueOpen(7, 3)}
	for name, tc := range map[string]struct {
		current int
		usual   float64
		opens   []Open
		rule    Rule
		want    float64
	}{
		"no opens":                                            {5, 0.01, nil, "", 0},
		"two opens":                                           {9, 0.01, down[:2], "", 0},
		"true, and higher than needed":                        {9, 0.01, down, RuleLateTrips, 4},
		"true, and as low as can be":                          {4, 0.01, down, "", 0},
		"false, of a host that errs":                          {3, 0.2, four, RuleFalseTrips, 10},
		"true, of a host that errs":                           {3, 0.2, long, "", 0}, // 3 is too low already; but they were true
		"errors that do not explain it":                       {5, 0.001, four, RuleLateTrips, 3},
		"one failed probe of one that errs a lot is no proof": {3, 0.3, []Open{trueOpen(0, 1), trueOpen(4, 1), falseOpen(7), falseOpen(9)}, RuleFalseTrips, 10},
	} {
		t.Run(name, func(t *testing.T) {
			m := seen(Counts{Successes: 3000, Server: 60})
			m.Opens = tc.opens
			want(t, Advise(m, failMax(tc.current), knows(tc.usual), DefaultSettings()), FieldFailMax, "", tc.rule, tc.want)
		})
	}
}

// Failures that come in bursts open without an outage more often than single ones would:
// that they do not explain it proves no outage.
func TestBurstsAreNoOutages(t *testing.T) {
	memory := NewMemory()
	for at := range int64(400) {
		b := Bucket{At: at, Judged: 50}
		if at%10 == 0 {
			b.Failures = 8
		}
		memory.Observe(b)
	}
	m := seen(Counts{Successes: 3000, Server: 50})
	m.Opens = []Open{falseOpen(0), falseOpen(2), falseOpen(4), falseOpen(6)}
	a := Advise(m, failMax(5), memory, DefaultSettings())
	want(t, a, FieldFailMax, "", "", 0)
	noted(t, a, "4 cannot be told true or false")
}

// A host that errs in one call of five opens often. The seed rule ("several opens: 3")
// would make it open more often; ours leaves, from wherever it starts, the low numbers.
func TestFailMaxIsNoFeedback(t *testing.T) {
	m := seen(Counts{Successes: 3000, Server: 750})
	m.Opens = []Open{falseOpen(0), falseOpen(2), falseOpen(4), falseOpen(6)}
	memory := knows(0.2)
	for k := 2; k <= 10; k++ {
		a := Advise(m, failMax(k), memory, DefaultSettings())
		if s := only(t, a, FieldFailMax, ""); s != nil && s.Proposed < s.Current && k < 8 {
			t.Errorf("%d is lowered: %s", k, s.Why)
		}
	}
	noted(t, Advise(m, failMax(3), memory, DefaultSettings()), "failure_rate is the better rule")
}

func TestFalseTripsThatAreAllowed(t *testing.T) {
	m := seen(Counts{Successes: 12000, Server: 3000})
	m.Opens = []Open{falseOpen(0), falseOpen(2), falseOpen(4), falseOpen(6)}
	s := DefaultSettings()
	s.FalseTripEvery = time.Minute
	a := Advise(m, failMax(5), knows(0.2), s)
	want(t, a, FieldFailMax, "", "", 0)
	noted(t, a, "no more of them come than one in 60 s, as is allowed")
}

func TestFailMaxNeedsMoreThanOneNode(t *testing.T) {
	m := seen(Counts{Successes: 3000, Server: 60})
	m.Opens = []Open{trueOpen(0, 2), trueOpen(4, 1), trueOpen(7, 1)}
	m.Nodes = []string{"n1"}
	a := Advise(m, failMax(9), knows(0.01), DefaultSettings())
	want(t, a, FieldFailMax, "", "", 0)
	noted(t, a, "1 node(s) called it")
	m.Members = 1
	want(t, Advise(m, failMax(9), knows(0.01), DefaultSettings()), FieldFailMax, "", RuleLateTrips, 4)
}

func TestOpensThatFailMaxDidNotDecide(t *testing.T) {
	m := seen(Counts{Successes: 3000, Limited: 300})
	for i, minute := range []int{0, 2, 4} {
		m.Opens = append(m.Opens, falseOpen(minute), falseOpen(minute+1))
		m.Opens[2*i].Status = 429
		m.Opens[2*i+1].Reason = string(breaker.ReasonRolling)
	}
	a := Advise(m, failMax(9), knows(0.01), DefaultSettings())
	want(t, a, FieldFailMax, "", "", 0)
	noted(t, a, "3 opens were for 429s")
	noted(t, a, "3 opens were not by failures in a row")

	for i := range m.Opens {
		m.Opens[i].Status, m.Opens[i].Reason = 0, string(breaker.ReasonConsecutive)
	}
	noted(t, Advise(m, failMax(9), knows(0.01), DefaultSettings()), "6 opens were for 429s")
}

func TestFailMaxWithoutMemory(t *testing.T) {
	m := seen(Counts{Successes: 3000})
	m.Opens = []Open{trueOpen(0, 2), trueOpen(4, 1), trueOpen(7, 1)}
	for _, memory := range []*Memory{nil, NewMemory()} {
		a := Advise(m, failMax(9), memory, DefaultSettings())
		want(t, a, FieldFailMax, "", "", 0)
		noted(t, a, "is not known")
	}
}

func TestFailMaxOfARole(t *testing.T) {
	m := seen(Counts{Successes: 6000})
	m.Roles = []RoleMetrics{{Role: "artifact", Counts: Counts{Successes: 3000}}, {Role: "metadata", Counts: Counts{Successes: 3000}}}
	m.Opens = []Open{trueOpen(0, 2), trueOpen(4, 1), trueOpen(7, 1)}
	for i := range m.Opens {
		m.Opens[i].Role = "artifact"
	}
	p := policyWith(func(p *breaker.Policy) { p.Roles = map[string]breaker.RolePolicy{"artifact": {FailMax: 9}} })
	a := Advise(m, p, knows(0.01), DefaultSettings())
	want(t, a, FieldFailMax, "artifact", RuleLateTrips, 4)
	want(t, a, FieldFailMax, "", "", 0)
}

// An operator may go where the tuner does not; it leaves that alone and says so.
func TestBeyondTheBounds(t *testing.T) {
	m := seen(Counts{Successes: 3000, Limited: 600, ProbesFailed: 9})
	m.Opens = []Open{trueOpen(0, 2), trueOpen(4, 1), trueOpen(7, 1)}
	m.RetryAfter = []Wait{{Length: 5 * time.Minute, Count: 50}}
	p := policyWith(func(p *breaker.Policy) { p.FailMax, p.ResetTimeout, p.TrialCalls = 50, 5*time.Second, 500 })
	a := Advise(m, p, knows(0.01), DefaultSettings())
	want(t, a, FieldFailMax, "", "", 0)
	want(t, a, FieldResetTimeout, "", "", 0)
	want(t, a, FieldTrialCalls, "", "", 0)
	noted(t, a, "fail_max is 50, beyond 2 to 10")
	noted(t, a, "reset_timeout is 5, beyond 15 to 600")
}
