package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// Limits of an overlay. It travels between nodes and stays in their histories.
const (
	maxOverlayFields = 64
	maxOverlayBytes  = breaker.MaxFieldsBytes // of its text
)

// An Overlay is policy fields that were replaced at run time, of one breaker.
// The zero Overlay is empty. An Overlay never changes.
type Overlay struct {
	list []setting // in the order of the table, the breaker's own before those of roles; no field twice
}

// ParseOverlay reads the text of an Overlay, in the grammar of --breaker; "" is
// the empty one. All problems are returned, joined.
func ParseOverlay(text string) (Overlay, error) {
	if skipBlanks(text) == "" {
		return Overlay{}, nil
	}
	list, err := parseFields(text, "", "")
	if err != nil {
		return Overlay{}, err
	}
	return newOverlay(list)
}

// newOverlay puts settings of different fields into their one form, and holds
// them to the limits.
func newOverlay(list []setting) (Overlay, error) {
	if len(list) > maxOverlayFields {
		return Overlay{}, fmt.Errorf("sets %d fields; at most %d can be replaced, a file takes more", len(list), maxOverlayFields)
	}
	o := Overlay{slices.Clone(list)}
	for i, s := range o.list {
		if statuses, ok := s.value.([]int); ok { // a set: order and repetition mean nothing
			statuses = slices.Clone(statuses)
			slices.Sort(statuses)
			o.list[i].value = slices.Compact(statuses)
		}
	}
	slices.SortFunc(o.list, func(a, b setting) int {
		return cmp.Or(cmp.Compare(a.role, b.role), cmp.Compare(a.field.row(), b.field.row()))
	})
	if n := len(o.String()); n > maxOverlayBytes {
		return Overlay{}, fmt.Errorf("has %d bytes as text; at most %d can be replaced, a file takes more", n, maxOverlayBytes)
	}
	return o, nil
}

// String is the one text of the overlay, which ParseOverlay reads.
func (o Overlay) String() string {
	pairs := make([]string, 0, len(o.list))
	for _, s := range o.list {
		pairs = append(pairs, s.name()+":"+valueText(s.value))
	}
	return strings.Join(pairs, ",")
}

// Empty reports whether nothing is replaced.
func (o Overlay) Empty() bool { return len(o.list) == 0 }

// Fields are the values as JSON shows them, by full name.
func (o Overlay) Fields() map[string]any {
	shown := make(map[string]any, len(o.list))
	for _, s := range o.list {
		shown[s.name()] = valueJSON(s.value)
	}
	return shown
}

// Numbers are the values that are numbers, by full name; durations are in seconds.
func (o Overlay) Numbers() map[string]float64 {
	numbers := map[string]float64{}
	for _, s := range o.list {
		switch v := s.value.(type) {
		case int:
			numbers[s.name()] = float64(v)
		case float64:
			numbers[s.name()] = v
		case time.Duration:
			numbers[s.name()] = v.Seconds()
		}
	}
	return numbers
}

// With is o with the fields of changes laid over it.
func (o Overlay) With(changes Overlay) (Overlay, error) {
	list := slices.DeleteFunc(slices.Clone(o.list), func(s setting) bool { return changes.index(s.role, s.field) >= 0 })
	return newOverlay(append(list, changes.list...))
}

// Without is o without the named fields. It is an error to name one that o
// does not have.
func (o Overlay) Without(names []string) (Overlay, error) {
	var problems []error
	gone := map[int]bool{}
	for _, name := range names {
		role, path, err := splitPath(name)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		f, err := fieldFor(role, path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		i := o.index(role, f)
		if i < 0 {
			problems = append(problems, fmt.Errorf("%s is not replaced; %s", quote(name), o.replaced()))
		}
		gone[i] = true
	}
	if len(problems) > 0 {
		return Overlay{}, errors.Join(problems...)
	}
	var list []setting
	for i, s := range o.list {
		if !gone[i] {
			list = append(list, s)
		}
	}
	return Overlay{list}, nil
}

// index finds a field in the list; -1 if it is not there.
func (o Overlay) index(role string, f *field) int {
	return slices.IndexFunc(o.list, func(s setting) bool { return s.role == role && s.field == f })
}

// replaced says in an error which fields are.
func (o Overlay) replaced() string {
	if o.Empty() {
		return "nothing is"
	}
	return "replaced are " + strings.Join(slices.Sorted(maps.Keys(o.Fields())), ", ")
}

// A Layer is an Overlay and what the origin of its values reads.
type Layer struct {
	Name    string
	Overlay Overlay
}

func (l Layer) settings() []setting {
	list := slices.Clone(l.Overlay.list)
	for i := range list {
		list[i].origin = Origin{Source: l.Name}
	}
	return list
}

// Overlaid is the policy of k with layers laid over its own settings, the
// weakest first. An error says what makes the whole invalid, and where that
// was set.
func (b *Breakers) Overlaid(k breaker.Key, layers ...Layer) (*breaker.Policy, error) {
	if !slices.ContainsFunc(layers, func(l Layer) bool { return !l.Overlay.Empty() }) {
		return b.Policy(k), nil
	}
	levels := b.levels(k, layers)
	p := b.laid(k, levels[0])
	var problems []error
	for _, problem := range unjoin(p.Validate()) {
		problems = append(problems, fmt.Errorf("%w; set by %s", problem, placeIn(levels, problem, "nobody")))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return p, nil
}
