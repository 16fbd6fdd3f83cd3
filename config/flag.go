package config

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"
)

// AddFlags adds the flags of a node, with the values of c as the defaults they
// show. The flags only remember what was written: Load reads it, so that it
// can report every problem and not the first.
func (c *Config) AddFlags(fs *pflag.FlagSet) {
	fs.Var(&written{}, configFlag, "read this YAML `FILE` (repeatable, later ones win)")
	for i := range options {
		o := &options[i]
		f := fs.VarPF(&written{shown: o.text(c), isBool: o.isBool()}, o.flag, "", o.usage)
		if o.isBool() {
			f.NoOptDefVal = "true"
		}
	}
	for _, o := range breakerOptions {
		fs.Var(&written{}, o.flag, o.usage)
	}
}

// written is the value of a flag: what stood on the command line, each time.
type written struct {
	shown  string // as the default, in the help
	isBool bool
	texts  []string
}

// String is the last text, or the default.
func (w *written) String() string {
	if len(w.texts) == 0 {
		return w.shown
	}
	return w.texts[len(w.texts)-1]
}

// Set remembers a text.
func (w *written) Set(text string) error {
	w.texts = append(w.texts, text)
	return nil
}

// Type is what the help calls the value where the usage names nothing.
func (w *written) Type() string {
	if w.isBool {
		return "bool"
	}
	return "string"
}

// writtenFor is what was written for a flag, each time; none if fs does not
// know the flag.
func writtenFor(fs *pflag.FlagSet, name string) []string {
	if fs == nil {
		return nil
	}
	f := fs.Lookup(name)
	if f == nil {
		return nil
	}
	if w, ok := f.Value.(*written); ok {
		return w.texts
	}
	return nil
}

// FlagError adds what was probably meant to an error of fs.Parse about a flag
// that does not exist; other errors and nil come back as they are. The result
// wraps err.
func FlagError(fs *pflag.FlagSet, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	var known []string
	fs.VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	if best := closest(unknown.GetSpecifiedName(), known); best != "" {
		return fmt.Errorf("%w; did you mean --%s?", err, best)
	}
	return err
}
