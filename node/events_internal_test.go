package node

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/telemetry"
)

// written are the events of a chronicle, as "kind to: detail".
func written(t *testing.T, c *chronicle) (list []string) {
	t.Helper()
	p, err := c.read(t.Context(), api.EventQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range p.Events {
		if e.Owner != "n1" || e.Time.IsZero() {
			t.Errorf("written by %q at %v", e.Owner, e.Time)
		}
		list = append(list, fmt.Sprintf("%s %s: %s", e.Kind, e.To, e.Detail))
	}
	return list
}

func TestChronicle(t *testing.T) {
	c := newChronicle(t, "")
	key := breaker.HostKey("a.example.org")
	a := c.asked(key)
	c.announced(key, a)
	c.announced(key, a) // another owner's word, or the same after a restart
	old := c.asked(key)
	old.Transitions[0].Stamp = breaker.StampAt(old.Transitions[0].Stamp.Wall().Add(2 * takenOver))
	old.Snapshot.Cooldowns[0].Setter = "id2"
	c.announced(key, old) // taken over long after
	c.probed(key, breaker.Outcome{Node: "id1", Kind: breaker.Failure, Evidence: breaker.Evidence{Status: 500}})
	c.probed(key, breaker.Outcome{Node: "id1", Kind: breaker.Neutral, Strict: true})
	c.probed(key, breaker.Outcome{Node: "id1", Kind: breaker.Neutral})
	now := c.clock.Now()
	mo := c.clock.Moment(1)
	for _, o := range []breaker.Overlay{
		{Register: breaker.RegisterOperator, Stamp: 1, Fields: "fail_max:2", Author: "alice", Reason: "why"}, {Stamp: 2},
		{Register: breaker.RegisterOperator, Stamp: 4, Author: "alice", Reason: "rollback to version 0"},
		{Stamp: 3, Temporary: "mode:off", Until: now.Add(time.Minute), Length: time.Minute},
	} {
		c.laid(key, o)
	}
	c.expired(key, breaker.Snapshot{Overlays: []breaker.Overlay{
		breaker.NewOverlay(mo, breaker.RegisterOperator, 0, "", "mode:off", now, time.Minute), {Stamp: 9, Fields: "fail_max:2"},
	}})
	c.member("n2", 3, "", "alive")
	c.member("n2", 3, "", "alive")
	c.member("n2", 4, "alive", "lost")
	want := []string{
		"cooldown open: Retry-After: 60", "probe failure: ", "probe failure: ", "probe neutral: ",
		"policy operator replaced: why (fail_max:2)", "policy tuner reset: ", "policy operator reset: rollback to version 0", "policy tuner replaced: for 1m0s: mode:off",
		"policy operator expired: mode:off", "member alive: ", "member lost: ",
	}
	if got := written(t, c); !slices.Equal(got, want) {
		t.Errorf("written is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A member is answered with as much as fits, and told that there is more.
func TestAnAnswerToAMemberIsBounded(t *testing.T) {
	c := newChronicle(t, "")
	const many = 10_000
	long := strings.Repeat("x", breaker.MaxDetailBytes)
	for i := range many {
		c.add(telemetry.Event{
			Kind: telemetry.KindTransition, Key: breaker.HostKey(fmt.Sprintf("h%d.example.org", i)), To: "open", Stamp: breaker.Stamp(i + 1), Detail: long, Author: long, Node: long,
			Evidence: telemetry.Evidence{RetryAfter: long},
		})
	}
	var through uint64
	read := 0
	for {
		body, err := c.readSome(t.Context(), api.EventQuery{After: through, Limit: many})
		var p api.EventPage
		if err != nil || json.Unmarshal(body, &p) != nil || len(body) > maxObserved || len(p.Events) == 0 {
			t.Fatalf("%d bytes, %d events, %v", len(body), len(p.Events), err)
		}
		read, through = read+len(p.Events), p.Through
		if !p.More {
			break
		}
	}
	body, err := c.readSome(t.Context(), api.EventQuery{Newest: true, Limit: many})
	var p api.EventPage
	if err != nil || json.Unmarshal(body, &p) != nil || !p.More || p.Events[len(p.Events)-1].Seq != c.log.Last() {
		t.Errorf("the newest are not at the end, or more is %v, %v", p.More, err)
	}
	if read != many {
		t.Errorf("%d of %d were read", read, many)
	}
}

// A part that fails is told when that begins and when it ends; what failed before
// there was anybody to tell, then.
func TestStanding(t *testing.T) {
	var s standing
	var told []string
	s.tell("store", true, "full")
	s.begin(func(part string, works bool, why string) { told = append(told, fmt.Sprint(part, " ", works, " ", why)) })
	s.tell("store", true, "full still")
	s.tell("clock", false, "")
	s.tell("store", false, "")
	look := func(failed ...string) {
		s.look(func() (map[string]string, func(string) string) {
			found := map[string]string{}
			for _, part := range failed {
				found[part] = "x"
			}
			return found, func(part string) string { return endOf(part, nil) }
		})
	}
	look(partActor + "n2")
	look(partActor+"n2", partConfig)
	look()
	want := []string{
		"store false full", "store true ", partActor + "n2 false x", partConfig + " false x", partActor + "n2 true it is no member any more", partConfig + " true ",
	}
	slices.Sort(told[4:])
	slices.Sort(want[4:])
	if !slices.Equal(told, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
}
