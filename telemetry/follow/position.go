package follow

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Position is how far the log of each member, by its id, was read; and since
// when, for those that are not in it.
type Position map[string]uint64

// timeOf is the time in a position: microseconds since 1970, in place of a member.
const timeOf = "@"

// maxMicro bounds a time that somebody hands in.
const maxMicro = 1 << 52

// maxPosition bounds the members in a position that somebody hands in: those of a
// large cluster, and as many that are gone.
const maxPosition = 1024

// String writes the position as a Last-Event-ID: "ID:NUMBER" for each member.
func (p Position) String() string {
	var t strings.Builder
	for i, id := range slices.Sorted(maps.Keys(p)) {
		if i > 0 {
			t.WriteByte(',')
		}
		t.WriteString(id)
		t.WriteByte(':')
		t.WriteString(strconv.FormatUint(p[id], 10))
	}
	return t.String()
}

// ParsePosition reads what String wrote; "" is nil.
func ParsePosition(text string) (Position, error) {
	if text == "" {
		return nil, nil
	}
	p := Position{}
	for part := range strings.SplitSeq(text, ",") {
		id, number, found := strings.Cut(part, ":")
		at, err := strconv.ParseUint(number, 10, 64)
		if !found || id == "" || err != nil {
			return nil, fmt.Errorf("%.80q is no position of a stream of events: use the id of an event of one, or leave it out", part)
		}
		if p[id] = at; len(p) > maxPosition {
			return nil, fmt.Errorf("a position of more than %d members: leave it out to begin anew", maxPosition)
		}
	}
	return p, nil
}
