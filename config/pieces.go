package config

import (
	"bytes"
	"iter"
	"runtime"
	"slices"
	"sync"

	"go.yaml.in/yaml/v3"
)

// The tree of nodes that a file becomes takes thirty times the room of its text.
// A large file is mostly the section hosts, so that one is parsed in pieces of
// whole entries, one after the other.
const (
	minTextInPieces = 256 << 10 // a smaller file is read at once
	pieceBytes      = 64 << 10
)

// A piece is entries of the section hosts, a mapping of its own.
type piece struct {
	text   []byte
	before int // lines of the file before it
}

// readInPieces takes the settings of a file, and reports whether it could do
// so. If not, nothing was taken, not even a problem: the file has to be read as
// a whole. What it reads is what the whole would have been: an entry cut apart
// leaves a quote or a bracket open, an alias loses its anchor, and each is an
// error of the parser.
func (d *document) readInPieces(text []byte, size int) bool {
	if strangeBreaks(text) {
		return false
	}
	rest, at, pieces := cutHosts(text, size)
	if len(pieces) == 0 {
		return false
	}
	root, err := parseYAML(d.path, rest)
	if err != nil || !hasEmptyHosts(root, at) {
		return false
	}
	problems, dropped := d.problems, d.dropped
	d.read(root)
	for p, root := range parsed(d.path, pieces) {
		if root != nil {
			move(root, p.before)
			d.named(root, hostKey)
		}
		if root == nil || len(d.problems) > len(problems) || d.dropped > dropped {
			d.problems, d.dropped = problems, dropped
			d.forget()
			return false
		}
	}
	return true
}

// parsed yields the pieces and the tree of each, nil for one that is no piece
// by itself. To parse takes most of the time of a load, so some are parsed ahead,
// at once.
func parsed(path string, pieces []piece) iter.Seq2[piece, *yaml.Node] {
	return func(yield func(piece, *yaml.Node) bool) {
		var parsing sync.WaitGroup
		defer parsing.Wait()
		trees := make([]chan *yaml.Node, len(pieces))
		parse := func(i int) {
			trees[i] = make(chan *yaml.Node, 1) // room for the tree, so that nobody needs to take it
			parsing.Go(func() { trees[i] <- parsePiece(path, pieces[i]) })
		}
		ahead := min(2*runtime.GOMAXPROCS(0), len(pieces))
		for i := range ahead {
			parse(i)
		}
		for i, p := range pieces {
			root := <-trees[i]
			if next := i + ahead; next < len(pieces) {
				parse(next)
			}
			if !yield(p, root) {
				return
			}
		}
	}
}

func parsePiece(path string, p piece) *yaml.Node {
	root, err := parseYAML(path, p.text)
	if err != nil || root == nil || !isPiece(root) {
		return nil
	}
	return root
}

// strangeBreaks reports whether lines end in ways that are a line to YAML alone:
// lines counted here would not be those of the parser.
func strangeBreaks(text []byte) bool {
	if bytes.Count(text, []byte{'\r'}) != bytes.Count(text, []byte("\r\n")) {
		return true
	}
	for _, br := range []string{"\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(text, []byte(br)) {
			return true
		}
	}
	return false
}

// cutHosts takes the entries out of the section hosts and leaves empty lines in
// the rest. at is the line of the section. There are no pieces if the section is
// not written the plain way, with entries on lines of their own and no anchors.
func cutHosts(text []byte, size int) (rest []byte, at int, pieces []piece) {
	head, body, tail := splitHosts(text)
	at = bytes.Count(head, newline)
	pieces = cutEntries(body, at, size)
	return slices.Concat(head, bytes.Repeat(newline, bytes.Count(body, newline)), tail), at, pieces
}

var newline = []byte{'\n'}

// splitHosts cuts a file after the line "hosts:", and where the next section
// starts. body is empty if there is no such line.
func splitHosts(text []byte) (head, body, tail []byte) {
	start := 0
	if !bytes.HasPrefix(text, []byte(hostsSection+":")) {
		start = bytes.Index(text, []byte("\n"+hostsSection+":")) + 1
	}
	line, after, _ := bytes.Cut(text[start:], newline)
	if value, ok := bytes.CutPrefix(line, []byte(hostsSection+":")); !ok || !isBlank(value) {
		return text, nil, nil
	}
	end := 0
	for line := range bytes.Lines(after) {
		if line[0] != ' ' && !isBlank(line) {
			break
		}
		end += len(line)
	}
	return text[:len(text)-len(after)], after[:end], after[end:]
}

// cutEntries cuts the body of a section before entries, into pieces of about
// size bytes. before is how many lines come before the body.
func cutEntries(body []byte, before, size int) (pieces []piece) {
	if bytes.IndexByte(body, '&') >= 0 || bytes.Contains(body, []byte("<<")) {
		return nil
	}
	indent, start, pos := 0, 0, 0
	next := piece{before: before}
	for line := range bytes.Lines(body) {
		entry := bytes.TrimLeft(line, " ")
		depth := len(line) - len(entry)
		if !isBlank(entry) {
			isFirst := indent == 0
			if isFirst {
				indent = depth
			}
			if depth == indent && isMarked(entry) {
				return nil
			}
			if depth == indent && pos-start >= size && !isFirst {
				next.text = body[start:pos]
				pieces = append(pieces, next)
				start, next = pos, piece{before: before}
			}
		}
		pos += len(line)
		before++
	}
	if indent == 0 {
		return nil
	}
	next.text = body[start:]
	return append(pieces, next)
}

// isBlank reports whether a line, or the rest of one, says nothing.
func isBlank(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '#'
}

// isMarked reports whether an entry is one of two lines: "? KEY" and ": VALUE".
func isMarked(entry []byte) bool {
	return (entry[0] == '?' || entry[0] == ':') && (len(entry) == 1 || bytes.IndexByte([]byte(" \t\r\n"), entry[1]) >= 0)
}

// hasEmptyHosts reports whether the line "hosts:" that was cut is really the
// section, and not a part of a text.
func hasEmptyHosts(root *yaml.Node, line int) bool {
	if root == nil || root.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if k := root.Content[i]; k.Value == hostsSection && k.Line == line {
			return isNull(root.Content[i+1])
		}
	}
	return false
}

// isPiece reports whether a tree is entries on lines of their own that do not
// depend on others; {} on a line would belong to the entry before.
func isPiece(root *yaml.Node) bool {
	return root.Kind == yaml.MappingNode && root.Style == 0 && !slices.ContainsFunc(root.Content, func(n *yaml.Node) bool { return n.ShortTag() == "!!merge" })
}

// move adds to the lines of a tree those that come before it.
func move(n *yaml.Node, before int) {
	n.Line += before
	for _, inner := range n.Content {
		move(inner, before)
	}
}
