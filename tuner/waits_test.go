package tuner

import (
	"math"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/outage"
)

func resetTimeout(d time.Duration) *breaker.Policy {
	return policyWith(func(p *breaker.Policy) { p.ResetTimeout = d })
}

// outages is a memory of so many outages of a length, probed once a minute.
func outages(n int, length time.Duration) *Memory {
	m := NewMemory()
	for range n {
		m.Outage(length-time.Minute/2, length+time.Minute/2)
	}
	return m
}

func TestResetTimeoutBySquareRoot(t *testing.T) {
	quiet := seen(Counts{Successes: 1000})
	want(t, Advise(quiet, resetTimeout(time.Minute), NewMemory(), DefaultSettings()), FieldResetTimeout, "", "", 0)

	long := outages(20, 30*time.Minute)
	law := math.Floor(outage.ResetTimeout(long.outages, 10, 0).Seconds())
	if law < 170 || law > 210 { // the square root of 2·10·1800 is 190
		t.Fatalf("outages of half an hour make %v s", law)
	}
	want(t, Advise(quiet, resetTimeout(time.Minute), long, DefaultSettings()), FieldResetTimeout, "", RuleOutageLength, law)
	want(t, Advise(quiet, resetTimeout(10*time.Minute), long, DefaultSettings()), FieldResetTimeout, "", RuleOutageLength, law+1) // rounded towards 600
	want(t, Advise(quiet, resetTimeout(time.Duration(law+5)*time.Second), long, DefaultSettings()), FieldResetTimeout, "", "", 0)

	cheap, dear := DefaultSettings(), DefaultSettings()
	cheap.ProbePrice, dear.ProbePrice = 1, 100
	if c, d := only(t, Advise(quiet, resetTimeout(10*time.Minute), long, cheap), FieldResetTimeout, ""), only(t, Advise(quiet, resetTimeout(time.Minute), long, dear), FieldResetTimeout, ""); c.Proposed >= law/2 || d.Proposed <= 2*law {
		t.Errorf("a probe for 1 s: %v s, for 100 s: %v s", c.Proposed, d.Proposed)
	}
}

// One outage that was known only roughly says too little.
func TestOneRoughOutageIsNotSure(t *testing.T) {
	m := NewMemory()
	m.Outage(0, 3*time.Hour)
	want(t, Advise(seen(Counts{}), resetTimeout(90*time.Second), m, DefaultSettings()), FieldResetTimeout, "", "", 0)
}

// A host that was back each time it was probed first, as one whose opens were false,
// gives no case for a longer wait, whatever is assumed of hosts; one that was found
// down by probes does.
func TestLongerWaitsNeedFailedProbes(t *testing.T) {
	m := NewMemory()
	for range 5 {
		m.Outage(0, 15*time.Second)
	}
	want(t, Advise(seen(Counts{}), resetTimeout(15*time.Second), m, DefaultSettings()), FieldResetTimeout, "", "", 0)
	for i := range 3 {
		want(t, Advise(seen(Counts{}), resetTimeout(15*time.Second), m, DefaultSettings()), FieldResetTimeout, "", "", 0)
		m.Outage(20*time.Minute, 0)
		m.Outage(time.Duration(20+i)*time.Minute, 21*time.Minute+time.Duration(i)*time.Minute)
	}
	if a := only(t, Advise(seen(Counts{}), resetTimeout(15*time.Second), m, DefaultSettings()), FieldResetTimeout, ""); a.Rule != RuleOutageLength || a.Proposed <= 15 {
		t.Errorf("after three that went on: %+v", a)
	}
}

