package cooldownstore

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A scan reads JSON as this package writes it: the same fields in the same
// order, without blanks and escapes. Whatever is written in another way fails
// it, and encoding/json has to read that, which takes several times as long: a
// node that starts reads a hundred thousand of these.
type scan struct {
	rest   string
	failed bool
}

// next passes over a text if it comes next.
func (s *scan) next(text string) bool {
	rest, ok := strings.CutPrefix(s.rest, text)
	s.rest = rest
	return ok && !s.failed
}

func (s *scan) must(text string) {
	if !s.next(text) {
		s.failed = true
	}
}

// number takes what comes before the end of a value.
func (s *scan) number() string {
	for i := range len(s.rest) {
		if c := s.rest[i]; c == ',' || c == '}' || c == ']' {
			part := s.rest[:i]
			s.rest = s.rest[i:]
			return part
		}
	}
	s.failed = true
	return ""
}

// plain takes a string without escapes. It is a part of the whole text.
func (s *scan) plain() string {
	s.must(`"`)
	part, rest, ok := strings.Cut(s.rest, `"`)
	s.rest = rest
	s.failed = s.failed || !ok
	return part
}

// quoted takes a string. It is a copy: the text it was part of is not kept.
func (s *scan) quoted() string {
	part := s.plain()
	ascii := true
	for i := range len(part) {
		c := part[i]
		s.failed = s.failed || c < ' ' || c == '\\'
		ascii = ascii && c < utf8.RuneSelf
	}
	s.failed = s.failed || !ascii && !utf8.ValidString(part)
	return strings.Clone(part)
}

func (s *scan) float() float64 {
	f, err := strconv.ParseFloat(s.number(), 64)
	s.failed = s.failed || err != nil || f-f != 0 // no infinity, no NaN
	return f
}

func (s *scan) stamp() stampText {
	n, err := strconv.ParseUint(s.plain(), 10, 64)
	s.failed = s.failed || err != nil
	return stampText(n)
}

func (s *scan) time() time.Time {
	t, err := time.Parse(time.RFC3339, s.plain())
	s.failed = s.failed || err != nil
	return t
}

// more reads the fields of a sharedMore.
func (s *scan) more(m *sharedMore) bool {
	s.must(`{"shown":`)
	m.Shown = s.float()
	if s.next(`,"cooldowns":[`) {
		for more := true; more && !s.failed; more = s.next(`,`) {
			m.Cooldowns = append(m.Cooldowns, s.cooldown())
		}
		s.must(`]`)
	}
	if s.next(`,"clear":`) {
		m.Clear = s.stamp()
	}
	if s.next(`,"clear_kept":`) {
		m.ClearKept = s.time()
	}
	if s.next(`,"covered":[`) {
		for more := true; more && !s.failed; more = s.next(`,`) {
			m.Covered = append(m.Covered, s.float())
		}
		s.must(`]`)
	}
	if s.next(`,"updated_at":`) {
		m.UpdatedAt = s.time()
	}
	if s.next(`,"renewed":`) {
		m.Renewed = s.time()
	}
	s.must(`}`)
	return !s.failed
}

func (s *scan) cooldown() (c sharedCooldown) {
	s.must(`{"setter":`)
	c.Setter = s.quoted()
	s.must(`,"stamp":`)
	c.Stamp = s.stamp()
	s.must(`,"until":`)
	c.Until = s.time()
	s.must(`,"length_ns":`)
	n, err := strconv.ParseInt(s.number(), 10, 64)
	s.failed = s.failed || err != nil
	c.LengthNS = time.Duration(n)
	s.must(`,"reason":`)
	c.Reason = s.quoted()
	if s.next(`,"author":`) {
		c.Author = s.quoted()
	}
	if s.next(`,"detail":`) {
		c.Detail = s.quoted()
	}
	s.must(`}`)
	return c
}

// value reads the JSON of a key.
func (s *scan) value(v *sharedValue) bool {
	s.must(`{"until_wall":`)
	v.UntilWall = s.float()
	s.must(`,"reason":`)
	v.Reason = s.quoted()
	if s.next(`,"author":`) {
		v.Author = s.quoted()
	}
	if s.next(`,"detail":`) {
		v.Detail = s.quoted()
	}
	s.must(`,"more":`)
	v.More = &sharedMore{Cooldowns: make([]sharedCooldown, 0, 1)}
	s.more(v.More)
	s.must(`}`)
	return !s.failed
}
