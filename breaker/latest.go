package breaker

import "math"

// LastDeadline is when the last part that rejects or rejected runs out.
func (s *Snapshot) LastDeadline() Instant {
	at := s.Circuit.Until
	for _, c := range s.Cooldowns {
		at = max(at, c.Until)
	}
	return at
}

// lastWord is the stamp of the part whose deadline is the last.
func (s *Snapshot) lastWord() (stamp Stamp) {
	at := Instant(0)
	if s.Circuit.State != Closed {
		stamp, at = s.Circuit.Stamp, s.Circuit.Until
	}
	for _, c := range s.Cooldowns {
		if c.Until > at {
			stamp, at = c.Stamp, c.Until
		}
	}
	return stamp
}

// never is an end later than all deadlines.
const never Instant = math.MaxInt64

// End is when the last part stops to matter, also a close, a clear or an
// overlay, which reject nothing.
func (s *Snapshot) End() Instant {
	end := max(s.LastDeadline(), s.Circuit.Keep, s.ClearKept)
	for _, o := range s.Overlays {
		if o.Kept == 0 {
			return never
		}
		end = max(end, o.Kept)
	}
	return end
}

// LastClose is the stamp of the last close that is remembered, an operator's or
// a recovery, and when it was on this machine's clock; zero for never and for
// what only a disk says.
func (s *Snapshot) LastClose() (Stamp, Instant) {
	closed, at := s.Clear, Instant(0)
	if closed != 0 {
		at = s.ClearKept.Add(-KeepClear)
	}
	c := &s.Circuit
	if c.State != Closed || c.Stamp <= closed {
		return closed, at
	}
	if c.Disk {
		return c.Stamp, 0
	}
	return c.Stamp, c.recovered()
}

// MaxStamp is the highest stamp in the snapshot.
func (s *Snapshot) MaxStamp() Stamp {
	m := max(s.Circuit.Stamp, s.Clear)
	for _, c := range s.Cooldowns {
		m = max(m, c.Stamp)
	}
	for _, o := range s.Overlays {
		m = max(m, o.Stamp)
	}
	return m
}
