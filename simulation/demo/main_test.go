package main

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// A show that was ended early claims nothing.
func TestConclude(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	for _, x := range []struct {
		ctx  context.Context
		late int
		want error
		says string
	}{
		{t.Context(), 0, nil, "0 (must be 0)"},
		{t.Context(), 2, errLate, "2 (must be 0)"},
		{ended, 0, context.Canceled, "ended early"},
	} {
		var out strings.Builder
		err := conclude(x.ctx, &out, tally{}, seen{late: x.late})
		if !errors.Is(err, x.want) || !strings.Contains(out.String(), x.says) || x.ctx.Err() != nil && strings.Contains(out.String(), "must be") {
			t.Errorf("%v\n%s\nwant %v and %q", err, out.String(), x.want, x.says)
		}
	}
}
