package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"fleetfuse/api"
	"fleetfuse/internal/tty"
)

// json reports whether the answer is wanted as JSON.
func (s *session) json() bool { return s.output.value == "json" }

// say writes a message, which is not part of the answer, to stderr.
func (s *session) say(format string, args ...any) {
	fmt.Fprintln(s.stderr, printable(fmt.Sprintf(format, args...)))
}

// print writes a part of the answer. The text is printable already.
func (s *session) print(text string) error {
	if _, err := io.WriteString(s.stdout, text); err != nil {
		return &outputError{err}
	}
	return nil
}

// printJSON writes the answer as one JSON value.
func (s *session) printJSON(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return &outputError{err}
	}
	return s.print(asciiControls(string(b)) + "\n")
}

// printJSONLine writes one of several JSON values, a line each.
func (s *session) printJSONLine(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return &outputError{err}
	}
	return s.print(asciiControls(string(b)) + "\n")
}

// asciiControls escapes what JSON lets through although a terminal obeys it:
// DEL, the C1 controls, marks that turn the writing around. All of it is inside
// JSON strings, where \u is at home.
func asciiControls(doc string) string {
	hostile := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
	if strings.IndexFunc(doc, hostile) < 0 {
		return doc
	}
	var b strings.Builder
	for _, r := range doc {
		switch {
		case !hostile(r):
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// table writes rows in columns. Cells are made printable here; colour comes
// after the widths are known, on the column of states.
func (s *session) table(header []string, rows [][]string) error {
	widths := make([]int, len(header))
	for _, row := range append([][]string{header}, rows...) {
		for i := range row {
			row[i] = printable(row[i])
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	stateColumn := -1
	for i, h := range header {
		if h == "STATE" {
			stateColumn = i
		}
	}
	var b strings.Builder
	b.WriteString(line(header, widths, -1, s))
	for _, row := range rows {
		b.WriteString(line(row, widths, stateColumn, s))
	}
	return s.print(b.String())
}

func line(row []string, widths []int, stateColumn int, s *session) string {
	var b strings.Builder
	for i, cell := range row {
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
		if i == stateColumn {
			cell = s.paint(cell)
		}
		b.WriteString(cell + pad)
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

// paint colours the word for a state. The word stays: colour never stands
// alone.
func (s *session) paint(word string) string {
	codes := map[string]string{
		"open": "31", "half_open": "33", "closed": "32",
		api.MemberAlive: "32", api.MemberDraining: "33", api.MemberApart: "31", api.MemberLost: "31", api.MemberLeft: "33",
	}
	code, ok := codes[word]
	if !ok || !s.colored() {
		return word
	}
	return "\x1b[" + code + "m" + word + "\x1b[0m"
}

// colored decides whether the answer is coloured. A flag beats the environment
// (no-color.org).
func (s *session) colored() bool {
	switch s.color.value {
	case "always":
		return true
	case "never":
		return false
	}
	return s.env.getenv("NO_COLOR") == "" && s.env.getenv("TERM") != "dumb" && tty.Is(s.stdout)
}
