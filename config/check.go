package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"fleetfuse/breaker"
)

// A Finding is one thing that is wrong with a file, or that is probably not
// meant.
type Finding struct {
	File    string `json:"file,omitempty"` // "" if no file is to blame
	Line    int    `json:"line,omitempty"` // from 1; 0 if not known
	Column  int    `json:"column,omitempty"`
	Text    string `json:"text"`
	Source  string `json:"source,omitempty"` // the line of the file
	Warning bool   `json:"warning,omitempty"`
}

// Check reads files as Load does, without environment and flags, and returns
// all that is wrong with them, errors first.
func Check(files []string) []Finding {
	base := Default()
	base.Files = files
	c, err := Load(base, nil, nil)
	f := finder{files: files, lines: map[string][]string{}}
	var found []Finding
	for _, problem := range unjoin(err) {
		// Of files that a person names there is no flag to blame.
		found = append(found, f.find(strings.TrimPrefix(problem.Error(), "--"+configFlag+": ")))
	}
	if err == nil {
		for _, text := range c.warnings() {
			found = append(found, Finding{Text: text, Warning: true})
		}
	}
	return found
}

// warnings lists what is allowed and probably not meant.
func (c *Config) warnings() (texts []string) {
	const tooMany = 429
	b := &c.Breakers
	silent := func(p *breaker.Policy) bool {
		return !slices.Contains(p.Classify.FailureStatuses, tooMany) && !slices.Contains(p.Classify.NeutralStatuses, tooMany)
	}
	if silent(&b.Defaults) {
		return []string{"429 is named neither as a failure nor as neutral: it counts as neutral; name it in classify.failure_statuses"}
	}
	for _, k := range b.all() {
		if silent(b.Policy(k)) && !silent(b.inherited(k)) {
			texts = append(texts, fmt.Sprintf("%s: 429 is named neither as a failure nor as neutral: it counts as neutral", k))
		}
	}
	return texts
}

// A finder finds the lines that problems are about.
type finder struct {
	files []string
	lines map[string][]string
}

// find takes the place from a problem that starts with FILE:LINE:COLUMN or
// FILE:LINE.
func (f *finder) find(text string) Finding {
	p, rest := placeOf(f.files, text)
	if p.file == len(f.files) {
		return Finding{Text: text}
	}
	file := f.files[p.file]
	return Finding{File: file, Line: p.line, Column: p.column, Text: rest, Source: f.line(file, p.line)}
}

// line is a line of a file, "" if there is none, or if it may hold a password.
func (f *finder) line(file string, n int) string {
	lines, ok := f.lines[file]
	if !ok {
		text, err := os.ReadFile(file)
		if err == nil {
			lines = strings.Split(string(text), "\n")
		}
		f.lines[file] = lines
	}
	if n < 1 || n > len(lines) || strings.Contains(lines[n-1], "cooldown_store") || strings.Contains(lines[n-1], "://") {
		return ""
	}
	return strings.TrimRight(lines[n-1], "\r")
}
