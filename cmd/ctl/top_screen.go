package main

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// The sequences of a terminal that top needs (ECMA-48; xterm's ctlseqs).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l" // the other screen, no cursor, lines that do not wrap
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l" // and back
	beginFrame  = "\x1b[?2026h\x1b[H"            // shown at once where that is known
	endOfLine   = "\x1b[0m\x1b[K\r\n"            // what was there before goes
	endOfFrame  = "\x1b[0m\x1b[J\x1b[?2026l"     // and what was below
)

// A console is a real terminal.
type console struct {
	out    *os.File
	in     *os.File
	before *term.State // nil: keys are not read one by one
	keys   chan byte
}

// openConsole takes over a terminal (openScreen). Without a keyboard it only
// shows.
func openConsole(stdin io.Reader, stdout io.Writer) (screen, error) {
	out, ok := stdout.(*os.File)
	if !ok || !term.IsTerminal(int(out.Fd())) {
		return nil, errNoTerminal
	}
	c := &console{out: out, keys: make(chan byte)}
	if in, ok := stdin.(*os.File); ok && term.IsTerminal(int(in.Fd())) {
		before, err := term.MakeRaw(int(in.Fd()))
		if err != nil {
			return nil, err
		}
		c.in, c.before = in, before
		go c.read()
	}
	if _, err := out.WriteString(enterScreen); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// read hands on keys. It ends with the process: a read of a terminal cannot be
// broken off.
func (c *console) read() {
	var key [1]byte
	for {
		n, err := c.in.Read(key[:])
		if err != nil {
			close(c.keys)
			return
		}
		if n == 1 {
			c.keys <- key[0]
		}
	}
}

func (c *console) Keys() <-chan byte { return c.keys }

// Size is 80 by 24 where the terminal does not say.
func (c *console) Size() (columns, lines int) {
	columns, lines, err := term.GetSize(int(c.out.Fd()))
	if err != nil || columns <= 0 || lines <= 0 {
		return 80, 24
	}
	return columns, lines
}

// Draw writes over what is there, so that nothing flickers, in one write.
func (c *console) Draw(lines []string) error {
	_, err := c.out.WriteString(beginFrame + strings.Join(lines, endOfLine) + "\x1b[0m\x1b[K" + endOfFrame)
	return err
}

func (c *console) Close() {
	_, _ = c.out.WriteString(leaveScreen)
	if c.before != nil {
		_ = term.Restore(int(c.in.Fd()), c.before)
	}
}
