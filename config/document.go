package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"fleetfuse/breaker"
)

// hostsSection is the section that may be large.
const hostsSection = "hosts"

// The sections of a file that set policies; the others are in the table of
// options.
var policySections = []string{"defaults", "advanced", hostsSection, "resolvers"}

// readDocument takes the settings of a file.
func (l *loader) readDocument(path string, text []byte) {
	d := newDocument(l, path, text)
	if len(text) < minTextInPieces || !d.readInPieces(text, pieceBytes) {
		d.readWhole(text)
	}
	if d.entries > d.limit {
		// Past the bound on problems too: it is why the others are not the whole story.
		l.problems = append(l.problems, fmt.Errorf("%s: has more than %d entries, those that aliases repeat included", path, d.limit))
	}
	if len(l.settings) == 0 {
		l.settings = d.set
		return
	}
	for key, list := range d.set {
		l.settings[key] = append(l.settings[key], list...)
	}
}

func (d *document) readWhole(text []byte) {
	root, err := parseYAML(d.path, text)
	if err != nil {
		d.add(err)
		return
	}
	d.read(root)
}

// read takes the settings of a file's tree, which is nil if the file is empty.
func (d *document) read(root *yaml.Node) {
	if root == nil {
		return
	}
	if isScenario(root) {
		d.fail(root, "this looks like a scenario of the simulation, not like a configuration; policies of a scenario are under its key policy")
		return
	}
	var list []setting
	defaults := &policyReader{document: d, list: &list}
	for _, e := range d.mapping(root) {
		if !d.policies(e, defaults) {
			d.options(e, "")
		}
	}
	if len(list) > 0 {
		d.set[""] = list
	}
}

// policies reads an entry that is a section of policies, and reports whether it
// is one.
func (d *document) policies(e entry, defaults *policyReader) bool {
	switch e.key {
	case "defaults":
		defaults.read(e.value, "")
	case "advanced":
		d.advanced(e, defaults)
	case hostsSection:
		d.named(e.value, hostKey)
	case "resolvers":
		d.named(e.value, resolverKey)
	default:
		return false
	}
	return true
}

// advanced reads rules that files keep apart from the other defaults.
func (d *document) advanced(section entry, defaults *policyReader) {
	for _, e := range d.mapping(section.value) {
		if e.key != "rolling" {
			d.fail(e.at, "unknown key %s in advanced; known here: rolling", quote(e.key))
			continue
		}
		defaults.read(e.value, "rolling.")
	}
}

// named reads the policies of hosts or of resolvers.
func (d *document) named(section *yaml.Node, keyOf func(string) (breaker.Key, error)) {
	var list []setting // of one key after the other
	for _, e := range d.mapping(section) {
		key, err := keyOf(e.key)
		if err != nil {
			d.fail(e.at, "%w", err)
			continue
		}
		if line, ok := d.lines[key]; ok {
			if !e.merged {
				d.fail(e.at, "%s is the %s of line %d again; keep one", quote(e.key), key.Scope(), line)
			}
			continue
		}
		d.lines[key] = e.at.Line
		list = list[:0]
		reader := policyReader{document: d, list: &list}
		reader.read(e.value, "")
		if len(list) > 0 {
			d.set[key] = append(make([]setting, 0, len(list)), list...) // there may be many: no spare room
		}
	}
}

// options reads an entry of a file that is an option, or a section of them.
func (d *document) options(e entry, prefix string) {
	path := prefix + e.key
	if i := slices.IndexFunc(options, func(o option) bool { return o.key == path }); i >= 0 {
		d.option(&options[i], e)
		return
	}
	if prefix == "" && slices.ContainsFunc(options, func(o option) bool { return strings.HasPrefix(o.key, path+".") }) {
		for _, inner := range d.mapping(e.value) {
			d.options(inner, path+".")
		}
		return
	}
	d.fail(e.at, "unknown key %s%s", quote(e.key), d.hint(e.key, prefix))
}

func (d *document) option(o *option, e entry) {
	text, err := "", error(nil)
	if o.isList() && e.value.Kind == yaml.SequenceNode {
		var texts []string
		texts, err = scalars(e.value)
		text = strings.Join(texts, ",")
	} else {
		text, err = scalar(e.value)
	}
	if err != nil {
		d.fail(e.value, "%s %w", o.key, err)
		return
	}
	d.setOption(o, text, d.origin(e.value))
}

// hint says what an unknown key at the top, or in the section prefix names,
// was probably meant to be.
func (d *document) hint(key, prefix string) string {
	if d.full() {
		return ""
	}
	var known []string
	if prefix == "" {
		known = slices.Clone(policySections)
	}
	for i := range options {
		if rest, ok := strings.CutPrefix(options[i].key, prefix); ok {
			first, _, _ := strings.Cut(rest, ".")
			known = append(known, first)
		}
	}
	if best := didYouMean(key, known); best != "" {
		return best
	}
	for i := range options {
		if section, last, ok := strings.Cut(options[i].key, "."); ok && last == strings.ReplaceAll(key, "-", "_") {
			return "; it belongs into the section " + section
		}
	}
	if prefix == "" && (fieldsByPath[key] != nil || fieldSections[key] || key == "roles") {
		return "; policy fields belong into the section defaults or below a host"
	}
	slices.Sort(known)
	return "; known here: " + strings.Join(slices.Compact(known), ", ")
}
