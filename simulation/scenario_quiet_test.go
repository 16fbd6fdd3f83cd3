package simulation

import (
	"testing"
	"time"
)

// Words change the policy for good or for a while; the quiet part covers the
// longest pause that comes of it, under any policy that is compared.
func TestQuietCoversWords(t *testing.T) {
	for _, tt := range []struct {
		words string
		want  time.Duration
	}{
		{"", 2 * time.Minute},
		{"{at: 1m, say: close, node: n1, host: a.example.org}", 2 * time.Minute},
		{`{at: 1m, say: replace, node: n1, host: a.example.org, fields: "reset_timeout:900"}`, 15*time.Minute + 30*time.Second},
		{`{at: 1m, say: replace, node: n1, host: a.example.org, for: 10s, fields: "reset_timeout:900"}`, 15*time.Minute + 30*time.Second},
		{`{at: 2m, say: replace, node: n1, host: a.example.org, fields: "reset_timeout:5"}, {at: 1m, say: replace, node: n1, host: a.example.org, fields: "reset_timeout:900"}`, 15*time.Minute + 30*time.Second},
		{`{at: 1m, say: replace, node: n1, host: a.example.org, fields: "backoff.max:1200"}, {at: 2m, say: replace, node: n1, host: a.example.org, fields: "backoff.multiplier:2"}`, 20*time.Minute + 30*time.Second},
	} {
		s, err := parse("f.yaml", []byte(small+"words: ["+tt.words+"]\n"), beside)
		if err != nil || s.Plan.Quiet != tt.want {
			t.Errorf("%s: quiet %v, %v; want %v", tt.words, s.Plan.Quiet, err, tt.want)
		}
		s.Plan.Quiet = 2 * time.Minute
		if plans, err := s.Plan.Under(s.Plan.Policies); err != nil || plans[0].Quiet != tt.want {
			t.Errorf("%s: compared, quiet %v, %v; want %v", tt.words, plans[0].Quiet, err, tt.want)
		}
	}
}
