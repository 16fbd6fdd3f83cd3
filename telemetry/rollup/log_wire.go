package rollup

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"fleetfuse/breaker"
)

// ErrBadLog is returned for bytes that encode no Log.
var ErrBadLog = errors.New("these bytes are no log of outcomes")

// logFormat is the first byte of an encoded Log. Later versions may add error
// classes without changing it: a class that is not known is "other".
const logFormat = 1

// mostMillis is how far from each other, in milliseconds, instants of an encoded
// log may be: 73 years, so that none of them overflows.
const mostMillis = 1 << 41

// Append encodes the log for another node. Instants of two nodes must not be
// compared, so what is written are ages: now is the sender's.
//
//	format  1 byte
//	age     signed: now less the end that the first record counts from, in ms
//	roles   their number, then for each its length and text
//	records their length in bytes, then themselves (see encode)
func (l *Log) Append(b []byte, now breaker.Instant) []byte {
	b = binary.AppendVarint(append(b, logFormat), milliseconds(now)-l.base)
	b = binary.AppendUvarint(b, uint64(len(l.roles)))
	for _, role := range l.roles {
		b = append(binary.AppendUvarint(b, uint64(len(role))), role...)
	}
	records := l.records
	if l.pending.Count > 0 {
		records = l.encode(slices.Clip(records), &l.pending)
	}
	return append(binary.AppendUvarint(b, uint64(len(records))), records...)
}

// DecodeLog reads a log that another node encoded and returns the bytes behind
// it. now is the receiver's: what the sender saw so many milliseconds before it
// wrote is so many before now, later than it was by the time the message took.
func DecodeLog(b []byte, now breaker.Instant) (l *Log, rest []byte, err error) {
	if len(b) == 0 || b[0] != logFormat {
		return nil, b, ErrBadLog
	}
	r := reader{b: b[1:]}
	age := r.signed()
	l = &Log{base: milliseconds(now) - age}
	if age < -mostMillis || age > mostMillis || !l.readRoles(&r) || !l.readRecords(&r) {
		return nil, b, ErrBadLog
	}
	return l, r.b, nil
}

func (l *Log) readRoles(r *reader) bool {
	n := r.number()
	if n > maxLogRoles {
		return false
	}
	for range n {
		size := r.number()
		if r.bad || size == 0 || size > maxRoleBytes {
			return false
		}
		role := r.text(int(size))
		if r.bad || slices.Contains(l.roles, role) {
			return false
		}
		l.roles = append(l.roles, role)
	}
	return !r.bad
}

// readRecords takes the records as they are if all of them can be read.
func (l *Log) readRecords(r *reader) bool {
	size := r.number()
	if r.bad || size > maxLogBytes+maxRecordBytes { // one may have been pending
		return false
	}
	records := r.text(int(size))
	if r.bad {
		return false
	}
	l.records, l.last = []byte(records), l.base
	for each := (reader{b: l.records}); len(each.b) > 0; {
		if !l.check(&each) {
			return false
		}
	}
	for len(l.records) > maxLogBytes {
		l.dropOldest()
	}
	l.records = slices.Clip(append(make([]byte, 0, len(l.records)), l.records...))
	return true
}

// maxRecordBytes is more than a record takes: its numbers and the raw Retry-After.
const maxRecordBytes = 128

// check passes over a record that is sound.
func (l *Log) check(r *reader) bool {
	flags := r.byte()
	role, ended, latency, count := r.number(), r.signed(), r.number(), r.number()
	if r.bad || flags&kindMask > byte(breaker.Neutral) || role > uint64(len(l.roles)) || latency > mostMillis ||
		ended < -mostMillis || ended > mostMillis || count == 0 || count > math.MaxInt32 {
		return false
	}
	if l.last += ended; l.last-l.base < -mostMillis || l.last-l.base > mostMillis {
		return false
	}
	if flags&flagStatus != 0 {
		if status := r.signed(); int64(int16(status)) != status {
			return false
		}
	}
	if flags&flagError != 0 {
		r.number()
	}
	if flags&flagAsked != 0 {
		size := r.number()
		if size == 0 || size > maxAskedText {
			return false
		}
		r.text(int(size))
	}
	return !r.bad
}
