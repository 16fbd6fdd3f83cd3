package replay

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
)

// digest tells two cases apart. Outcomes and gaps, of which there are many, go in
// as numbers; all else as it prints, maps in the order of their keys.
func (c *Case) digest() uint64 {
	h := fnv.New64a()
	var b []byte
	number := func(n int64) { b = binary.AppendVarint(b, n) }
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	flush := func() {
		_, _ = h.Write(b) // a hash takes everything
		b = b[:0]
	}
	for i := range c.Tape.Outcomes {
		o := &c.Tape.Outcomes[i]
		flags := int64(o.Kind) << 2
		if o.Slow {
			flags |= 1
		}
		if o.Strict {
			flags |= 2
		}
		for _, n := range []int64{flags, int64(o.Count), int64(o.Began), int64(o.Ended), int64(o.Permit), int64(o.Status)} {
			number(n)
		}
		for _, s := range []string{o.Node, o.Role, o.Error, o.RetryAfter} {
			text(s)
		}
		flush()
	}
	for _, g := range c.Tape.Blocked {
		number(int64(g.From))
		number(int64(g.To))
		number(int64(g.Calls))
		flush()
	}
	fmt.Fprintf(h, "%d outcomes of %d, %v/s\n%+v\n%+v\n%+v %v %d",
		len(c.Tape.Outcomes), c.Tape.Members, c.Tape.CallsPerSecond, c.Old, c.Proposed, c.Prices, c.Doubt, c.Seed)
	return h.Sum64()
}
