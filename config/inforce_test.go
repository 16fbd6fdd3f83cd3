package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
)

const overlaidKey = breaker.Key("host:api.example.org")

// stage is policies in force, with what is known of one key.
type stage struct {
	t       *testing.T
	inForce *InForce
	known   breaker.Snapshot
	mo      breaker.Moment
}

func newStage(t *testing.T, defaults string) *stage {
	t.Helper()
	environ := []string{}
	if defaults != "" {
		environ = append(environ, "FLEETFUSE_BREAKER_DEFAULTS="+defaults)
	}
	c, err := Load(Default(), nil, environ)
	if err != nil {
		t.Fatal(err)
	}
	return &stage{t: t, inForce: NewInForce(&c.Breakers), mo: breaker.Moment{Now: breaker.Instant(time.Hour), Stamp: 1}}
}

// pass lets time pass and ends what is due.
func (s *stage) pass(d time.Duration) {
	s.mo.Now = s.mo.Now.Add(d)
	s.inForce.Expire(s.mo.Now)
}

// amend makes an amendment and takes its result.
func (s *stage) amend(set string, length time.Duration, unset ...string) error {
	s.t.Helper()
	s.mo.Stamp++
	o, err := s.inForce.Amend(overlaidKey, s.known, Amendment{
		Register: breaker.RegisterOperator, Set: overlayOf(s.t, set), Unset: unset, Length: length,
	}, s.mo)
	if err == nil {
		s.lay(o)
	}
	return err
}

func (s *stage) lay(o breaker.Overlay) {
	s.t.Helper()
	s.known.Merge(breaker.Snapshot{Overlays: []breaker.Overlay{o}})
	_ = s.inForce.Set(overlaidKey, s.known.Overlays, s.mo.Now)
}

func (s *stage) policy() *breaker.Policy { return s.inForce.Of(overlaidKey) }

