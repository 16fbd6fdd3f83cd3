package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// A place is where a problem is; 0 is a line or a column that is not known.
type place struct {
	file, line, column int // file counts in a list; its length is no file of it
}

// placeOf takes the place from a problem that starts with FILE:LINE:COLUMN,
// FILE:LINE or FILE, and returns the rest of its text.
func placeOf(files []string, text string) (place, string) {
	for i, file := range files {
		rest, ok := strings.CutPrefix(text, file+":")
		if !ok {
			continue
		}
		p := place{file: i}
		for _, n := range []*int{&p.line, &p.column} {
			number, after, _ := strings.Cut(rest, ":")
			x, err := strconv.Atoi(number)
			if err != nil {
				break
			}
			*n, rest = x, after
		}
		return p, strings.TrimSpace(rest)
	}
	return place{file: len(files)}, text
}

// inOrder sorts problems by file, line and column: they are found section by
// section, and mended from the top to the bottom. Those of no file come last.
func inOrder(files []string, problems []error) []error {
	type placed struct {
		place
		err error
	}
	list := make([]placed, len(problems))
	for i, err := range problems {
		list[i].place, _ = placeOf(files, err.Error())
		list[i].err = err
	}
	slices.SortStableFunc(list, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	sorted := make([]error, len(list))
	for i := range list {
		sorted[i] = list[i].err
	}
	return sorted
}
