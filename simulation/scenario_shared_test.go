package simulation

import (
	"strings"
	"testing"
)

// shares is a scenario with a shared store.
const shares = small + "shared-store: {}\n"

func TestParseSharedErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{small + "faults: [{at: 1m, for: 1s, kind: store-fails}]\n", "f.yaml:6:34: there is no shared store in this scenario: add shared-store"},
		{shares + "faults: [{at: 1m, for: 1s, kind: store-fails, node: n1}]\n", "a store-fails takes no node"},
		{shares + "faults: [{at: 1m, kind: store-fails}]\n", "for is missing: how long the store-fails lasts"},
		{shares + "faults: [{at: 1m, for: 1s, kind: store-emptied}]\n", "a store-emptied takes no for"},
		{shares + "faults: [{at: 1m, kind: store-loses-tail}]\n", "a store-loses-tail needs tail"},
		{shares + "faults: [{at: 1m, kind: store-loses-tail, tail: 5m}]\n", "tail is 5m0s; want 1ms to 1m0s"},
		{shares + "faults: [{at: 1m, for: 1s, kind: store-lies, part: 2}]\n", "part is 2; want 0 to 1"},
		{small + "shared-store: {delay_min: 5ms, delay_max: 1ms}\n", "delay_max is 1ms, less than delay_min, which is 5ms"},
		{small + "shared-store: {writse: []}\n", `f.yaml:6:16: unknown key "writse"; did you mean "writes"?`},
		{small + "shared-store: {writes: [{at: 1m, host: a.example.org}]}\n", "a write needs by: program"},
		{small + "shared-store: {writes: [{at: 1m, by: program, host: a.example.org}]}\n", "a write by a program needs say: deadline, zero"},
		{small + "shared-store: {writes: [{at: 1m, by: program, say: close, host: a.example.org}]}\n", "want one of deadline, zero"},
		{small + "shared-store: {writes: [{at: 1m, by: program, say: deadline, host: a.example.org}]}\n", "for is missing: how long the deadline holds"},
		{small + "shared-store: {writes: [{at: 1m, by: cluster, say: close, host: a.example.org, for: 1m}]}\n", "say: close takes no for"},
		{small + "shared-store: {writes: [{at: 1m, by: cluster, say: open, host: a.example.org, for: 1m, copies: true}]}\n", "say: open takes no copies"},
		{small + "shared-store: {writes: [{at: 9m, by: cluster, say: open, host: x.org, for: 1m}]}\n", "f.yaml:6:30: at is 9m0s, but the length is 5m0s"},
		{small + "shared-store: {writes: [{at: 1m, by: cluster, say: open, host: x.org, for: 1m}]}\n", "there is no such host"},
	}
	for _, tt := range tests {
		s, err := parse("f.yaml", []byte(tt.text), beside)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q:\n got %v, %+v\nwant %s", tt.text, err, s, tt.want)
		}
	}
}