// TestTemporaryFieldsEnd: what is set for a while ends, the rest stays, and the
// policy is another pointer then.
func TestTemporaryFieldsEnd(t *testing.T) {
	s := newStage(t, "")
	for _, err := range []error{s.amend("fail_max:2", 0), s.amend("mode:off", time.Minute)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if p := s.policy(); p.FailMax != 2 || p.Mode != breaker.ModeOff {
		t.Errorf("now it is %d, %s", p.FailMax, p.Mode)
	}
	before := s.policy()
	s.pass(59 * time.Second)
	if s.policy() != before {
		t.Error("the policy is another pointer although nothing changed")
	}
	s.pass(time.Second)
	if p := s.policy(); p.FailMax != 2 || p.Mode != breaker.ModeEnforce || p == before {
		t.Errorf("after a minute it is %d, %s", p.FailMax, p.Mode)
	}
}

// TestNothingBreaksWhenTemporaryFieldsEnd: a change that fits now and would not
// when the temporary fields end is refused, by a change as by a configuration.
func TestNothingBreaksWhenTemporaryFieldsEnd(t *testing.T) {
	s := newStage(t, "")
	for _, err := range []error{s.amend("fail_max:2,mode:off", 0), s.amend("classify.neutral_statuses:401,403", time.Minute)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.amend("classify.failure_statuses:404,500", 0); err == nil || !strings.Contains(err.Error(), "when the temporary fields end") {
		t.Errorf("404 is neutral again in a minute: %v", err)
	}
	next, err := Load(Default(), nil, []string{"FLEETFUSE_BREAKER_DEFAULTS=classify.failure_statuses:401,500,classify.neutral_statuses:404"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.inForce.Under(&next.Breakers, s.mo.Now); err == nil || !strings.Contains(err.Error(), string(overlaidKey)) {
		t.Errorf("a configuration where 401 fails, while it is neutral for a minute: %v", err)
	}
	s.pass(time.Minute)
	if p := s.policy(); p.FailMax != 2 || len(s.inForce.Invalid()) > 0 {
		t.Errorf("after a minute fail_max is %d, invalid %v", p.FailMax, s.inForce.Invalid())
	}
}

// TestFieldsOfALaterVersion: they are not obeyed, and can be reset; in the other
// register they are left alone.
func TestFieldsOfALaterVersion(t *testing.T) {
	s := newStage(t, "fail_max:7")
	s.mo.Stamp++
	s.lay(breaker.Overlay{Register: breaker.RegisterOperator, Stamp: s.mo.Stamp, Fields: "field_of_v2:3,fail_max:2"})
	if p := s.policy(); p.FailMax != 7 || !slices.Equal(s.inForce.Invalid(), []breaker.Key{overlaidKey}) {
		t.Errorf("fail_max is %d, invalid %v; want what is configured", p.FailMax, s.inForce.Invalid())
	}
	if err := s.amend("fail_max:3", 0); err == nil || !strings.Contains(err.Error(), "reset it first") {
		t.Errorf("a change beside it: %v", err)
	}
	s.mo.Stamp++
	reset, err := s.inForce.Amend(overlaidKey, s.known, Amendment{Register: breaker.RegisterOperator, Whole: true}, s.mo)
	if err != nil || reset.Fields != "" || reset.Base != s.mo.Stamp-2 {
		t.Fatalf("a reset: %+v, %v", reset, err)
	}
	s.lay(reset)
	s.mo.Stamp++
	s.lay(breaker.Overlay{Register: breaker.RegisterTuner, Stamp: s.mo.Stamp, Fields: "field_of_v2:3"})
	if err := s.amend("fail_max:3", 0); err != nil {
		t.Errorf("a change while the tuner's is unknown here: %v", err)
	}
}

// TestResetOfNothing makes no version.
func TestResetOfNothing(t *testing.T) {
	s := newStage(t, "")
	reset := func() breaker.Overlay {
		t.Helper()
		s.mo.Stamp++
		o, err := s.inForce.Amend(overlaidKey, s.known, Amendment{Register: breaker.RegisterOperator, Whole: true}, s.mo)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	if o := reset(); o.Stamp != 0 {
		t.Errorf("it made %+v", o)
	}
	if err := s.amend("mode:off", time.Minute); err != nil {
		t.Fatal(err)
	}
	version := s.known.Overlay(breaker.RegisterOperator).Stamp
	s.pass(time.Minute)
	if o := reset(); o.Stamp != version {
		t.Errorf("after its end it made %+v", o)
	}
}

// TestOverlaidIsBounded: resets do not count, and who has an overlay may change
// it.
func TestOverlaidIsBounded(t *testing.T) {
	s := newStage(t, "")
	for i := range maxOverlaid {
		o := breaker.Overlay{Register: breaker.RegisterOperator, Stamp: 2, Fields: "fail_max:3"}
		if i == 0 {
			o.Fields = ""
		}
		_ = s.inForce.Set(breaker.HostKey(fmt.Sprint("h", i)), []breaker.Overlay{o}, s.mo.Now)
	}
	if err := s.amend("fail_max:3", 0); err != nil {
		t.Errorf("with one place left: %v", err)
	}
	if err := s.amend("fail_max:4", 0); err != nil {
		t.Errorf("who has one: %v", err)
	}
	if _, err := s.inForce.Amend("host:other", breaker.Snapshot{}, Amendment{Set: overlayOf(t, "fail_max:3")}, s.mo); err == nil {
		t.Error("one more than the limit was taken")
	}
}

// TestFollow: what changed while a configuration was read is checked too.
func TestFollow(t *testing.T) {
	s := newStage(t, "")
	if err := s.amend("fail_max:2", 0); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Default(), nil, []string{"FLEETFUSE_BREAKER_DEFAULTS=classify.neutral_statuses:418"})
	if err != nil {
		t.Fatal(err)
	}
	next, err := s.inForce.Clone().Under(&c.Breakers, s.mo.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.amend("classify.failure_statuses:418", 0); err != nil {
		t.Fatal(err)
	}
	if err := next.Follow(s.inForce, s.mo.Now); err == nil || !strings.Contains(err.Error(), "418") {
		t.Errorf("an overlay that came meanwhile does not fit: %v", err)
	}
	if p := s.policy(); p.FailMax != 2 || len(s.inForce.Invalid()) > 0 {
		t.Error("what was in force changed")
	}
}
