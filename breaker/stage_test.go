package breaker_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// outcome plays fail, succeed and neutral. What a status means is the
// policy's business; the verb must agree with it.
func (s *stage) outcome(verb string, words []string) error {
	o := breaker.Outcome{Node: "n1"}
	o.Status = map[string]int{"fail": 503, "succeed": 200, "neutral": 404}[verb]
	var latency, age time.Duration
	times, cached := 1, false
	for _, w := range words {
		key, value, pair := strings.Cut(w, "=")
		var err error
		switch {
		case key == "node" && pair:
			o.Node = value
		case key == "role" && pair:
			o.Role = value
		case key == "latency" && pair:
			latency, err = time.ParseDuration(value)
		case key == "age" && pair:
			age, err = time.ParseDuration(value)
		case key == "count" && pair:
			o.Count, err = strconv.Atoi(value)
		case key == "permit" && pair:
			o.Permit, err = s.permit(value)
		case w == "cached":
			cached = true
		case strings.HasPrefix(w, "x"):
			times, err = strconv.Atoi(w[1:])
		default:
			if o.Status, err = strconv.Atoi(w); err != nil {
				o.Status, o.Error, err = 0, w, nil
			}
		}
		if err != nil {
			return err
		}
	}
	m := s.machine()
	o.Kind, o.Slow, o.Strict = m.Policy().ClassifyCall(o.Evidence, latency, cached)
	if want := map[string]breaker.Kind{"fail": breaker.Failure, "succeed": breaker.Success, "neutral": breaker.Neutral}[verb]; o.Kind != want {
		return fmt.Errorf("the policy calls it a %v", o.Kind)
	}
	for i := range times {
		if i > 0 {
			s.wait(time.Millisecond)
		}
		o.Ended = s.now.Add(-age)
		o.Began = o.Ended.Add(-latency)
		s.carryOut(m.Report(s.moment(), o))
	}
	s.sayState()
	return nil
}

// permit is the permit called P1, P2, ...; any other name is a forgery.
func (s *stage) permit(name string) (breaker.PermitID, error) {
	if name == "forged" {
		return 12345, nil
	}
	n, err := strconv.Atoi(strings.TrimPrefix(name, "P"))
	if err != nil || n < 1 || n > len(s.permits) {
		return 0, fmt.Errorf("no permit %q", name)
	}
	return s.permits[n-1], nil
}

func (s *stage) retryAfter(words []string) error {
	d, err := time.ParseDuration(words[0])
	if err != nil {
		return err
	}
	mo := s.moment()
	c := breaker.Cooldown{
		Setter: "n1", Stamp: mo.Stamp, Until: mo.Now.Add(d), Length: d, Reason: breaker.ReasonRetryAfter,
	}
	for _, w := range words[1:] {
		if node, ok := strings.CutPrefix(w, "node="); ok {
			c.Setter = node
		}
	}
	s.carryOut(s.machine().Cool(mo, c))
	s.sayState()
	return nil
}

func (s *stage) ask(words []string) error {
	q := breaker.Question{ID: s.steps + 1, Node: "n1"}
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "node":
			q.Node = value
		case "role":
			q.Role = value
		case "again":
			id, err := s.permit(value)
			if err != nil {
				return err
			}
			q = s.question[id]
		default:
			return fmt.Errorf("what is %q", w)
		}
	}
	a, e := s.machine().Ask(s.moment(), q)
	s.carryOut(e)
	switch {
	case a.State == breaker.Closed:
		s.say("closed: go ahead")
	case a.Permit != 0:
		s.question[a.Permit] = q
		s.say("permit %s for %v%s", s.nameOf(a.Permit), a.Expires.Sub(s.now), delay(a.Delay))
	default:
		s.say("refused (%s), %s, ask again in %v", a.State, a.Reason, a.RetryIn)
	}
	return nil
}

func delay(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf(" after a pause of %v", d.Round(time.Millisecond))
}

// nameOf names a permit in order of issue.
func (s *stage) nameOf(id breaker.PermitID) string {
	for i, p := range s.permits {
		if p == id {
			return fmt.Sprintf("P%d", i+1)
		}
	}
	s.permits = append(s.permits, id)
	return fmt.Sprintf("P%d", len(s.permits))
}

// operator plays: open 10m by alice "reason", close by alice "reason".
func (s *stage) operator(verb, line string) error {
	command, reason, _ := strings.Cut(line, `"`)
	reason = strings.TrimSuffix(reason, `"`)
	words := strings.Fields(command)
	author := ""
	for i, w := range words {
		if w == "by" && i+1 < len(words) {
			author = words[i+1]
		}
	}
	if verb == "close" {
		s.carryOut(s.machine().Close(s.moment(), author, reason))
		s.sayState()
		return nil
	}
	d, err := time.ParseDuration(words[1])
	if err != nil {
		return err
	}
	s.carryOut(s.machine().OpenUntil(s.moment(), "n1", d, author, reason))
	s.sayState()
	return nil
}

// witness plays what members answer to the round in progress.
func (s *stage) witness(words []string) error {
	if s.round == nil {
		return fmt.Errorf("no round was asked for")
	}
	text := strings.Join(words, " ")
	if text == "round ends" {
		s.carryOut(s.machine().EndRound(s.moment(), s.round.Round))
		s.sayState()
		return nil
	}
	a := breaker.WitnessAnswer{Round: s.round.Round, Node: words[0]}
	switch {
	case len(words) == 4 && words[1] == "success":
		d, err := time.ParseDuration(words[2])
		if err != nil {
			return err
		}
		a.Success = s.now.Add(-d)
	case len(words) == 3 && words[2] == "successes":
		n, err := strconv.Atoi(words[1])
		if err != nil {
			return err
		}
		a.Successes = n
	case len(words) != 2 || words[1] != "nothing":
		return fmt.Errorf("want: n2 success 50ms ago, n2 40 successes, n2 nothing or round ends")
	}
	s.carryOut(s.machine().Witness(s.moment(), a))
	s.sayState()
	return nil
}

func (s *stage) changeOwner(words []string) error {
	s.owner = words[0]
	if len(words) == 3 && words[1] == "hears" {
		other := s.machines[words[2]]
		if other == nil {
			return fmt.Errorf("no owner %s", words[2])
		}
		s.carryOut(s.machine().Adopt(s.moment(), other.Snapshot()))
	}
	s.sayState()
	return nil
}
