package cooldownstore

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// MaxSharedBytes bounds a value: the longest of ours is half of it. A longer
// one is not read.
const MaxSharedBytes = 64 << 10

// yearsAway is how far ahead another program's deadline may be before it is
// taken for a mistake in its unit.
const yearsAway = 366 * 24 * time.Hour

// maxSharedCooldowns bounds the cooldowns read from one value.
const maxSharedCooldowns = 8

// A sharedValue is the JSON of one key. UntilWall and Reason are documented
// for other programs: the longest survivor, 0 if cleared. Fields are only ever
// added.
type sharedValue struct {
	UntilWall float64     `json:"until_wall"` // epoch seconds
	Reason    string      `json:"reason"`
	Author    string      `json:"author,omitempty"`
	Detail    string      `json:"detail,omitempty"`
	More      *sharedMore `json:"more,omitempty"`

	updatedAt float64 // as the columns of a table say, 0 if nothing does
}

// valueOf is a word as a value.
func valueOf(w *SharedWord) sharedValue {
	m := moreOf(w)
	v := sharedValue{UntilWall: m.Shown, More: &m}
	if i := w.Longest(); i >= 0 {
		c := &w.Snapshot.Cooldowns[i]
		v.Reason, v.Author, v.Detail = string(c.Reason), c.Author, c.Detail
	}
	return v
}

// encodeShared writes a word as the JSON of a key.
func encodeShared(w SharedWord) (string, error) {
	text, err := json.Marshal(valueOf(&w))
	if err != nil {
		return "", fmt.Errorf("write %s: %w", w.Key, err)
	}
	return string(text), nil
}

// decodeShared reads a value that anybody may have written. A field of ours
// that is not as we write it counts as absent.
func decodeShared(text string) (v sharedValue, err error) {
	if len(text) > MaxSharedBytes {
		return sharedValue{}, fmt.Errorf("more than %d bytes long", MaxSharedBytes)
	}
	if s := (scan{rest: text}); s.value(&v) && s.rest == "" {
		return v, nil
	}
	v = sharedValue{}
	if json.Unmarshal([]byte(text), &v) == nil && v.More != nil && (v.UntilWall != 0 || v.More.Clear != 0) {
		return v, nil
	}
	var loose struct {
		UntilWall *float64        `json:"until_wall"`
		Reason    json.RawMessage `json:"reason"`
		More      json.RawMessage `json:"more"`
	}
	if json.Unmarshal([]byte(text), &loose) != nil || loose.UntilWall == nil {
		return sharedValue{}, errors.New(`not a JSON object with a number "until_wall"`)
	}
	v = sharedValue{UntilWall: *loose.UntilWall}
	if json.Unmarshal(loose.Reason, &v.Reason) != nil {
		v.Reason = ""
	}
	if json.Unmarshal(loose.More, &v.More) != nil {
		v.More = nil
	}
	return v, nil
}

// ownWord is what we wrote into a value, as far as it can be true at a wall
// time: an error says what was passed over.
func (v sharedValue) ownWord(key breaker.Key, wall time.Time) (w SharedWord, err error) {
	w.Key = key
	m := v.More
	if m == nil {
		return w, nil
	}
	ahead := breaker.StampAt(wall.Add(breaker.MaxStampLead))
	w.UpdatedAt, w.Covered = m.UpdatedAt, m.Covered[:min(len(m.Covered), maxCovered)]
	if clear := breaker.Stamp(m.Clear); clear > ahead {
		err = breaker.ErrStampAhead
	} else if clear != 0 {
		w.Snapshot.Clear, w.ClearKept = clear, m.ClearKept
	}
	for i, c := range m.Cooldowns {
		switch {
		case i >= maxSharedCooldowns:
			return w, fmt.Errorf("more than %d cooldowns", maxSharedCooldowns)
		case breaker.Stamp(c.Stamp) > ahead:
			err = breaker.ErrStampAhead
		case c.Stamp == 0 || c.Until.IsZero() || c.Until.Sub(wall) > yearsAway:
			err = cmp.Or(err, errors.New("a cooldown without a stamp, or with a deadline no clock shows"))
		default:
			w.add(c)
		}
	}
	return w, err
}

func (w *SharedWord) add(c sharedCooldown) {
	w.Snapshot.Cooldowns = append(w.Snapshot.Cooldowns, breaker.Cooldown{
		Setter: clean(c.Setter), Stamp: breaker.Stamp(c.Stamp), Length: min(max(c.LengthNS, 0), breaker.MaxOpen),
		Reason: breaker.Reason(clean(c.Reason)), Author: clean(c.Author), Detail: clean(c.Detail),
	})
	w.Wall = append(w.Wall, c.Until.UTC())
}

func clean(s string) string { return breaker.Cut(strings.ToValidUTF8(s, "\uFFFD")) }
