package config

import (
	"cmp"
	"slices"

	"fleetfuse/breaker"
)

// A Change is one setting of the policies, or option of the tuner, that was
// added, changed or removed.
type Change struct {
	Scope    string // defaults, host:NAME, host:*.SUFFIX or resolver:NAME; ScopeTuner
	Field    string // in full; roles.preview is that the role is named, without a field
	From, To string // as the grammar writes it; "" if it was not or is no more set
	Origin   Origin // of what is set now, or of what was removed
}

// named is the text of a role that is named without a field, as in a file.
const named = "{}"

// Diff lists the settings in which two configurations differ, by scope and
// field. A value that only moved to another place is no change.
func Diff(before, after *Breakers) []Change {
	keys := map[breaker.Key]bool{}
	for k := range before.set {
		keys[k] = true
	}
	for k := range after.set {
		keys[k] = true
	}
	var changes []Change
	for k := range keys {
		changes = append(changes, diffOf(k, before.set[k], after.set[k])...)
	}
	slices.SortFunc(changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Field, b.Field))
	})
	return changes
}

func diffOf(k breaker.Key, before, after []setting) []Change {
	if slices.EqualFunc(before, after, setting.same) {
		return nil
	}
	scope := cmp.Or(string(k), "defaults")
	was, is := lastWords(before), lastWords(after)
	var changes []Change
	for name, s := range is {
		if from := was[name].text(); from != s.text() && !isImplied(s, after) {
			changes = append(changes, Change{scope, name, from, s.text(), s.origin})
		}
	}
	for name, s := range was {
		if _, ok := is[name]; !ok && !isImplied(s, before) {
			changes = append(changes, Change{scope, name, s.text(), "", s.origin})
		}
	}
	return changes
}

// lastWords are the settings that count, by name. A field of a role names the
// role too.
func lastWords(list []setting) map[string]setting {
	words := make(map[string]setting, len(list))
	for _, s := range list {
		words[s.name()] = s
		if s.role != "" {
			role := setting{role: s.role, origin: s.origin}
			words[role.name()] = role
		}
	}
	return words
}

// isImplied reports whether all that s says, that a role is named, goes without
// saying: the list has a field of that role.
func isImplied(s setting, list []setting) bool {
	return s.field == nil && slices.ContainsFunc(list, func(t setting) bool { return t.role == s.role && t.field != nil })
}

// same reports whether two settings say the same, wherever they were set.
func (s setting) same(t setting) bool {
	return s.role == t.role && s.field == t.field && s.text() == t.text()
}

// text is the value of a setting as the grammar writes it; "" of no setting.
func (s setting) text() string {
	switch {
	case s.field != nil:
		return valueText(s.value)
	case s.role != "":
		return named
	}
	return ""
}
