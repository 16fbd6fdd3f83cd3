package cooldownstore

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// sharedMore is what of a word only we read, the JSON beside the fields that
// are documented for other programs. Stamps are text: a program that copies the
// value may read numbers into a float64, where they do not fit. Fields are only
// ever added.
type sharedMore struct {
	Shown     float64          `json:"shown"` // the until_wall that goes with it
	Cooldowns []sharedCooldown `json:"cooldowns,omitempty"`
	Clear     stampText        `json:"clear,omitempty"`
	ClearKept time.Time        `json:"clear_kept,omitzero"`
	Covered   []float64        `json:"covered,omitempty"`
	UpdatedAt time.Time        `json:"updated_at,omitzero"`
	Renewed   time.Time        `json:"renewed,omitzero"` // in a node's own store only
}

type sharedCooldown struct {
	Setter   string        `json:"setter"`
	Stamp    stampText     `json:"stamp"`
	Until    time.Time     `json:"until"`
	LengthNS time.Duration `json:"length_ns"`
	Reason   string        `json:"reason"`
	Author   string        `json:"author,omitempty"`
	Detail   string        `json:"detail,omitempty"`
}

// stampText is a stamp as JSON text. A number is read too: so it was in the
// first state.db.
type stampText breaker.Stamp

func (s stampText) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `"%d"`, s), nil
}

func (s *stampText) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseUint(strings.Trim(string(b), `"`), 10, 64)
	*s = stampText(n)
	return err
}

// Longest is the index of the cooldown that ends last, which is the one that
// other programs are shown; -1 if there is none.
func (r *Record) Longest() int {
	longest := -1
	for i := range min(len(r.Snapshot.Cooldowns), len(r.Wall)) {
		if longest < 0 || r.Wall[i].After(r.Wall[longest]) {
			longest = i
		}
	}
	return longest
}

// moreOf is what of a word stands beside the documented fields.
func moreOf(w *SharedWord) sharedMore {
	m := sharedMore{
		Clear: stampText(w.Snapshot.Clear), ClearKept: w.ClearKept.UTC(), Covered: w.Covered,
		UpdatedAt: w.UpdatedAt.UTC(), Renewed: w.Renewed.UTC(),
	}
	for i, c := range w.Snapshot.Cooldowns {
		m.Cooldowns = append(m.Cooldowns, sharedCooldown{
			Setter: c.Setter, Stamp: stampText(c.Stamp), Until: w.Wall[i].UTC(), LengthNS: c.Length,
			Reason: string(c.Reason), Author: c.Author, Detail: c.Detail,
		})
	}
	if i := w.Longest(); i >= 0 {
		m.Shown = EpochSeconds(w.Wall[i])
	}
	return m
}

// EncodeMore writes what of a word other programs are not shown as JSON.
func EncodeMore(w SharedWord) (string, error) {
	m := moreOf(&w)
	return m.encode()
}

// DecodeMore reads what EncodeMore wrote, and the until_wall that goes with
// it; false if text is something else.
func DecodeMore(key breaker.Key, text string) (w SharedWord, shown float64, ok bool) {
	var one [1]sharedCooldown // which is what most records hold
	m, ok := decodeMore(text, one[:0])
	if !ok {
		return SharedWord{}, 0, false
	}
	w = SharedWord{Record: Record{Key: key, ClearKept: m.ClearKept, UpdatedAt: m.UpdatedAt, Renewed: m.Renewed}, Covered: m.Covered}
	w.Snapshot.Clear = breaker.Stamp(m.Clear)
	if n := len(m.Cooldowns); n > 0 {
		w.Snapshot.Cooldowns = make([]breaker.Cooldown, 0, n)
		w.Wall = make([]time.Time, 0, n)
	}
	for _, c := range m.Cooldowns {
		w.Snapshot.Cooldowns = append(w.Snapshot.Cooldowns, breaker.Cooldown{
			Setter: c.Setter, Stamp: breaker.Stamp(c.Stamp), Length: c.LengthNS,
			Reason: breaker.Reason(c.Reason), Author: c.Author, Detail: c.Detail,
		})
		w.Wall = append(w.Wall, c.Until)
	}
	return w, m.Shown, true
}

// decodeMore reads text; its cooldowns go to room, if it is large enough.
func decodeMore(text string, room []sharedCooldown) (m sharedMore, ok bool) {
	m.Cooldowns = room
	if s := (scan{rest: text}); s.more(&m) && s.rest == "" {
		return m, true
	}
	return unmarshalMore(text)
}

func unmarshalMore(text string) (m sharedMore, ok bool) {
	if json.Unmarshal([]byte(text), &m) != nil {
		return sharedMore{}, false
	}
	return m, true
}
