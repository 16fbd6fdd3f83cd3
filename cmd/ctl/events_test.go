package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"fleetfuse/api"
)

// happenings has an event of each kind, and one of a kind that only a newer node knows.
func happenings() api.EventsResponse {
	e := func(seconds int, kind, key, node string) api.Event {
		return api.Event{ID: fmt.Sprint(kind, seconds), Seq: uint64(100 + seconds), Time: at(seconds), Kind: kind, Key: key, Node: node, Owner: "n1"}
	}
	trip, half := e(-300, "transition", "host:arxiv.org", ""), e(-240, "transition", "host:arxiv.org", "")
	trip.From, trip.To, trip.Reason, trip.Role = "closed", "open", "consecutive-failures", "metadata"
	trip.Evidence = &api.EventEvidence{Failures: 5, Status: 503, Witnesses: []string{"n1", "n2"}}
	half.From, half.To, half.Reason = "open", "half_open", "consecutive-failures"
	heir := e(-230, "transition", "host:arxiv.org", "")
	heir.From, heir.To, heir.Reason, heir.Detail = "closed", "open", "probe-failed", "adopted"
	probe := e(-239, "probe", "host:arxiv.org", "n2")
	probe.To, probe.Evidence = "failure", &api.EventEvidence{Error: "timeout"}
	asked := e(-200, "cooldown", "resolver:unpaywall", "n2")
	asked.From, asked.To, asked.Reason, asked.Detail, asked.LengthMS = "closed", "open", "retry-after", "Retry-After: 120", 120_000
	opened := e(-100, "operator", "host:api.crossref.org", "n1")
	opened.From, opened.To, opened.Reason, opened.Author, opened.Detail, opened.LengthMS = "closed", "open", "cli-open", "alice@box", "maintenance", 600_000
	again := opened
	again.ID, again.Time, again.From = "again", at(-90), "open"
	closed := e(-80, "operator", "host:api.crossref.org", "")
	closed.From, closed.To, closed.Author, closed.Detail = "open", "closed", "bob", "closed by hand: fixed"
	still := closed
	still.ID, still.Time, still.From, still.Detail = "still", at(-75), "closed", "to be sure"
	policy := e(-70, "policy", "host:arxiv.org", "")
	policy.To, policy.Author, policy.Detail = "operator replaced", "alice", "too strict (fail_max:9)"
	advice, newer := e(-65, "advice", "host:arxiv.org", "n1"), e(-64, "colour", "host:arxiv.org", "n1")
	advice.To, advice.Detail, newer.To = "suggested", "fail_max 5 to 9", "blue"
	ring := e(-60, "local", "host:arxiv.org", "n3")
	ring.From, ring.To, ring.Reason = "closed", "open", "consecutive-failures"
	member := e(-50, "member", "", "n3")
	member.From, member.To = "alive", "lost"
	fails, works := e(-40, "degraded", "", "n2"), e(-30, "recovered", "", "n2")
	fails.To, fails.Detail, works.To = "shared store", "dial tcp: connection refused", "shared store"
	return api.EventsResponse{
		Events:  []api.Event{trip, half, probe, heir, asked, opened, again, closed, still, policy, advice, newer, ring, member, fails, works},
		Gaps:    []api.MemberGap{{Node: "n2", EventGap: api.EventGap{First: 4, Last: 9, Reason: "crash", Time: until(-45)}}, {Node: "n1", EventGap: api.EventGap{First: 1, Last: 2, Reason: "crash", Time: until(-1200)}}, {Node: "n3", EventGap: api.EventGap{First: 4, Last: 4, Events: 1, Reason: "dropped"}}},
		Missing: []string{"n3", "n4"}, More: true, Position: "x:1",
	}
}

