package rollup

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// ErrBadCounts is returned for bytes that encode no Counts.
var ErrBadCounts = errors.New("these bytes are no rollup")

// format is the first byte of encoded Counts.
const format = 1

// The parts of encoded Counts, in their order.
const (
	partSuccesses = iota
	partFailures
	partNeutral
	partFromCache
	partProbesOK
	partProbesFailed
	partRejected
	partLongestRun
	partRetryAfter
	partLatency
	partUnavailable
	parts
)

// number is a part that is one number, nil for another.
func (c *Counts) number(part int) *uint64 {
	switch part {
	case partSuccesses:
		return &c.Successes
	case partNeutral:
		return &c.Neutral
	case partFromCache:
		return &c.FromCache
	case partProbesOK:
		return &c.ProbesOK
	case partProbesFailed:
		return &c.ProbesFailed
	case partLongestRun:
		return &c.LongestRun
	case partUnavailable:
		return &c.Unavailable
	}
	return nil
}

// list is a part that is several numbers, nil for another.
func (c *Counts) list(part int) []uint64 {
	switch part {
	case partFailures:
		return c.Failures[:]
	case partRejected:
		return c.Rejected[:]
	case partLatency:
		return c.Latency[:]
	}
	return nil
}

// Append encodes the counts: what is zero takes no room, so that a key with
// nothing but successes in a few latency buckets takes about 20 bytes.
func (c *Counts) Append(b []byte) []byte {
	var present uint64
	for part := range parts {
		n := c.number(part)
		if n != nil && *n != 0 || some(c.list(part)) != 0 || part == partRetryAfter && c.RetryAfter[0].Count > 0 {
			present |= 1 << part
		}
	}
	b = binary.AppendUvarint(append(b, format), present)
	for part := range parts {
		if present&(1<<part) == 0 {
			continue
		}
		if n := c.number(part); n != nil {
			b = binary.AppendUvarint(b, *n)
		} else if part == partRetryAfter {
			b = c.RetryAfter.append(b)
		} else {
			b = appendList(b, c.list(part))
		}
	}
	return b
}

// maxTold is the most of anything that one node can have counted of a key and role,
// in all the days that it remembers: so that the sums of all nodes are numbers.
const maxTold = 1 << 44

// Possible reports whether a node can have counted this: it may come from another.
func (c *Counts) Possible() bool {
	for part := range parts {
		if n := c.number(part); n != nil && *n > maxTold {
			return false
		}
		for _, n := range c.list(part) {
			if n > maxTold {
				return false
			}
		}
	}
	for _, w := range c.RetryAfter {
		if w.Count > maxTold {
			return false
		}
	}
	return true
}

func appendList(b []byte, list []uint64) []byte {
	b = binary.AppendUvarint(b, some(list))
	for _, n := range list {
		if n > 0 {
			b = binary.AppendUvarint(b, n)
		}
	}
	return b
}

// some has a bit for each number that is not zero.
func some(list []uint64) (mask uint64) {
	for i, n := range list {
		if n != 0 {
			mask |= 1 << i
		}
	}
	return mask
}

func (r *RetryAfters) append(b []byte) []byte {
	n := 0
	for n < len(r) && r[n].Count > 0 {
		n++
	}
	b = binary.AppendUvarint(b, uint64(n))
	for _, w := range r[:n] {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(w.Seconds)), w.Count)
	}
	return b
}

// AddEncoded adds encoded counts and returns the bytes behind them. If the error
// is not nil nothing was added.
func (c *Counts) AddEncoded(b []byte) (rest []byte, err error) {
	if len(b) == 0 || b[0] != format {
		return b, ErrBadCounts
	}
	r := reader{b: b[1:]}
	present := r.number()
	var read Counts
	for ; present != 0 && !r.bad; present &= present - 1 {
		part := bits.TrailingZeros64(present)
		if n := read.number(part); n != nil {
			*n = r.number()
		} else if list := read.list(part); list != nil {
			r.numbers(list)
		} else if part == partRetryAfter {
			r.retryAfters(&read.RetryAfter)
		} else { // of a later version
			r.bad = true
		}
	}
	if r.bad {
		return b, ErrBadCounts
	}
	c.Add(&read)
	return r.b, nil
}

// A reader takes numbers from bytes; bad says they were none.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) signed() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) eight() uint64 {
	if len(r.b) < 8 {
		r.b, r.bad = nil, true
		return 0
	}
	n := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return n
}

func (r *reader) numbers(list []uint64) {
	for mask := r.number(); mask != 0 && !r.bad; mask &= mask - 1 {
		i := bits.TrailingZeros64(mask)
		if i >= len(list) {
			r.bad = true
			return
		}
		list[i] = r.number()
	}
}

func (r *reader) retryAfters(list *RetryAfters) {
	n := r.number()
	if n > uint64(len(list)) {
		r.bad = true
		return
	}
	for range n {
		seconds, count := r.number(), r.number()
		if uint64(uint32(seconds)) != seconds || count == 0 {
			r.bad = true
			return
		}
		list.add(Wait{uint32(seconds), count})
	}
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	first := r.b[0]
	r.b = r.b[1:]
	return first
}

func (r *reader) text(n int) string {
	if n < 0 || n > len(r.b) {
		r.b, r.bad = nil, true
		return ""
	}
	text := string(r.b[:n])
	r.b = r.b[n:]
	return text
}
