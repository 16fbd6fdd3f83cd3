package sharing

import (
	"context"
	"errors"
	"slices"
	"time"

	"fleetfuse/cooldownstore"
)

// Condition is how a place fares in the eyes of a node.
type Condition struct {
	err      error     // of the last attempt to read
	since    time.Time // when reading last began to fail
	warnings []string
	deaf     error     // why changes are seen with a listing only
	at       time.Time // of the last whole listing
	words    int       // in it
	failed   bool      // what was said last
}

// NewCondition is that of a place of which nothing is known yet: it works.
func NewCondition(wall time.Time) Condition { return Condition{since: wall} }

// Read notes how a listing went, and returns the warnings that are new.
func (c *Condition) Read(wall time.Time, err error, warnings []string, words int) (news []string) {
	if errors.Is(err, context.Canceled) {
		return nil // the node stops
	}
	if err != nil && c.err == nil {
		c.since = wall
	}
	if c.err = err; err != nil {
		return nil
	}
	c.at, c.words = wall, words
	for _, w := range warnings {
		if !slices.Contains(c.warnings, w) {
			news = append(news, w)
		}
	}
	c.warnings = warnings
	return news
}

// Deaf notes why nothing is heard of changes, nil if it is.
func (c *Condition) Deaf(err error) { c.deaf = err }

// A Verdict is how sharing goes: it is degraded while reading or writing fails.
type Verdict struct {
	OK       bool
	Since    time.Time // not OK: since when
	Err      error     // not OK: why
	Warnings []string
	ListedAt time.Time // zero: never
	Entries  int       // in the last whole listing
}

// Judge takes together how reading and writing go.
func (c *Condition) Judge(out cooldownstore.Health) Verdict {
	v := Verdict{OK: c.err == nil && out.OK, Warnings: c.warnings, ListedAt: c.at, Entries: c.words}
	if v.OK {
		if c.deaf != nil {
			v.Warnings = append(slices.Clip(v.Warnings), "what others change is seen with the next listing only: "+c.deaf.Error())
		}
		return v
	}
	v.Since, v.Err = c.since, c.err
	if c.err == nil || !out.OK && out.Since.Before(c.since) {
		v.Since, v.Err = out.Since, out.Err
	}
	return v
}

// Changed reports whether a verdict is to be said: the place became unusable, or
// usable again, since it was asked last.
func (c *Condition) Changed(v Verdict) bool {
	changed := c.failed == v.OK
	c.failed = !v.OK
	return changed
}
