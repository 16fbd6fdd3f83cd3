package guard

import (
	"fmt"
	"math"
	"time"

	"fleetfuse/breaker"
)

// A Reason names why a change is refused.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	Allowed     Reason = ""
	Invalid     Reason = "invalid"
	IsFrozen    Reason = "frozen"
	Held        Reason = "hold"
	InDeadBand  Reason = "dead-band"
	HostBudget  Reason = "host-budget"
	FleetBudget Reason = "fleet-budget"
	TooUnsure   Reason = "evidence"
)

// A Verdict says whether a change may be enforced now.
type Verdict struct {
	OK     bool          `json:"ok"`
	Why    Reason        `json:"why,omitempty"`
	Detail string        `json:"detail,omitempty"`   // the reason in words
	Need   float64       `json:"need"`               // log odds that must speak for it, see LogOdds
	Again  time.Duration `json:"again_ns,omitempty"` // when time alone may change the answer; 0: it does not
}

// May says whether a change may be enforced now. The changes of one plan are
// asked for one by one, and recorded together, as one change of the host. It
// changes nothing.
func (l *Ledger) May(now time.Time, c Change) Verdict {
	v := Verdict{Need: l.need(now, c)}
	refuse := func(why Reason, again int64, format string, args ...any) Verdict {
		v.Why, v.Again, v.Detail = why, time.Duration(again)*time.Millisecond, fmt.Sprintf(format, args...)
		return v
	}
	s, h := l.settings, l.hosts[c.Key]
	if h == nil {
		h = &host{}
	}
	if problem := c.problem(); problem != "" {
		return refuse(Invalid, 0, "%s", problem)
	}
	if left := h.thaws(now, s.Freeze); left > 0 {
		return refuse(IsFrozen, left, "two changes were rolled back: frozen for %s, or until the policy is reset", words(left))
	}
	if left := remaining(now, h.held, s.Hold); left > 0 {
		return refuse(Held, left, "less than %s since it was changed, rolled back or reset", s.Hold)
	}
	if moved := math.Abs(c.To-c.From) / math.Abs(c.From); moved < s.DeadBand-1e-9 || c.To == c.From {
		return refuse(InDeadBand, 0, "a change of %.1f %% is less than %.1f %%", 100*moved, 100*s.DeadBand)
	}
	if left := h.enforced.left(now, s.HostBudget, day); left > 0 {
		return refuse(HostBudget, left, "the host had its %d changes of the day", s.HostBudget)
	}
	if left := l.fleet.left(now, s.FleetCount, day); left > 0 {
		return refuse(FleetBudget, left, "the fleet had its %d changes of the day", s.FleetCount)
	}
	if c.Evidence < v.Need {
		return refuse(TooUnsure, 0, "log odds of %.2f speak for it, %.2f are needed", c.Evidence, v.Need)
	}
	v.OK = true
	return v
}

// problem says what is wrong with the change itself.
func (c Change) problem() string {
	if _, err := breaker.ParseKey(string(c.Key)); err != nil {
		return fmt.Sprintf("key %.80q: %v", c.Key, err)
	}
	if !c.readable() {
		return "a number is none, or a name is too long"
	}
	to, limit := Clamp(c.Field, c.From, c.To)
	if limit == UnknownField {
		return fmt.Sprintf("a tuner may not change %q", c.Field)
	}
	if to != c.To {
		return fmt.Sprintf("%s %v to %v is %s: %v", c.Field, c.From, c.To, limit, to)
	}
	return ""
}

// need is the evidence the change needs: twice as much against the last move.
func (l *Ledger) need(now time.Time, c Change) float64 {
	h := l.hosts[c.Key]
	if h == nil {
		return l.settings.Evidence
	}
	m, ok := h.last[slot{c.Field, c.Role}]
	opposite := ok && m.at > h.reset && (c.To > c.From) != m.rise
	if opposite && remaining(now, m.at, l.settings.Reversal) > 0 {
		return 2 * l.settings.Evidence
	}
	return l.settings.Evidence
}

// thaws says in how many milliseconds a host with two rollbacks since its last
// reset is free again.
func (h *host) thaws(now time.Time, freeze time.Duration) int64 {
	if len(h.undone) < 2 || h.undone[1].at <= h.reset || h.undone[0].at-h.undone[1].at > pairing.Milliseconds() {
		return 0
	}
	return remaining(now, h.undone[0].at, freeze)
}

// left says in how many milliseconds fewer than count entries are younger than
// span.
func (n newest) left(now time.Time, count int, span time.Duration) int64 {
	believable := n
	for len(believable) > 0 && !believed(now, believable[0].at) {
		believable = believable[1:]
	}
	if len(believable) < count {
		return 0
	}
	return remaining(now, believable[count-1].at, span)
}

// remaining is how much of the span that began at a time is left. One that has
// not begun yet, by this clock, counts from then; one that is too far ahead is
// not believed.
func remaining(now time.Time, at int64, span time.Duration) int64 {
	if at == 0 || !believed(now, at) { // never, or not yet
		return 0
	}
	return max(at+span.Milliseconds()-now.UnixMilli(), 0)
}

// believed says whether a time is no more than MaxLead ahead of the clock: it
// may have stepped back since a record was taken in.
func believed(now time.Time, at int64) bool { return at <= now.Add(MaxLead).UnixMilli() }

func words(ms int64) string {
	return (time.Duration(ms) * time.Millisecond).Round(time.Second).String()
}
