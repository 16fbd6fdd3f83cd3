package main

import (
	"fmt"
	"slices"
	"strings"
)

// A choice is a flag's value that is one of a few words.
type choice struct {
	value string
	words []string
	same  map[string]string // other words for some of them, not listed
}

func (c *choice) String() string { return c.value }

func (c *choice) Set(s string) error {
	if word, ok := c.same[s]; ok {
		s = word
	}
	if !slices.Contains(c.words, s) {
		return fmt.Errorf("want %s", strings.Join(c.words, " or "))
	}
	c.value = s
	return nil
}

// Type is what help shows in the value's place.
func (c *choice) Type() string { return strings.Join(c.words, "|") }