func TestEvents(t *testing.T) {
	term := newTerminal(t, node{
		"GET /v1/events?": happenings(),
		"GET /v1/events?key=host%3Aarxiv.org&kind=probe&kind=transition&limit=5&since=1h0m0s": api.EventsResponse{Events: []api.Event{}},
		"GET /v1/events?since=36h0m0s":                  api.EventsResponse{Events: []api.Event{}},
		"GET /v1/events?since=2026-11-24T01%3A00%3A00Z": api.EventsResponse{Events: []api.Event{}},
	})
	term.types("events")
	term.types("events", "ARXIV.org.", "--since", "1h", "--kind", "probe", "--kind", "transition", "--limit", "5")
	term.types("events", "--since", "yesterday")
	term.types("events", "--since", "-1h")
	term.types("events", "--since", "1d12h")
	term.types("events", "--since", "2026-11-24T01:00:00Z")
	term.types("events", "--kind", "foo")
	term.types("events", "--limit", "100000")
	term.types("events", "--limit", "-3")
	term.types("events", "--follow", "--limit", "20")
	term.types("events", "https://x/y")
	term.types("events", "--help")
	term.golden("events")
}

// stream answers as a node whose events are followed: all batches, then nothing.
func stream(batches ...api.EventsResponse) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, b := range batches {
			data, _ := json.Marshal(b)
			fmt.Fprintf(w, "event: events\nid: %s\ndata: %s\n\n", b.Position, data)
		}
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// lines ends what is written to it after so many lines.
type lines struct {
	text strings.Builder
	left int
	end  func()
}

func (l *lines) Write(b []byte) (int, error) {
	if l.left -= strings.Count(string(b), "\n"); l.left <= 0 {
		l.end()
	}
	return l.text.Write(b)
}

func TestEventsFollowed(t *testing.T) {
	first := happenings()
	last := api.EventsResponse{Events: []api.Event{{ID: "last", Time: at(0), Kind: "member", Node: "n3", From: "lost", To: "alive"}}, Position: "x:2"}
	term := newTerminal(t, stream(first, last))
	for _, x := range []struct {
		format string
		lines  int
	}{{"json", len(first.Events) + 1}, {"table", len(first.Events) + 2}} {
		ctx, cancel := context.WithCancel(t.Context())
		out := &lines{left: x.lines, end: cancel}
		var messages strings.Builder
		code := run(ctx, []string{"events", "--follow", "-o", x.format}, strings.NewReader(""), out, &messages, term.environment())
		if code != 0 {
			t.Errorf("exit %d: %s", code, messages.String())
		}
		if x.format == "json" {
			for line := range strings.Lines(out.text.String()) {
				var e api.Event
				if err := json.Unmarshal([]byte(line), &e); err != nil || e.ID == "" {
					t.Errorf("%q is no event: %v", line, err)
				}
			}
		}
		fmt.Fprintf(&term.log, "$ fleetfuse-ctl events --follow -o %s\n%s", x.format, out.text.String())
		for l := range strings.Lines(messages.String()) {
			fmt.Fprintf(&term.log, "! %s", l)
		}
	}
	term.golden("events-followed")
}

// TestHostileEvents: no text of an event reaches the terminal as it is.
func TestHostileEvents(t *testing.T) {
	const bad = "<b>\x1b[2J\x9b31m\u009b\u202ex\r\n\x00"
	e := api.Event{
		ID: bad, Kind: bad, Key: "host:" + bad, Node: bad, Role: bad, From: bad, To: bad, Reason: bad, Detail: bad, Author: bad,
		Evidence: &api.EventEvidence{Error: bad, RetryAfter: bad, Witnesses: []string{bad}},
	}
	term := newTerminal(t, node{"GET /v1/events?": api.EventsResponse{Events: []api.Event{e}, Missing: []string{bad}, Gaps: []api.MemberGap{{Node: bad, EventGap: api.EventGap{Reason: bad}}}}})
	for _, args := range [][]string{{"events"}, {"events", "-o", "json"}} {
		stdout, stderr, code := term.run(t.Context(), args...)
		for _, c := range stdout + stderr {
			if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) {
				t.Errorf("%v: exit %d, %U in %q", args, code, c, stdout+stderr)
				break
			}
		}
	}
}
