package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A policyReader reads what one file says about the policy of one key, or of
// one role of it.
type policyReader struct {
	*document
	role string
	seen []seenField // set so far; a handful, so a list will do
	list *[]setting  // where the settings go
}

type seenField struct {
	field *field
	name  string // as spelled
	line  int
}

// read takes the fields of a mapping; nested mappings are dotted names.
func (r *policyReader) read(n *yaml.Node, prefix string) {
	for _, e := range r.mapping(n) {
		path := prefix + e.key
		switch {
		case path == "roles" && r.role == "":
			r.readRoles(e.value)
		case fieldsByPath[path] != nil:
			r.readField(path, e)
		case fieldSections[path]:
			r.read(e.value, path+".")
		default:
			r.fail(e.at, "unknown policy field %s%s", quote(path), r.fieldHint(path))
		}
	}
}

func (r *policyReader) readRoles(n *yaml.Node) {
	lines := map[string]int{}
	for _, e := range r.mapping(n) {
		role, err := roleName(e.key)
		if err != nil {
			r.fail(e.at, "%w", err)
			continue
		}
		if line, ok := lines[role]; ok {
			if !e.merged {
				r.fail(e.at, "%s is the role of line %d again; keep one", quote(e.key), line)
			}
			continue
		}
		lines[role] = e.at.Line
		// Naming a role gives it a budget of its own, even without a field.
		*r.list = append(*r.list, setting{role: role, origin: r.origin(e.at)})
		inner := policyReader{document: r.document, role: role, list: r.list}
		inner.read(e.value, "")
	}
}

func (r *policyReader) readField(path string, e entry) {
	for _, s := range r.seen {
		if s.field != fieldsByPath[path] {
			continue
		}
		if !e.merged {
			r.fail(e.at, "%w; the other is on line %d", twice(s.name, path), s.line)
		}
		return
	}
	r.seen = append(r.seen, seenField{fieldsByPath[path], path, e.at.Line})
	text, err := r.text(path, e.value)
	if err != nil {
		r.fail(e.value, "%w", err)
		return
	}
	s, err := settingFor(r.role, path, text)
	for _, problem := range unjoin(err) {
		r.fail(e.value, "%w", problem)
	}
	if err == nil {
		s.origin = r.origin(e.value)
		*r.list = append(*r.list, s)
	}
}

// text is a value as parseValue reads it: a list of statuses with commas.
func (r *policyReader) text(path string, n *yaml.Node) (string, error) {
	_, isList := fieldsByPath[path].kind().(*[]int)
	if !isList || n.Kind != yaml.SequenceNode {
		text, err := scalar(n)
		if err != nil {
			return "", fmt.Errorf("%s %w", path, err)
		}
		return text, nil
	}
	if len(n.Content) == 0 {
		return "none", nil
	}
	texts, err := scalars(n)
	if err != nil {
		return "", fmt.Errorf("%s %w", path, err)
	}
	return strings.Join(texts, ","), nil
}

// fieldHint suggests a field for a name that is none.
func (r *policyReader) fieldHint(path string) string {
	if r.full() {
		return ""
	}
	known := pathsBelow("", r.role != "")
	if r.role == "" {
		known = append(known, "roles")
	}
	if best := didYouMean(path, known); best != "" {
		return best
	}
	if r.role != "" {
		return "; a role knows " + strings.Join(roleFields(), ", ")
	}
	return ""
}
