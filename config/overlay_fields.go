package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxNesting is how deep the objects nest that name a field: roles, a role,
// its fields.
const maxNesting = 3

// OverlayOf reads fields as JSON has them: {"fail_max": 3, "reset_timeout":
// "90s", "roles.metadata.trial_calls": 2, "rolling": {"enabled": true},
// "classify.failure_statuses": [429, 500]}. An object is a dotted name. A bare
// number where a duration is wanted has the unit that a file gives it. All
// problems are joined; each names its field.
func OverlayOf(fields map[string]any) (Overlay, error) {
	r := fieldReader{seen: map[string]string{}}
	r.object(fields, "", 1)
	if len(r.problems) > 0 {
		return Overlay{}, errors.Join(r.problems...)
	}
	return newOverlay(r.list)
}

// A fieldReader collects the settings of an object and what is wrong with it.
type fieldReader struct {
	list     []setting
	seen     map[string]string // full name → the spelling used
	problems []error
}

func (r *fieldReader) fail(err error) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, err)
	}
}

func (r *fieldReader) object(fields map[string]any, prefix string, depth int) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		path, value := prefix+name, fields[name]
		inner, isObject := value.(map[string]any)
		switch {
		case !isObject:
			r.field(path, value)
		case depth == maxNesting:
			r.fail(fmt.Errorf("unknown policy field %s: objects nest at most %d deep, as in roles.metadata.fail_max", quote(path), maxNesting))
		case len(inner) == 0:
			r.fail(fmt.Errorf("%s is an empty object; name a field and its value in it, or leave it out", quote(path)))
		default:
			r.object(inner, path+".", depth+1)
		}
	}
}

func (r *fieldReader) field(path string, value any) {
	if len(r.list) > maxOverlayFields {
		return // newOverlay says so
	}
	text, err := textOf(value)
	if err != nil {
		r.fail(fmt.Errorf("%s %w", quote(path), err))
		return
	}
	s, err := pair{name: path, value: text, given: true}.setting("", "")
	if err == nil {
		err = wantsList(s.field, path, value)
	}
	if err != nil {
		for _, problem := range unjoin(err) {
			r.fail(problem)
		}
		return
	}
	if earlier, ok := r.seen[s.name()]; ok {
		r.fail(twice(earlier, path))
		return
	}
	r.seen[s.name()] = path
	r.list = append(r.list, s)
}

// textOf writes a value of JSON as the grammar has it.
func textOf(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case int:
		return strconv.Itoa(v), nil
	case json.Number:
		if x, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
			return textOf(x) // 3.0 and 1e3 are whole numbers of JSON
		}
		return v.String(), nil
	case []int:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return textOf(list)
	case []any:
		return textOfList(v)
	case nil:
		return "", errors.New("has no value: it is null")
	}
	return "", fmt.Errorf("is a %T; want a number, a text, true, false or a list of statuses", value)
}

func textOfList(list []any) (string, error) {
	if len(list) == 0 {
		return "none", nil
	}
	if len(list) > maxStatuses {
		return "", fmt.Errorf("has %d elements; at most %d make sense", len(list), maxStatuses)
	}
	texts := make([]string, 0, len(list))
	for _, element := range list {
		switch element.(type) {
		case []any, []int:
			return "", errors.New("has a list in its list; want HTTP statuses")
		}
		text, err := textOf(element)
		if err != nil {
			return "", fmt.Errorf("has an element that %w", err)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ","), nil
}

// wantsList refuses a list of one element for a field that is none.
func wantsList(f *field, path string, value any) error {
	_, isList := f.kind().(*[]int)
	switch value.(type) {
	case []any, []int:
		if !isList {
			return fmt.Errorf("%s wants one value, not a list", path)
		}
	}
	return nil
}
