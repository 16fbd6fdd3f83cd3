package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFileBytes bounds a configuration file: room for a million hosts.
const maxFileBytes = 64 << 20

// ReadFile reads a file that people wrote, of at most limit bytes. A pipe or a
// device, which may never end, is refused.
func ReadFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	var wrong *os.PathError
	switch {
	case errors.As(err, &wrong):
		return nil, fmt.Errorf("read %s: %w", path, wrong.Err)
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("read %s: is a directory", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("read %s: is no file but a pipe or a device; write it to a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var text bytes.Buffer
	text.Grow(int(min(info.Size(), limit)) + bytes.MinRead)
	if _, err := text.ReadFrom(io.LimitReader(f, limit+1)); err != nil {
		return nil, err
	}
	if int64(text.Len()) > limit {
		return nil, fmt.Errorf("read %s: longer than %d MiB", path, limit>>20)
	}
	return text.Bytes(), nil
}

// parseYAML returns the one document of a file, nil if it is empty. An error
// starts with the path and, where known, the line.
func parseYAML(path string, text []byte) (root *yaml.Node, err error) {
	// The parser is not ours; on a reload its panic would take a running node
	// down because of a file it can do without.
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("%s: the YAML parser gave up: %v", path, r)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	err = decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, syntaxError(path, text, err)
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, fmt.Errorf("%s:%d: a second document starts here; want one", path, second.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(path, text, err)
	}
	return document.Content[0], nil
}

// noAlias is what the parser says of a * that no name follows.
const noAlias = "did not find expected alphabetic or numeric character"

// notText are parts of what the parser says of bytes that are no text.
var notText = []string{"UTF-8", "UTF-16", "surrogate", "control characters"}

// yamlLine finds the line in an error of the parser, which has no other form.
var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

func syntaxError(path string, text []byte, err error) error {
	message, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = err.Error()[len(m[0]):]
	}
	if slices.ContainsFunc(notText, func(part string) bool { return strings.Contains(message, part) }) {
		return fmt.Errorf("%s: is no text in UTF-8 (%s); is it the right file?", path, message)
	}
	// The parser complains about a tab without naming it, at the line or beside it.
	lines := bytes.Split(text, []byte("\n"))
	for n := max(line-1, 1); n <= min(line+1, len(lines)); n++ {
		content := lines[n-1]
		indent := content[:len(content)-len(bytes.TrimLeft(content, " \t"))]
		if i := bytes.IndexByte(indent, '\t'); i >= 0 {
			return fmt.Errorf("%s:%d:%d: a tab indents this line; YAML wants blanks (%s)", path, n, i+1, message)
		}
	}
	if strings.Contains(message, noAlias) {
		message += "; YAML takes * for an alias: a wildcard needs quotes, as in '*.example.org'"
		line = max(line, 1) // the parser does not say that it is the first
	}
	if line == 0 {
		return fmt.Errorf("%s: %s", path, message)
	}
	return fmt.Errorf("%s:%d: %s", path, line, message)
}
