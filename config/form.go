package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"fleetfuse/hostname"
)

// maxFormBytes bounds a form.
const maxFormBytes = 4 << 20

// A Form is a YAML file that is no configuration, such as a scenario of the
// simulation, read with the same care: each problem with its file:line:column,
// unknown keys with what was probably meant, and limits.
type Form struct {
	document *document
	root     *yaml.Node
}

// ReadForm reads the text of a form; what is wrong with it, Err says.
func ReadForm(path string, text []byte) *Form {
	l := &loader{config: Default(), settings: settings{}}
	l.config.origins = map[string]Origin{}
	f := &Form{document: newDocument(l, path, text)}
	if len(text) > maxFormBytes {
		l.add(fmt.Errorf("%s: longer than %d MiB", path, maxFormBytes>>20))
		return f
	}
	root, err := parseYAML(path, text)
	l.add(err)
	f.root = root
	return f
}

// Root is all of the form.
func (f *Form) Root() Part { return Part{f, f.root, ""} }

// Err joins all that was found wrong so far.
func (f *Form) Err() error {
	if d := f.document; d.entries > d.limit {
		return fmt.Errorf("%s: has more than %d entries, those that aliases repeat included", d.path, d.limit)
	}
	return f.document.err()
}

// Problems counts what was found wrong so far.
func (f *Form) Problems() int {
	l := f.document.loader
	return len(l.problems) + l.dropped
}

// A Part is a part of a Form. What cannot be read as asked is a problem of the
// form, and comes back as zero.
type Part struct {
	form *Form
	node *yaml.Node // nil: it is not there
	name string     // its key
}

// There reports whether the form has it.
func (p Part) There() bool { return p.node != nil }

// Fail notes a problem of this part.
func (p Part) Fail(format string, args ...any) {
	if p.node == nil {
		p.form.document.add(fmt.Errorf("%s: %w", p.form.document.path, fmt.Errorf(format, args...)))
		return
	}
	p.form.document.fail(p.node, format, args...)
}

// Fields hands out the values of a mapping by their keys. Other keys than the
// known ones are problems.
func (p Part) Fields(known ...string) map[string]Part {
	values := map[string]Part{}
	if p.node == nil {
		return values
	}
	for _, e := range p.form.document.mapping(p.node) {
		if !slices.Contains(known, e.key) {
			p.form.document.fail(e.at, "unknown key %s%s", quote(e.key), knownHere(e.key, known))
			continue
		}
		values[e.key] = Part{p.form, e.value, e.key}
	}
	for _, k := range known {
		if _, there := values[k]; !there {
			values[k] = Part{p.form, nil, k}
		}
	}
	return values
}

func knownHere(word string, known []string) string {
	if hint := didYouMean(word, known); hint != "" {
		return hint
	}
	return "; known here: " + strings.Join(known, ", ")
}

// Items are the elements of a list, at most so many.
func (p Part) Items(most int) []Part {
	switch {
	case p.node == nil || isNull(p.node):
		return nil
	case p.node.Kind != yaml.SequenceNode:
		p.Fail("%s wants a list: lines that begin with a dash", p.name)
		return nil
	case len(p.node.Content) > most:
		p.Fail("%s has %d elements; at most %d make sense", p.name, len(p.node.Content), most)
		return nil
	}
	d := p.form.document
	if d.entries += len(p.node.Content); d.entries > d.limit {
		return nil
	}
	list := make([]Part, 0, len(p.node.Content))
	for _, n := range p.node.Content {
		list = append(list, Part{p.form, followed(n), p.name})
	}
	return list
}

// Line is where the part begins in its file.
func (p Part) Line() int {
	if p.node == nil {
		return 0
	}
	return p.node.Line
}

// Text is a single value of at most so many bytes, which may be empty.
func (p Part) Text(most int) string {
	text, _ := p.text(most)
	return text
}

// Value is Text without the blanks around it, which must not be empty.
func (p Part) Value(most int) string {
	text, ok := p.text(most)
	text = strings.TrimSpace(text)
	if ok && text == "" {
		p.Fail("%s has no value", p.name)
	}
	return text
}

