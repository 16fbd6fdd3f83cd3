package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A choice is a flag's value that is one of a few words.
type choice struct {
	value string
	words []string
	same  map[string]string // other words for some of them, not listed in help
}

func (c *choice) String() string { return c.value }

func (c *choice) Set(s string) error {
	if word, ok := c.same[s]; ok {
		s = word
	}
	if !slices.Contains(c.words, s) {
		want := strings.Join(c.words, " or ")
		for _, word := range slices.Sorted(maps.Keys(c.same)) {
			want += fmt.Sprintf("; %s is %s", word, c.same[word])
		}
		return fmt.Errorf("want %s", want)
	}
	c.value = s
	return nil
}

// Type is what help shows in the value's place.
func (c *choice) Type() string { return strings.Join(c.words, "|") }
