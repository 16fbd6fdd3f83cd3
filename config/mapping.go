package config

import (
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"fleetfuse/breaker"
)

const (
	// maxEntries bounds the entries read from one file, those that aliases and
	// merges repeat counted each time.
	maxEntries = 2_000_000
	// A short file must not be endless work: it may have smallEntries, and
	// entriesPerByte more for each byte. A host that is an alias of a policy with
	// every field there is stays below that.
	smallEntries   = 100_000
	entriesPerByte = 2
	// maxMerges bounds merges within merges.
	maxMerges = 8
)

// A document is one file on its way into a loader.
type document struct {
	*loader
	path    string
	set     settings            // what it says
	lines   map[breaker.Key]int // where it names a host or a resolver
	entries int                 // read so far
	limit   int                 // of entries
}

func newDocument(l *loader, path string, text []byte) *document {
	d := &document{loader: l, path: path, limit: min(maxEntries, smallEntries+entriesPerByte*len(text))}
	d.forget()
	l.paths = append(l.paths, path)
	return d
}

// forget drops what was read.
func (d *document) forget() {
	d.set, d.lines, d.entries = settings{}, map[breaker.Key]int{}, 0
}

// An entry is one "key: value" of a mapping.
type entry struct {
	key    string
	at     *yaml.Node // the key, for its position
	value  *yaml.Node // with aliases followed
	merged bool       // it came through <<, which what the mapping itself says overrides
}

func (d *document) origin(n *yaml.Node) Origin {
	return Origin{Source: d.path, Line: int32(n.Line), Column: int32(n.Column)}
}

// fail notes a problem at a node.
func (d *document) fail(n *yaml.Node, format string, args ...any) {
	if d.full() { // aliases can repeat a problem a million times
		d.dropped++
		return
	}
	d.add(fmt.Errorf("%s: %w", d.origin(n), fmt.Errorf(format, args...)))
}

// mapping lists the entries of a mapping, its own before the merged ones. An
// empty section has none. Duplicates and nodes of another kind are problems.
func (d *document) mapping(n *yaml.Node) []entry {
	return d.collect(n, nil, &keyLines{}, 0)
}

// collect adds to list the entries of n whose keys were not seen yet.
func (d *document) collect(n *yaml.Node, list []entry, seen *keyLines, merges int) []entry {
	n = followed(n)
	if isNull(n) {
		return list
	}
	if n.Kind != yaml.MappingNode {
		d.fail(n, "want a mapping here: lines of KEY: VALUE")
		return list
	}
	list = slices.Grow(list, len(n.Content)/2)
	own := seen
	if merges > 0 { // what it is merged into may have its keys too
		own = &keyLines{}
	}
	var merge []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := followed(n.Content[i]), n.Content[i+1]
		if d.entries++; d.entries > d.limit {
			return list
		}
		switch {
		case k.Kind != yaml.ScalarNode:
			d.fail(n.Content[i], "a key must be one word")
		case k.ShortTag() == "!!merge":
			merge = append(merge, v)
		case own.of(k.Value) != 0:
			d.fail(n.Content[i], "%s is here twice; the first is on line %d", quote(k.Value), own.of(k.Value))
		default:
			isNew := seen.of(k.Value) == 0
			own.add(k.Value, n.Content[i].Line)
			if isNew {
				if own != seen {
					seen.add(k.Value, n.Content[i].Line)
				}
				list = append(list, entry{k.Value, n.Content[i], followed(v), merges > 0})
			}
		}
	}
	for _, m := range merge {
		list = d.merge(m, list, seen, merges+1)
	}
	return list
}

// keyLines are the lines that keys are on. Most mappings are small, and there
// may be a million of them: a few keys are looked through.
type keyLines struct {
	few  [8]keyLine
	n    int
	many map[string]int
}

type keyLine struct {
	key  string
	line int
}

// of is the line of a key, 0 if it is not there.
func (l *keyLines) of(key string) int {
	for _, k := range l.few[:l.n] {
		if k.key == key {
			return k.line
		}
	}
	return l.many[key]
}

func (l *keyLines) add(key string, line int) {
	if l.n < len(l.few) {
		l.few[l.n] = keyLine{key, line}
		l.n++
		return
	}
	if l.many == nil {
		l.many = map[string]int{}
	}
	l.many[key] = line
}

// merge adds the entries of the mapping, or the mappings, that << names.
func (d *document) merge(n *yaml.Node, list []entry, seen *keyLines, merges int) []entry {
	if merges > maxMerges {
		d.fail(n, "merges nest more than %d deep", maxMerges)
		return list
	}
	sources := []*yaml.Node{n}
	if target := followed(n); target.Kind == yaml.SequenceNode {
		sources = target.Content
	}
	for _, s := range sources {
		list = d.collect(s, list, seen, merges)
	}
	return list
}

// scalar is the text of a single value.
func scalar(n *yaml.Node) (string, error) {
	n = followed(n)
	if n.Kind != yaml.ScalarNode {
		return "", errors.New("wants one value, not a list or a mapping")
	}
	switch tag := n.ShortTag(); tag {
	case "!!null":
		return "", errors.New("has no value")
	case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
		return n.Value, nil
	default:
		return "", fmt.Errorf("has the tag %s, which is not supported", quote(tag))
	}
}

// scalars are the texts of a list.
func scalars(n *yaml.Node) ([]string, error) {
	texts := make([]string, 0, len(n.Content))
	for _, element := range n.Content {
		text, err := scalar(element)
		if err != nil {
			return nil, fmt.Errorf("has an element that %w", err)
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// followed is the node an alias stands for.
func followed(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