// text reports whether the text was there and could be read.
func (p Part) text(most int) (string, bool) {
	if p.node == nil {
		return "", false
	}
	text, err := scalar(p.node)
	if err == nil && len(text) > most {
		err = fmt.Errorf("is longer than %d bytes", most)
	}
	if err != nil {
		p.Fail("%s %w", p.name, err)
		return "", false
	}
	return text, true
}

// maxValueBytes is room for any number, duration or host.
const maxValueBytes = 300

// Word is one of a few words, or "".
func (p Part) Word(words ...string) string {
	text := p.Value(maxValueBytes)
	if text != "" && !slices.Contains(words, text) {
		hint := didYouMean(text, words)
		p.Fail("%s is %s; want one of %s%s", p.name, quote(text), strings.Join(words, ", "), hint)
		return ""
	}
	return text
}

// Whole is a whole number within limits, both included.
func (p Part) Whole(least, most int) int { return within(p, parseWhole, least, most) }

// Number is a number within limits, both included.
func (p Part) Number(least, most float64) float64 { return within(p, parseNumber, least, most) }

// Duration is a duration within limits, both included: 90s, or a number of
// seconds.
func (p Part) Duration(least, most time.Duration) time.Duration {
	return within(p, func(text string) (time.Duration, error) {
		if sign, rest, found := strings.Cut(text, "-"); found && sign == "" && least < 0 {
			d, err := parseDuration(rest, time.Second)
			return -d, err
		}
		return parseDuration(text, time.Second)
	}, least, most)
}

func within[T int | float64 | time.Duration](p Part, parse func(string) (T, error), least, most T) T {
	text := p.Value(maxValueBytes)
	if text == "" {
		return 0
	}
	x, err := parse(text)
	switch {
	case err != nil:
		p.Fail("%s %w", p.name, err)
		return 0
	case x < least || x > most:
		p.Fail("%s is %v; want %v to %v", p.name, x, least, most)
		return 0
	}
	return x
}

// Host is a host in its one spelling.
func (p Part) Host() string {
	text := p.Value(maxValueBytes)
	if text == "" {
		return ""
	}
	host, err := hostname.Normalize(text)
	if err != nil {
		p.Fail("%s: %w", p.name, err)
		return ""
	}
	return host
}

// Breakers are policies, in the sections that a configuration file has them in;
// of nothing, the defaults.
func (p Part) Breakers() Breakers {
	l, d := p.form.document.loader, p.form.document
	if p.node != nil {
		var list []setting
		defaults := &policyReader{document: d, list: &list}
		for _, e := range d.mapping(p.node) {
			switch {
			case d.policies(e, defaults):
			case e.key == profileFlag:
				d.options(e, "")
				if err := checkProfile(l.config.Profile); err != nil {
					d.fail(e.value, "profile %w", err)
				}
			default:
				d.fail(e.at, "unknown key %s%s", quote(e.key), knownHere(e.key, append([]string{profileFlag}, policySections...)))
			}
		}
		if len(list) > 0 {
			d.set[""] = list
		}
	}
	l.settings = d.set
	l.layProfile()
	b := resolve(l.settings)
	for _, problem := range b.validate() {
		l.add(problem)
	}
	return b
}

// Policies are the policies of configuration files, in the order of Load. What
// else the files say is read, and not held to its limits: it may be about a
// machine that is not this one.
func Policies(files ...string) (Breakers, error) {
	l := &loader{config: Default(), settings: settings{}}
	l.config.origins = map[string]Origin{}
	for _, path := range files {
		text, err := ReadFile(path, maxFileBytes)
		if err != nil {
			l.add(err)
			continue
		}
		l.readDocument(path, text)
	}
	if err := checkProfile(l.config.Profile); err != nil {
		l.add(l.config.problem(profileFlag, err))
	}
	l.layProfile()
	b := resolve(l.settings)
	for _, problem := range b.validate() {
		l.add(problem)
	}
	return b, l.err()
}
