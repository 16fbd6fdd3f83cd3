package cooldownstore

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// encode writes JSON as encoding/json does, byte for byte, in a part of its
// time: each of the thousands of records of a second is written so.
func (m *sharedMore) encode() (string, error) {
	a := appender{b: make([]byte, 0, 384)}
	a.more(m)
	if a.failed {
		b, err := json.Marshal(m)
		return string(b), err
	}
	return string(a.b), nil
}

// An appender writes the JSON that scan reads. What takes thought (escapes,
// odd numbers, years beyond 9999) fails it: encoding/json has to write that.
type appender struct {
	b      []byte
	failed bool
}

func (a *appender) raw(text string) { a.b = append(a.b, text...) }

func (a *appender) text(name, text string) {
	a.raw(name)
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			a.failed = true
			return
		}
	}
	a.raw(`"`)
	a.raw(text)
	a.raw(`"`)
}

func (a *appender) textUnlessEmpty(name, text string) {
	if text != "" {
		a.text(name, text)
	}
}

func (a *appender) float(f float64) {
	if abs := math.Abs(f); f != 0 && !(abs >= 1e-6 && abs < 1e21) {
		a.failed = true
		return
	}
	a.b = strconv.AppendFloat(a.b, f, 'f', -1, 64)
}

func (a *appender) stamp(name string, s stampText) {
	a.raw(name)
	a.raw(`"`)
	a.b = strconv.AppendUint(a.b, uint64(s), 10)
	a.raw(`"`)
}

func (a *appender) time(name string, t time.Time) {
	a.raw(name)
	a.failed = a.failed || t.Year() < 0 || t.Year() > 9999 || t.Location() != time.UTC
	a.raw(`"`)
	a.b = t.AppendFormat(a.b, time.RFC3339Nano)
	a.raw(`"`)
}

func (a *appender) timeUnlessZero(name string, t time.Time) {
	if !t.IsZero() {
		a.time(name, t)
	}
}

// next begins the i-th element of a list.
func (a *appender) next(list string, i int) {
	if i > 0 {
		list = `,`
	}
	a.raw(list)
}

func (a *appender) more(m *sharedMore) {
	a.raw(`{"shown":`)
	a.float(m.Shown)
	for i := range m.Cooldowns {
		a.next(`,"cooldowns":[`, i)
		a.cooldown(&m.Cooldowns[i])
	}
	if len(m.Cooldowns) > 0 {
		a.raw(`]`)
	}
	if m.Clear != 0 {
		a.stamp(`,"clear":`, m.Clear)
	}
	a.timeUnlessZero(`,"clear_kept":`, m.ClearKept)
	for i, f := range m.Covered {
		a.next(`,"covered":[`, i)
		a.float(f)
	}
	if len(m.Covered) > 0 {
		a.raw(`]`)
	}
	a.timeUnlessZero(`,"updated_at":`, m.UpdatedAt)
	a.timeUnlessZero(`,"renewed":`, m.Renewed)
	a.raw(`}`)
}

func (a *appender) cooldown(c *sharedCooldown) {
	a.text(`{"setter":`, c.Setter)
	a.stamp(`,"stamp":`, c.Stamp)
	a.time(`,"until":`, c.Until)
	a.raw(`,"length_ns":`)
	a.b = strconv.AppendInt(a.b, int64(c.LengthNS), 10)
	a.text(`,"reason":`, c.Reason)
	a.textUnlessEmpty(`,"author":`, c.Author)
	a.textUnlessEmpty(`,"detail":`, c.Detail)
	a.raw(`}`)
}
