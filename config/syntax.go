package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parseYAML returns the one document of a file, nil if it is empty. An error
// starts with the path and, where known, the line and the column.
func parseYAML(path string, text []byte) (*yaml.Node, error) {
	root, second, err := decode(text)
	switch {
	case err != nil:
		return nil, syntaxError(path, text, err)
	case second != 0:
		return nil, fmt.Errorf("%s:%d: a second document starts here; want one", path, second)
	}
	return root, nil
}

// decode reads the first document of a text, and at which line a second one starts.
func decode(text []byte) (root *yaml.Node, second int, err error) {
	// The parser is not ours; on a reload its panic would take a running node
	// down because of a file it can do without.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML parser gave up: %v", r)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, next yaml.Node
	if err := decoder.Decode(&first); errors.Is(err, io.EOF) {
		return nil, 0, nil
	} else if err != nil {
		return nil, 0, err
	}
	if err := decoder.Decode(&next); err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	return first.Content[0], next.Line, nil
}

// hints are what a person may have meant where the parser says this.
var hints = map[string]string{
	"did not find expected alphabetic or numeric character": "YAML takes * for an alias: a wildcard needs quotes, as in '*.example.org'",
	"did not find expected key":                             "is it indented as its neighbours are?",
	"did not find expected '-' indicator":                   "is it indented as its neighbours are?",
	"did not find expected ',' or '}'":                      "a { that opens here or before must be closed, with commas between what is in it",
	"did not find expected ',' or ']'":                      "a [ that opens here or before must be closed, with commas between what is in it",
	"did not find expected node content":                    "a value is missing here, or a bracket that is not closed",
	"found unexpected end of stream":                        "a quote that opens here is not closed",
	"mapping values are not allowed in this context":        "does the line before lack a colon? A value with a colon and a blank in it needs quotes",
}

// notText are parts of what the parser says of bytes that are no text.
var notText = []string{"UTF-8", "UTF-16", "surrogate", "control characters"}

// yamlLine finds the line in an error of the parser, which has no other form.
var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

func syntaxError(path string, text []byte, err error) error {
	message, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = err.Error()[len(m[0]):]
	}
	if slices.ContainsFunc(notText, func(part string) bool { return strings.Contains(message, part) }) {
		return fmt.Errorf("%s: is no text in UTF-8 (%s); is it the right file?", path, message)
	}
	if hint, known := hints[message]; known {
		message += "; " + hint
	}
	if len(text) > maxLocated {
		return fmt.Errorf("%s: %s; at or after line %d", path, message, line)
	}
	at := locate(text, err)
	start := bytes.LastIndexByte(text[:at], '\n') + 1
	line = 1 + bytes.Count(text[:at], []byte("\n"))
	indent := text[start : len(text)-len(bytes.TrimLeft(text[start:], " \t"))]
	if i := bytes.IndexByte(indent, '\t'); i >= 0 { // the parser complains about it without naming it
		return fmt.Errorf("%s:%d:%d: a tab indents this line; YAML wants blanks (%s)", path, line, i+1, message)
	}
	return fmt.Errorf("%s:%d:%d: %s", path, line, 1+utf8.RuneCount(text[start:at]), message)
}

// maxLocated bounds a text in which a mistake is located: that reads it some twenty
// times.
const maxLocated = 1 << 20

// locate finds the byte at which a text goes wrong. The parser itself says where the
// mapping or list began that it was in, which may be the whole file, and some lines are
// off by one. What is before the mistake does not have the same error.
func locate(text []byte, err error) int {
	n := sort.Search(len(text), func(n int) bool {
		_, _, e := decode(text[:n])
		return e != nil && e.Error() == err.Error()
	})
	return max(n-1, 0)
}
