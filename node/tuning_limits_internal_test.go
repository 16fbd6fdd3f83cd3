package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/httpapi"
	"fleetfuse/telemetry/follow"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner"
	"fleetfuse/tuner/planner"
)

// An hour of very many hosts fits into an answer: the latest buckets are told.
func TestBucketsFitIntoAnAnswer(t *testing.T) {
	var list []rollup.BucketCounts
	const buckets = 110
	for at := range buckets {
		for h := range 2000 {
			c := rollup.BucketCounts{Key: breaker.HostKey(fmt.Sprintf("a-long-name-of-host-%04d.example.org", h)), Rejected: 1 << 20}
			c.At, c.Judged, c.Failures, c.LatencyCalls = int64(178_000_000+at), 1<<30, 1<<29, 1<<30
			list = append(list, c)
		}
	}
	body, err := bucketsBody(list)
	if err != nil || len(body) > maxObserved {
		t.Fatalf("%d bytes, %v", len(body), err)
	}
	var told bucketsTold
	if err := json.Unmarshal(body, &told); err != nil {
		t.Fatal(err)
	}
	got, err := rollup.DecodeBuckets(told.Buckets)
	if err != nil || len(got) < len(list)/4 || got[len(got)-1].At != list[len(list)-1].At {
		t.Errorf("%d of %d buckets, %v", len(got), len(list), err)
	}
}

// Orders that were not begun before the asker gave up say so, and are not made.
func TestOrdersAreNotBegunTooLate(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done, result := (&tuning{}).begun(ctx, planner.Order{Key: "host:a.example"})
	if done.Key != "host:a.example" || result.Err == nil || !strings.Contains(done.Error, "not begun") {
		t.Errorf("%+v, %v", done, result.Err)
	}
}

// What an operator reset or replaced in the meantime is not undone.
func TestHoldsAny(t *testing.T) {
	changes := []planner.Change{
		{Suggestion: tuner.Suggestion{Field: tuner.FieldResetTimeout, Proposed: 150}},
		{Suggestion: tuner.Suggestion{Field: tuner.FieldFailMax, Role: "metadata", Proposed: 8}},
	}
	for overlay, want := range map[string]bool{
		"":                                false,
		fieldsText(changes):               true,
		"reset_timeout:150s":              true,
		"roles.metadata.fail_max:8":       true,
		"reset_timeout:60s":               false,
		"fail_max:8":                      false,
		"of a later version, not ours!":   true,
		"rate_multiplier:0.8,fail_max:10": false,
	} {
		if got := holdsAny(overlay, changes); got != want {
			t.Errorf("%q: %v", overlay, got)
		}
	}
}

// Who was away is asked again for what was done meanwhile.
func TestHeard(t *testing.T) {
	live := func(ids ...string) (list []follow.Member) {
		for _, id := range []string{"a", "b", "c"} {
			list = append(list, follow.Member{ID: id, Name: strings.ToUpper(id), Live: slices.Contains(ids, id)})
		}
		return list
	}
	var h heard
	want := func(what string, got []follow.Member, ids ...string) {
		t.Helper()
		var have []string
		for _, m := range got {
			have = append(have, m.ID)
		}
		if !slices.Equal(have, ids) {
			t.Errorf("%s: %v are missing, want %v", what, have, ids)
		}
	}
	want("nobody told", h.missing(live("a", "b", "c"), false), "a", "b", "c")
	h.add(live("a", "b", "c")[:2], []string{"B"})
	want("two told", h.missing(live("a", "b", "c"), false), "c")
	if names := h.partly(live("a", "b", "c")); !slices.Equal(names, []string{"B"}) {
		t.Errorf("%v told not all, want B", names)
	}
	want("one is away", h.missing(live("b", "c"), false), "a", "c")
	want("and comes back", h.missing(live("a", "b", "c"), false), "a", "c")
	if names := h.partly(live("a", "b", "c")); !slices.Equal(names, []string{"B"}) {
		t.Errorf("later %v told not all, want B", names)
	}
	want("another planner", h.missing(live("a", "b", "c"), true), "a", "b", "c")
	if names := h.partly(live("a", "b", "c")); len(names) > 0 {
		t.Errorf("nobody told, and %v not all", names)
	}
}

// Plans are not made without limit: who finds no room in time is told so, and who has
// one gives it back.
func TestRoomForPlans(t *testing.T) {
	n, key := alone(t), breaker.Key("host:a.example")
	n.Used(rollup.Series{Key: key}, &rollup.Counts{Successes: 10})
	var leave []func()
	for range advisedAtOnce {
		l, err := n.tuning.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, l)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := n.Advise(ctx, key, 0); !errors.Is(err, httpapi.ErrBusy) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("advice without room: %v", err)
	}
	if a, err := n.tuning.answer(ctx, tunerQuery{What: askAdvice, Key: key}); err != nil || !a.Busy {
		t.Errorf("another member is told %+v, %v; want that it is busy", a, err)
	}
	gone, goes := context.WithCancel(t.Context())
	goes()
	if _, err := n.tuning.enter(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone: %v", err)
	}
	for _, l := range leave {
		l()
	}
	for range 2 * advisedAtOnce {
		if _, err := n.Advise(t.Context(), key, 0); err != nil {
			t.Errorf("advice when there is room again: %v", err)
		}
	}
	if e, err := n.Explain(t.Context(), key); err != nil || e.Advice.ID != "" {
		t.Errorf("explained with a plan %q, %v", e.Advice.ID, err)
	}
}

// Who asks what was done is told why there is no advice beside it, unless nobody calls
// the host.
func TestNoAdvice(t *testing.T) {
	if a := noAdvice(spread.ErrNoOwner); len(a.Blocked) != 1 || !strings.Contains(a.Blocked[0], spread.ErrNoOwner.Error()) {
		t.Errorf("%+v", a)
	}
	if a := noAdvice(&httpapi.UncalledError{Window: time.Minute}); len(a.Blocked) != 0 || a.WindowMS != 60_000 {
		t.Errorf("%+v", a)
	}
}
