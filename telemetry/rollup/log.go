package rollup

import (
	"encoding/binary"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// Bounds of a Log. With its roles and its fixed part it takes at most 4 KB.
const (
	maxLogBytes  = 3200 // of encoded records, of 6 to 10 bytes each as a rule
	maxLogRoles  = 8
	maxRoleBytes = 64
	maxAskedText = 40 // of a raw Retry-After; a date has 29
	// fixedLogBytes is what a Log takes beside its records and roles.
	fixedLogBytes = 232
)

// mergeSpan is how far apart calls may end that did not fail and are one record.
const mergeSpan = 100 * time.Millisecond

// Replayed is the Permit of a probe's outcome from a Log: who replays it asks
// the machine for a permit and puts it in its place.
const Replayed breaker.PermitID = 1

// A Log remembers the latest outcomes of one key, in the order in which the
// owner was told, so that a window can be replayed through a breaker.Machine.
// It is a ring: what is oldest goes. It is coarser than what it was told:
//
//   - times are whole milliseconds, rounded down (a gate knows when a call
//     began to 2 ms);
//   - calls of one role that did not fail, alike and ended within 100 ms, are
//     one outcome, as if all had begun with the one that began last; failures
//     are one only if alike to the millisecond;
//   - more than eight roles count as the nameless one.
//
// So a replay trips where the original did, except where a rule hangs on less
// than that. A Log is not safe for concurrent use.
type Log struct {
	roles   []string
	records []byte
	base    int64           // ms: the end that the first record counts from
	last    int64           // ms: the end that the next record counts from
	pending breaker.Outcome // not written yet, because more may be like it; Count 0 is none
	since   int64           // ms: when the first of pending ended
}

// The first byte of a record is its kind and these flags.
const (
	kindMask   = 3
	flagSlow   = 1 << 2
	flagStrict = 1 << 3
	flagProbe  = 1 << 4
	flagStatus = 1 << 5
	flagError  = 1 << 6
	flagAsked  = 1 << 7
)

// errorClasses numbers the classes in records: new ones go at the end.
var errorClasses = slices.Concat(breaker.TransportErrors, breaker.OwnErrors)

func milliseconds(at breaker.Instant) int64 { return int64(at) / int64(time.Millisecond) }

func instant(ms int64) breaker.Instant { return breaker.Instant(ms * int64(time.Millisecond)) }

// Add remembers an outcome.
func (l *Log) Add(o breaker.Outcome) {
	o = l.coarse(o)
	if l.joins(&o) {
		p := &l.pending
		p.Count += o.Count
		p.Began, p.Ended = max(p.Began, o.Began), max(p.Ended, o.Ended)
		return
	}
	l.flush()
	l.pending, l.since = o, milliseconds(o.Ended)
}

// coarse is an outcome as it comes out again.
func (l *Log) coarse(o breaker.Outcome) breaker.Outcome {
	o.Node = ""
	o.Count = max(o.Count, 1)
	o.Ended = instant(milliseconds(o.Ended))
	o.Began = min(instant(milliseconds(o.Began)), o.Ended)
	if o.Permit != 0 {
		o.Permit = Replayed
	}
	if len(o.RetryAfter) > maxAskedText {
		o.RetryAfter = ""
	}
	if o.Error != "" && !slices.Contains(errorClasses, o.Error) {
		o.Error = "other"
	}
	if o.Role != "" && !slices.Contains(l.roles, o.Role) {
		if len(l.roles) == maxLogRoles || len(o.Role) > maxRoleBytes {
			o.Role = ""
		} else {
			l.roles = append(l.roles, o.Role)
		}
	}
	return o
}

// joins reports whether an outcome goes into the record that is not written yet.
func (l *Log) joins(o *breaker.Outcome) bool {
	p := l.pending
	if p.Count == 0 || o.Permit != 0 || o.RetryAfter != "" {
		return false
	}
	if o.Kind != breaker.Failure && milliseconds(o.Ended)-l.since <= mergeSpan.Milliseconds() {
		p.Began, p.Ended = o.Began, o.Ended
	}
	p.Count = o.Count
	return p == *o
}

// flush writes the record that is pending.
func (l *Log) flush() {
	if l.pending.Count == 0 {
		return
	}
	var room [128]byte
	record := l.encode(room[:0], &l.pending)
	l.last = milliseconds(l.pending.Ended)
	l.pending = breaker.Outcome{}
	for len(l.records)+len(record) > maxLogBytes {
		l.dropOldest()
	}
	if free := cap(l.records) - len(l.records); free < len(record) {
		grown := make([]byte, len(l.records), min(max(2*cap(l.records), 128), maxLogBytes))
		copy(grown, l.records)
		l.records = grown
	}
	l.records = append(l.records, record...)
}

func (l *Log) encode(b []byte, o *breaker.Outcome) []byte {
	flags := byte(o.Kind) & kindMask
	for _, f := range []struct {
		is   bool
		flag byte
	}{
		{o.Slow, flagSlow}, {o.Strict, flagStrict}, {o.Permit != 0, flagProbe}, {o.Status != 0, flagStatus},
		{o.Error != "", flagError}, {o.RetryAfter != "", flagAsked},
	} {
		if f.is {
			flags |= f.flag
		}
	}
	ended := milliseconds(o.Ended)
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(slices.Index(l.roles, o.Role)+1))
	b = binary.AppendVarint(b, ended-l.last)
	b = binary.AppendUvarint(b, uint64(ended-milliseconds(o.Began)))
	b = binary.AppendUvarint(b, uint64(o.Count))
	if o.Status != 0 {
		b = binary.AppendVarint(b, int64(o.Status))
	}
	if o.Error != "" {
		b = binary.AppendUvarint(b, uint64(slices.Index(errorClasses, o.Error)))
	}
	if o.RetryAfter != "" {
		b = binary.AppendUvarint(b, uint64(len(o.RetryAfter)))
		b = append(b, o.RetryAfter...)
	}
	return b
}