// With lengths that are not our own the wait settles, from above and from below, and
// does not run away.
func TestResetTimeoutIsNoRatchet(t *testing.T) {
	for _, start := range []time.Duration{15 * time.Second, time.Minute, 10 * time.Minute} {
		m, wait := NewMemory(), start
		for range 60 {
			const length = 5 * time.Minute
			probes := length / wait // those that fail
			m.Outage(probes*wait, (probes+1)*wait)
			if s := only(t, Advise(seen(Counts{}), resetTimeout(wait), m, DefaultSettings()), FieldResetTimeout, ""); s != nil {
				wait = time.Duration(s.Proposed) * time.Second
			}
		}
		if wait < 60*time.Second || wait > 110*time.Second { // the square root of 2·10·300 is 77
			t.Errorf("from %v it came to %v, want about 77 s", start, wait)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	asks := func(waits ...Wait) *HostMetrics {
		m := seen(Counts{Successes: 900, Unavailable: 50, Server: 50})
		m.RetryAfter = waits
		return m
	}
	many := asks(Wait{2 * time.Minute, 30}, Wait{time.Hour, 2}, Wait{0, 500}, Wait{-time.Hour, 9})
	want(t, Advise(many, resetTimeout(time.Minute), nil, DefaultSettings()), FieldResetTimeout, "", RuleRetryAfter, 120)
	want(t, Advise(many, resetTimeout(3*time.Minute), nil, DefaultSettings()), FieldResetTimeout, "", "", 0)
	want(t, Advise(asks(Wait{2 * time.Minute, 1}), resetTimeout(time.Minute), nil, DefaultSettings()), FieldResetTimeout, "", "", 0)
	want(t, Advise(asks(Wait{24 * time.Hour, 100}), resetTimeout(time.Minute), nil, DefaultSettings()), FieldResetTimeout, "", RuleRetryAfter, 600)
	capped := policyWith(func(p *breaker.Policy) { p.RetryAfterCap = 5 * time.Minute })
	want(t, Advise(asks(Wait{24 * time.Hour, 100}), capped, nil, DefaultSettings()), FieldResetTimeout, "", RuleRetryAfter, 300)

	// It is a floor for what the outages say.
	short := outages(20, time.Minute)
	want(t, Advise(many, resetTimeout(10*time.Minute), short, DefaultSettings()), FieldResetTimeout, "", RuleOutageLength, 120)
	want(t, Advise(many, resetTimeout(time.Minute), short, DefaultSettings()), FieldResetTimeout, "", RuleRetryAfter, 120)
	// A single word of the host neither raises it nor lets it go below.
	want(t, Advise(asks(Wait{10 * time.Minute, 1}), resetTimeout(2*time.Minute), short, DefaultSettings()), FieldResetTimeout, "", "", 0)
	long := outages(20, time.Hour)
	law := math.Floor(outage.ResetTimeout(long.outages, 10, 0).Seconds())
	want(t, Advise(asks(Wait{90 * time.Second, 30}), resetTimeout(time.Minute), long, DefaultSettings()), FieldResetTimeout, "", RuleOutageLength, law)
}

// Raised for a host's Retry-After, it comes back when there is none any more.
func TestResetTimeoutGoesHome(t *testing.T) {
	m := seen(Counts{Successes: 2000})
	want(t, Advise(m, resetTimeout(5*time.Minute), nil, DefaultSettings()), FieldResetTimeout, "", "", 0) // perhaps configured
	m.Home = resetTimeout(time.Minute)
	want(t, Advise(m, resetTimeout(5*time.Minute), nil, DefaultSettings()), FieldResetTimeout, "", RuleRetryAfter, 60)
	m.All.Limited = 100
	want(t, Advise(m, resetTimeout(5*time.Minute), nil, DefaultSettings()), FieldResetTimeout, "", "", 0)
}

func probing(threshold, trialCalls int) *breaker.Policy {
	return policyWith(func(p *breaker.Policy) { p.SuccessThreshold, p.TrialCalls = threshold, trialCalls })
}

func TestProbes(t *testing.T) {
	for name, tc := range map[string]struct {
		ok, failed            uint64
		threshold, trialCalls int
		wantThreshold, wantTC float64 // 0: no change
		rule                  Rule
	}{
		"none":                       {0, 0, 1, 5, 0, 0, ""},
		"three are too few":          {0, 3, 1, 5, 0, 0, ""},
		"four that failed":           {0, 4, 1, 5, 2, 1, RuleFailedProbes},
		"half of four is not sure":   {2, 2, 1, 5, 0, 0, ""},
		"most of many":               {10, 30, 1, 1, 2, 0, RuleFailedProbes},
		"careful already":            {0, 9, 2, 1, 0, 0, ""},
		"as careful as can be":       {0, 9, 3, 1, 0, 0, ""},
		"good again":                 {8, 0, 2, 1, 1, 0, RuleGoodProbes},
		"good, from an operator's 3": {8, 0, 3, 1, 2, 0, RuleGoodProbes},
		"good, nothing was changed":  {8, 0, 1, 1, 0, 0, ""},
		"between":                    {6, 3, 2, 1, 0, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := seen(Counts{ProbesOK: tc.ok, ProbesFailed: tc.failed, Successes: tc.ok, Server: tc.failed})
			a := Advise(m, probing(tc.threshold, tc.trialCalls), nil, DefaultSettings())
			for field, value := range map[string]float64{FieldSuccessThreshold: tc.wantThreshold, FieldTrialCalls: tc.wantTC} {
				rule := tc.rule
				if value == 0 {
					rule = ""
				}
				want(t, a, field, "", rule, value)
			}
		})
	}
}

// Where the configured value is known, trial_calls climbs back to it, and no further.
func TestTrialCallsGoHome(t *testing.T) {
	m := seen(Counts{ProbesOK: 20, Successes: 20})
	m.Home = probing(1, 3)
	want(t, Advise(m, probing(1, 1), nil, DefaultSettings()), FieldTrialCalls, "", RuleGoodProbes, 2)
	want(t, Advise(m, probing(1, 3), nil, DefaultSettings()), FieldTrialCalls, "", "", 0)
	m.Home = probing(3, 3)
	want(t, Advise(m, probing(3, 3), nil, DefaultSettings()), FieldSuccessThreshold, "", "", 0)
}

// Probes of an outage fail: that is no fault of closing too early. Opening again at once is.
func TestProbesOfAnOutage(t *testing.T) {
	m := seen(Counts{ProbesOK: 1, ProbesFailed: 9, Successes: 1, Server: 9})
	m.Opens = []Open{trueOpen(0, 9)}
	a := Advise(m, probing(1, 5), nil, DefaultSettings())
	want(t, a, FieldSuccessThreshold, "", "", 0)
	want(t, a, FieldTrialCalls, "", "", 0)
	noted(t, a, "9 probes failed while the host was down")

	// It has been down for so long that nobody knows when that began.
	m.Opens, m.Earlier = nil, []Open{{ProbesFailed: 9, LastFailed: time.Hour, FirstGood: time.Hour + time.Minute}}
	a = Advise(m, probing(1, 5), nil, DefaultSettings())
	want(t, a, FieldSuccessThreshold, "", "", 0)
	want(t, a, FieldTrialCalls, "", "", 0)
	noted(t, a, "9 probes failed while the host was down")

	// Six times it closed, and within its reset_timeout opened again.
	m = seen(Counts{ProbesOK: 6, ProbesFailed: 6, Successes: 6, Server: 30})
	for i := range 6 {
		m.Opens = append(m.Opens, trueOpen(2*i, 1))
	}
	a = Advise(m, probing(1, 5), nil, DefaultSettings())
	want(t, a, FieldSuccessThreshold, "", RuleFailedProbes, 2)
	want(t, a, FieldTrialCalls, "", RuleFailedProbes, 1)
}
