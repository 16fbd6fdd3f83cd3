package breaker

import (
	"slices"
	"time"
)

// State of a breaker, in order of severity.
type State uint8

// The states.
const (
	Closed State = iota
	HalfOpen
	Open
)

func (s State) String() string {
	switch s {
	case Closed:
		return "closed"
	case HalfOpen:
		return "half_open"
	}
	return "open"
}

// Reason is a code from a closed list that says why a breaker is not closed.
type Reason string

// The reasons.
const (
	ReasonRetryAfter    Reason = "retry-after"
	ReasonRolling       Reason = "rolling-window"
	ReasonConsecutive   Reason = "consecutive-failures"
	ReasonFailureRate   Reason = "failure-rate"
	ReasonProbeFailed   Reason = "probe-failed"
	ReasonCLIOpen       Reason = "cli-open"
	ReasonStore         Reason = "store"
	ReasonProbePending  Reason = "probe-pending"
	ReasonLocalEvidence Reason = "local-evidence"
)

// MaxDetailBytes bounds the free text beside a reason.
const MaxDetailBytes = 128

// keepAfterDeadline is how long an entry outlives its deadline unless its
// owner renews it, and how long the close of a circuit is remembered.
const keepAfterDeadline = 10 * time.Minute

// KeepClear is how long an operator's clear is remembered: the longest open,
// and one hour.
const KeepClear = MaxOpen + time.Hour

// MaxOpen is the longest open an operator may ask for.
const MaxOpen = 30 * 24 * time.Hour

// maxCooldowns bounds the cooldowns of one key. More than one arises only
// between owners that did not hear each other.
const maxCooldowns = 8

// ForeignSetter is the setter of a cooldown that another program wrote into a
// store, as long as it is that program's.
const ForeignSetter = "store"

// A Cooldown is a deadline nobody may undercut: a Retry-After, an operator's
// open. Setter and Stamp are its identity; hearing an identity again never
// moves its deadline.
type Cooldown struct {
	Setter string // node that set it
	Stamp  Stamp
	Until  Instant
	Length time.Duration // as asked for, after the cap
	Reason Reason
	Author string
	Detail string
	Disk   bool // the deadline was computed from a wall clock
}

// A Circuit is the counted part of a breaker.
type Circuit struct {
	State     State
	Stamp     Stamp
	Until     Instant // while Open
	FirstTrip Instant // first trip since it was last closed
	Opens     int     // opens since it was last closed
	Reason    Reason
	Role      string // whose run tripped it, if ByRole
	ByRole    bool
	Detail    string
	Keep      Instant // while Closed: when its close may be forgotten, 10 min after the deadlines it ended; it only grows
	Recovered Instant // while Closed: when it recovered, which ended the cooldowns that had run out by then
	Disk      bool    // the instants were computed from a wall clock
}

// A Snapshot is what of a breaker outlives its actor: what nodes announce to
// each other, keep in their views and write to stores.
type Snapshot struct {
	Cooldowns []Cooldown
	Circuit   Circuit
	// Clear is the stamp of the last operator's close: cooldowns and circuits
	// with a stamp up to it are void. KeepClear says until when it counts.
	Clear     Stamp
	ClearKept Instant
	// Renewed is when the owner last said that the entry is still asked for.
	Renewed Instant
	// Overlays are what was replaced of the policy, at most one a register. They
	// are replaced and never changed, so copies may share them.
	Overlays []Overlay
}

// A Status is a snapshot read at one instant.
type Status struct {
	State  State
	Until  Instant // while Open: when it runs out. While HalfOpen: when it ran out
	Reason Reason
	Author string
	Detail string
}

