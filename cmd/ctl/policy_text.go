package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"fleetfuse/api"
)

// valueText is a policy's value as --set takes it.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		return orDash(v)
	case []any:
		if len(v) == 0 {
			return "none" // as --set and the files have it
		}
		texts := make([]string, len(v))
		for i := range v {
			texts[i] = valueText(v[i])
		}
		return strings.Join(texts, ",")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// fieldsText lists fields in one line: "fail_max=3 mode=shadow".
func fieldsText(fields map[string]any) string {
	texts := make([]string, 0, len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		texts = append(texts, name+"="+valueText(fields[name]))
	}
	return strings.Join(texts, " ")
}

// overlayText says who replaced what, when, why and until when.
func (s *session) overlayText(o api.PolicyOverlay) string {
	now := s.env.now()
	head := o.Register + " version " + o.Version
	if o.State != "" {
		head += " (" + o.State + ")"
	}
	text := printable(head) + "\n"
	row := func(name, value string) {
		if value != "" {
			text += fmt.Sprintf("  %-11s", name) + indented(printable(value), 13) + "\n"
		}
	}
	row("set", fmt.Sprintf("%s (%s), by %s", moment(o.SetAt), ago(o.SetAt, now), orDash(o.Author)))
	row("reason", o.Reason)
	if o.Base != noVersion {
		row("made from", o.Base)
	}
	switch {
	case len(o.Fields) > 0:
		row("fields", fieldsText(o.Fields))
	case len(o.Temporary) == 0:
		row("fields", "none: it was reset")
	}
	if len(o.Temporary) == 0 {
		return text
	}
	row("temporary", fieldsText(o.Temporary))
	switch {
	case o.Until == nil:
	case o.Until.After(now):
		row("until", fmt.Sprintf("%s (%s)", moment(*o.Until), span(o.Until.Sub(now))))
	default:
		row("until", fmt.Sprintf("%s (%s: over)", moment(*o.Until), ago(*o.Until, now)))
	}
	return text
}

// indented breaks a paragraph into lines that all begin at a column.
func indented(paragraph string, column int) string {
	return strings.ReplaceAll(wrap(paragraph, textWidth-column), "\n", "\n"+strings.Repeat(" ", column))
}

// changesText lists the effective values that change, one on a line.
func changesText(changes []api.PolicyDifferent) string {
	if len(changes) == 0 {
		return "  no effective value changes\n"
	}
	width := 0
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = printable(c.Field)
		width = max(width, utf8.RuneCountInString(names[i]))
	}
	var b strings.Builder
	for i, c := range changes {
		pad := strings.Repeat(" ", width-utf8.RuneCountInString(names[i]))
		b.WriteString("  " + names[i] + pad + "  " + printable(valueText(c.From)) + " -> " + printable(valueText(c.To)) + "\n")
	}
	return b.String()
}
