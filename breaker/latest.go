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

// A Close ended what was before it: an operator's word, or a recovery.
type Close struct {
	Stamp Stamp
	// At is when it was, on this machine's clock; zero where only a disk says.
	At Instant
}

// Closes are the closes that are remembered, an operator's and a recovery, those
// that there were. Which was the later one their stamps may say wrongly, if they
// are of machines whose clocks differ.
func (s *Snapshot) Closes() (list []Close) {
	if s.Clear != 0 {
		list = append(list, Close{s.Clear, s.ClearKept.Add(-KeepClear)})
	}
	if c := &s.Circuit; c.State == Closed && c.Stamp != 0 {
		at := c.recovered()
		if c.Disk {
			at = 0
		}
		list = append(list, Close{c.Stamp, at})
	}
	return list
}

// LastClose is the close with the higher stamp, zero for none.
func (s *Snapshot) LastClose() (last Close) {
	for _, c := range s.Closes() {
		if c.Stamp > last.Stamp {
			last = c
		}
	}
	return last
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