// At derives the state at an instant: open while a cooldown is active or the
// circuit is open; half-open once they ran out; else closed.
func (s *Snapshot) At(now Instant) Status {
	var st Status
	consider := func(state State, until Instant, reason Reason, author, detail string) {
		if state > st.State || state == st.State && until > st.Until {
			st = Status{state, until, reason, author, detail}
		}
	}
	for i := range s.Cooldowns {
		c := &s.Cooldowns[i]
		if c.Until > now {
			consider(Open, c.Until, c.Reason, c.Author, c.Detail)
		} else if !s.ended(c) {
			consider(HalfOpen, c.Until, c.Reason, c.Author, c.Detail)
		}
	}
	if c := &s.Circuit; c.State != Closed {
		state := HalfOpen
		if c.State == Open && c.Until > now {
			state = Open
		}
		consider(state, c.Until, c.Reason, "", c.Detail)
	}
	return st
}

// ended reports whether a recovery ended a cooldown that had run out. The
// cooldown itself stays until it is forgotten, because copies must not depend
// on the order in which they heard of it and of the recovery.
func (s *Snapshot) ended(c *Cooldown) bool {
	k := &s.Circuit
	return k.State == Closed && c.Stamp <= k.Stamp && c.Until <= k.recovered()
}

// recovered is when a closed circuit recovered. Nodes and stores that know of
// no such moment say only for how long to remember it.
func (c *Circuit) recovered() Instant {
	if c.Recovered == 0 && c.Keep != 0 {
		return c.Keep.Add(-keepAfterDeadline)
	}
	return c.Recovered
}

// Deadline is when the state next changes by itself, zero if it does not:
// an open part running out, or something being forgotten.
func (s *Snapshot) Deadline(now Instant) Instant {
	var next Instant
	consider := func(t Instant) {
		if t > now && (next == 0 || t < next) {
			next = t
		}
	}
	for i := range s.Cooldowns {
		consider(s.Cooldowns[i].Until)
		consider(s.forgetAt(s.Cooldowns[i].Until))
	}
	switch c := &s.Circuit; {
	case c.State != Closed:
		consider(c.Until)
		consider(s.forgetAt(c.Until))
	case c.Stamp != 0:
		consider(c.Keep)
	}
	if s.Clear != 0 {
		consider(s.ClearKept)
	}
	for i := range s.Overlays {
		consider(s.Overlays[i].Kept)
	}
	return next
}

// forgetAt is when a part with this deadline is forgotten.
func (s *Snapshot) forgetAt(deadline Instant) Instant {
	return max(deadline, s.Renewed).Add(keepAfterDeadline)
}

// Forget drops what is due and reports whether anything was dropped.
func (s *Snapshot) Forget(now Instant) bool {
	n := len(s.Cooldowns)
	s.Cooldowns = slices.DeleteFunc(s.Cooldowns, func(c Cooldown) bool {
		return s.forgetAt(c.Until) <= now || s.ended(&c) && c.Until.Add(keepAfterDeadline) <= now
	})
	dropped := len(s.Cooldowns) != n
	if len(s.Cooldowns) == 0 {
		s.Cooldowns = nil
	}
	c := &s.Circuit
	if c.State != Closed && s.forgetAt(c.Until) <= now || c.State == Closed && c.Stamp != 0 && c.Keep <= now {
		*c = Circuit{}
		dropped = true
	}
	if s.Clear != 0 && s.ClearKept <= now {
		s.Clear, s.ClearKept = 0, 0
		dropped = true
	}
	return s.forgetOverlays(now) || dropped
}

func (s *Snapshot) forgetOverlays(now Instant) bool {
	due := func(o Overlay) bool { return o.Kept != 0 && o.Kept <= now }
	if !slices.ContainsFunc(s.Overlays, due) {
		return false
	}
	s.Overlays = slices.DeleteFunc(slices.Clone(s.Overlays), due)
	if len(s.Overlays) == 0 {
		s.Overlays = nil
	}
	return true
}

// Empty reports whether nothing is left to remember.
func (s *Snapshot) Empty() bool {
	return len(s.Cooldowns) == 0 && s.Clear == 0 && len(s.Overlays) == 0 && s.Circuit.Stamp == 0 && s.Circuit == Circuit{}
}

// Clone returns a snapshot that shares nothing with s that is ever changed.
func (s *Snapshot) Clone() Snapshot {
	c := *s
	c.Cooldowns = slices.Clone(s.Cooldowns)
	return c
}
