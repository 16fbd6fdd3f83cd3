package simulation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// A Kept is a plan that broke a promise once, shrunk. It lies in testdata, so
// that it never does again.
type Kept struct {
	Check string // the promise
	Story string // what was wrong
	// Known says why it still breaks it; "" if that was put right.
	Known string `json:",omitempty"`
	Plan  Plan
}

// MarshalText and UnmarshalText make plans readable: names and durations.

// MarshalText is the fault's name.
func (k FaultKind) MarshalText() ([]byte, error) { return []byte(faultKinds[k].name), nil }

// UnmarshalText reads a fault's name.
func (k *FaultKind) UnmarshalText(text []byte) error {
	return indexOf((*uint8)(k), kindNames(), text)
}

// MarshalText is the word's name.
func (k WordKind) MarshalText() ([]byte, error) { return []byte(wordNames[k]), nil }

// UnmarshalText reads a word's name.
func (k *WordKind) UnmarshalText(text []byte) error { return indexOf((*uint8)(k), wordNames, text) }

// MarshalText is the mode's name.
func (m Mode) MarshalText() ([]byte, error) { return []byte(modeNames[m]), nil }

// UnmarshalText reads a mode's name.
func (m *Mode) UnmarshalText(text []byte) error { return indexOf((*uint8)(m), modeNames, text) }

func indexOf(k *uint8, names []string, text []byte) error {
	i := slices.Index(names, string(text))
	if i < 0 {
		return fmt.Errorf("%q is none of %v", text, names)
	}
	*k = uint8(i)
	return nil
}

// Text is the file's: JSON in which durations are as in 1m30s.
func (k *Kept) Text() ([]byte, error) {
	text, err := json.Marshal(readable(reflect.ValueOf(*k)))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, text, "", "  ")
	out.WriteByte('\n')
	return out.Bytes(), err
}

// readable is a value with durations as text and without what is zero.
func readable(v reflect.Value) any {
	if d, ok := v.Interface().(time.Duration); ok {
		return d.String()
	}
	switch v.Kind() {
	case reflect.Struct:
		fields := map[string]any{}
		for i := range v.NumField() {
			if f := v.Type().Field(i); !v.Field(i).IsZero() && f.Tag.Get("json") != "-" {
				fields[f.Name] = readable(v.Field(i))
			}
		}
		return fields
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = readable(v.Index(i))
		}
		return list
	}
	return v.Interface()
}

// ParseKept reads a file.
func ParseKept(text []byte) (k Kept, err error) {
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return k, err
	}
	if fields["Plan"], err = machineReadable(fields["Plan"], reflect.TypeFor[Plan]()); err != nil {
		return k, err
	}
	plain, err := json.Marshal(fields)
	if err != nil {
		return k, err
	}
	if err := json.Unmarshal(plain, &k); err != nil {
		return k, err
	}
	k.Plan.Policies, err = policiesOf(k.Plan.Environ)
	return k, err
}

// machineReadable is what readable was made of, as encoding/json has it.
func machineReadable(x any, t reflect.Type) (any, error) {
	var err error
	switch x := x.(type) {
	case string:
		if t == reflect.TypeFor[time.Duration]() {
			return time.ParseDuration(x)
		}
	case map[string]any:
		for name := range x {
			f, ok := t.FieldByName(name)
			if !ok {
				return nil, fmt.Errorf("%s has no %s", t, name)
			}
			if x[name], err = machineReadable(x[name], f.Type); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range x {
			if x[i], err = machineReadable(x[i], t.Elem()); err != nil {
				return nil, err
			}
		}
	}
	return x, nil
}