// dropOldest forgets the first record.
func (l *Log) dropOldest() {
	r := reader{b: l.records}
	o := l.decode(&r, l.base)
	l.base = milliseconds(o.Ended)
	l.records = slices.Delete(l.records, 0, len(l.records)-len(r.b))
}

// decode reads a record whose end counts from base.
func (l *Log) decode(r *reader, base int64) (o breaker.Outcome) {
	flags := r.byte()
	o.Kind = breaker.Kind(flags & kindMask)
	o.Slow, o.Strict = flags&flagSlow != 0, flags&flagStrict != 0
	if flags&flagProbe != 0 {
		o.Permit = Replayed
	}
	if role := r.number(); role > 0 {
		o.Role = l.roles[role-1]
	}
	ended := base + r.signed()
	o.Ended, o.Began = instant(ended), instant(ended-int64(r.number()))
	o.Count = int(r.number())
	if flags&flagStatus != 0 {
		o.Status = int(r.signed())
	}
	if flags&flagError != 0 {
		o.Error = "other" // of a later version
		if class := r.number(); class < uint64(len(errorClasses)) {
			o.Error = errorClasses[class]
		}
	}
	if flags&flagAsked != 0 {
		o.RetryAfter = r.text(int(r.number()))
	}
	return o
}

// Outcomes decodes what is remembered, the oldest first, as outcomes of a node.
func (l *Log) Outcomes(node string) (list []breaker.Outcome) {
	base := l.base
	for r := (reader{b: l.records}); len(r.b) > 0; {
		o := l.decode(&r, base)
		base = milliseconds(o.Ended)
		o.Node = node
		list = append(list, o)
	}
	if o := l.pending; o.Count > 0 {
		o.Node = node
		list = append(list, o)
	}
	return list
}

// Bytes is the memory the log takes.
func (l *Log) Bytes() int {
	n := fixedLogBytes + cap(l.records) + cap(l.roles)*16
	for _, role := range l.roles {
		n += len(role)
	}
	return n
}
