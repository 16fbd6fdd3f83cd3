package breaker_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
)

var update = flag.Bool("update", false, "rewrite testdata/*.txt; commit the changes only if you understand what caused them")

// TestTranscripts plays testdata/*.txt. A line that is neither blank, a comment
// (#) nor indented is a command; the indented lines below it are what the
// breaker says. Every command takes 1 ms. The commands:
//
//	policy fail_max=3 reset=30s ...    set the policy; a second time: replace it
//	members 3                          how many nodes there are (default 1)
//	fail|succeed|neutral [status] [error] [node=] [role=] [latency=] [age=] [permit=P1] [count=] [cached] [x5]
//	retry-after 20s [node=]            a host asked for a pause
//	ask [node=] [role=] [again=P1]     may I probe? (again: repeat that question)
//	wait 5s                            deadlines on the way are said when they run out
//	open 10m by alice "reason"         an operator's open
//	close by alice "reason"            an operator's close
//	witness n2 success 50ms ago | n2 nothing | n2 40 successes | round ends
//	gap n1                             a batch of n1's reports was lost
//	owner B | owner B hears A          act as another owner; tell it what A holds
//	joined                             new members came
//	restart [after 5m]                 a new machine adopts the snapshot
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("%s differs from what the breaker says now:\n%s", file, firstDifference(string(want), got))
			}
		})
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range g {
		if i >= len(w) || w[i] != g[i] {
			have := "(end)"
			if i < len(w) {
				have = w[i]
			}
			return fmt.Sprintf("line %d\n  file: %s\n  says: %s", i+1, have, g[i])
		}
	}
	return "the file is longer"
}

func play(t *testing.T, script string) string {
	s := newStage()
	var out strings.Builder
	for n, line := range strings.Split(strings.TrimRight(script, "\n"), "\n") {
		if strings.HasPrefix(line, " ") {
			continue // what was said last time
		}
		out.WriteString(line + "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s.said = nil
		if err := s.command(line); err != nil {
			t.Fatalf("line %d: %s: %v", n+1, line, err)
		}
		for _, said := range s.said {
			out.WriteString("    " + said + "\n")
		}
	}
	return out.String()
}

// origin is when a transcript begins, as far from zero as package clock puts it.
const origin = breaker.Instant(time.Hour)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// stage is where a transcript plays.
type stage struct {
	now      breaker.Instant
	stamps   breaker.StampClock
	steps    uint64
	members  int
	policy   breaker.Policy
	owner    string
	machines map[string]*breaker.Machine
	wakeAt   map[string]breaker.Instant
	round    *breaker.WitnessQuestion
	permits  []breaker.PermitID
	question map[breaker.PermitID]breaker.Question
	said     []string
}

func newStage() *stage {
	s := &stage{
		now: origin, members: 1, policy: breaker.DefaultPolicy(), owner: "A",
		machines: map[string]*breaker.Machine{}, wakeAt: map[string]breaker.Instant{},
		question: map[breaker.PermitID]breaker.Question{},
	}
	s.policy.HalfOpenJitter = 0
	return s
}

// machine is the owner on stage.
func (s *stage) machine() *breaker.Machine {
	if s.machines[s.owner] == nil {
		p := s.policy
		s.machines[s.owner] = breaker.New(&p)
	}
	return s.machines[s.owner]
}

func (s *stage) moment() breaker.Moment {
	s.steps++
	return breaker.Moment{
		Now: s.now, Stamp: s.stamps.Next(epoch.Add(s.now.Sub(origin))), Members: s.members, Rand: s.steps,
	}
}

func (s *stage) say(format string, args ...any) {
	s.said = append(s.said, fmt.Sprintf(format, args...))
}

// command plays one line.
func (s *stage) command(line string) error {
	words := strings.Fields(line)
	verb, rest := words[0], words[1:]
	if verb == "wait" {
		d, err := time.ParseDuration(strings.Join(rest, ""))
		if err == nil {
			s.wait(d)
			s.sayState()
		}
		return err
	}
	s.wait(time.Millisecond)
	switch verb {
	case "policy":
		return s.setPolicy(rest)
	case "members":
		n, err := strconv.Atoi(strings.Join(rest, ""))
		s.members = n
		return err
	case "fail", "succeed", "neutral":
		return s.outcome(verb, rest)
	case "retry-after":
		return s.retryAfter(rest)
	case "ask":
		return s.ask(rest)
	case "open", "close":
		return s.operator(verb, line)
	case "witness":
		return s.witness(rest)
	case "gap":
		s.machine().Gap(rest[0])
		s.sayState()
		return nil
	case "owner":
		return s.changeOwner(rest)
	case "joined":
		s.carryOut(s.machine().Joined(s.moment()))
		return nil
	case "restart":
		return s.restart(rest)
	}
	return fmt.Errorf("no such command")
}

// restart hands the snapshot to a new machine, after a while of being dead.
func (s *stage) restart(words []string) error {
	snap := s.machine().Snapshot()
	if len(words) == 2 {
		d, err := time.ParseDuration(words[1])
		if err != nil {
			return err
		}
		s.now = s.now.Add(d)
	}
	s.machines[s.owner] = nil
	s.carryOut(s.machine().Adopt(s.moment(), snap))
	s.sayState()
	return nil
}

// wait lets time pass and fires the timers on the way.
func (s *stage) wait(d time.Duration) {
	until := s.now.Add(d)
	for {
		owner := s.owner
		next := breaker.Instant(0)
		for name, at := range s.wakeAt {
			if at != 0 && at <= until && (next == 0 || at < next || at == next && name < owner) {
				next, owner = at, name
			}
		}
		if next == 0 {
			break
		}
		s.now = max(s.now, next)
		s.wakeAt[owner] = 0
		was := s.owner
		s.owner = owner
		said := len(s.said)
		s.carryOut(s.machine().Tick(s.moment()))
		for i := said; i < len(s.said) && owner != was; i++ {
			s.said[i] = "owner " + owner + ": " + s.said[i]
		}
		s.owner = was
	}
	s.now = until
}
