package config_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/config"
)

func TestOverlayText(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{" \n", ""},
		{"fail_max=3", "fail_max:3"},
		{"mode:Shadow reset:90", "reset_timeout:1m30s,mode:shadow"}, // in the order of the table
		{"reset_timeout_s:90,mode=shadow", "reset_timeout:1m30s,mode:shadow"},
		{"half_open_jitter_ms:20", "half_open.jitter:20ms"},
		{"half_open.jitter:0", "half_open.jitter:0s"},
		{"half_open.jitter:1.5µs", "half_open.jitter:1.5µs"},
		{"failure_statuses:502,500,502", "classify.failure_statuses:500,502"},
		{"neutral_statuses:none,fail_max:3", "fail_max:3,classify.neutral_statuses:none"},
		{"failure_rate.ratio:5e-2,backoff.multiplier:1.50,rate_multiplier:.1", "backoff.multiplier:1.5,failure_rate.ratio:0.05,rate_multiplier:0.1"},
		{"rolling.enabled,slow_call.enabled:no", "rolling.enabled:true,slow_call.enabled:false"},
		{"roles.x.fail_max:2,roles.meta.reset:1h,fail_max:1_000,roles.a.b.fail_max:3",
			"fail_max:1000,roles.a.b.fail_max:3,roles.metadata.reset_timeout:1h0m0s,roles.x.fail_max:2"},
	} {
		o, err := config.ParseOverlay(tt.text)
		if err != nil || o.String() != tt.want || o.Empty() != (tt.want == "") {
			t.Errorf("%q: got %q (empty %v), %v; want %q", tt.text, o, o.Empty(), err, tt.want)
			continue
		}
		again, err := config.ParseOverlay(o.String())
		if err != nil || again.String() != o.String() {
			t.Errorf("%q: read again it is %q, %v", tt.text, again, err)
		}
	}
}

func TestOverlayOf(t *testing.T) {
	for _, tt := range []struct {
		fields string // JSON
		want   string
	}{
		{`{}`, ""},
		{`{"fail_max": 3, "roles.metadata.trial_calls": 2, "reset_timeout": "90s", "rolling.enabled": true, "classify.failure_statuses": [429, 500]}`,
			"fail_max:3,reset_timeout:1m30s,rolling.enabled:true,classify.failure_statuses:429,500,roles.metadata.trial_calls:2"},
		{`{"rolling": {"enabled": false, "window_s": 5}, "roles": {"meta": {"fail_max": 2}, "a.b": {"fail_max": 3}}}`,
			"rolling.enabled:false,rolling.window:5s,roles.a.b.fail_max:3,roles.metadata.fail_max:2"},
		{`{"reset": 1.5, "half_open": {"jitter_ms": 20}, "neutral_statuses": [], "retry_after_statuses": "503, 429"}`,
			"reset_timeout:1.5s,half_open.jitter:20ms,retry_after_statuses:429,503,classify.neutral_statuses:none"},
		{`{"failure_statuses": ["500", 502.0], "fail_max": 1e3, "trial_calls": "7", "mode": "OFF", "rate_multiplier": 1}`,
			"fail_max:1000,trial_calls:7,classify.failure_statuses:500,502,rate_multiplier:1,mode:off"},
	} {
		for name, decode := range map[string]func(*json.Decoder){"float64": func(*json.Decoder) {}, "Number": (*json.Decoder).UseNumber} {
			var fields map[string]any
			d := json.NewDecoder(strings.NewReader(tt.fields))
			decode(d)
			if err := d.Decode(&fields); err != nil {
				t.Fatal(err)
			}
			o, err := config.OverlayOf(fields)
			if err != nil || o.String() != tt.want {
				t.Errorf("%s as %s: got %q, %v; want %q", tt.fields, name, o, err, tt.want)
			}
		}
	}
	o, err := config.OverlayOf(map[string]any{"fail_max": 3, "failure_statuses": []int{500}})
	if err != nil || o.String() != "fail_max:3,classify.failure_statuses:500" {
		t.Errorf("of Go values: got %q, %v", o, err)
	}
}

// Fields are what OverlayOf reads, after JSON too.
func TestOverlayFields(t *testing.T) {
	o := overlay(t, "fail_max:3,reset:90,failure_rate.ratio:0.25,rolling.enabled,neutral_statuses:none,failure_statuses:500,mode:off,retry_after_scope:node,roles.x.reset:5")
	want := map[string]any{"fail_max": 3, "reset_timeout": "1m30s", "failure_rate.ratio": 0.25, "rolling.enabled": true,
		"classify.neutral_statuses": []int{}, "classify.failure_statuses": []int{500}, "mode": "off", "retry_after_scope": "node", "roles.x.reset_timeout": "5s"}
	if diff := cmp.Diff(want, o.Fields()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text, err := json.Marshal(o.Fields())
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	again, err := config.OverlayOf(fields)
	if err != nil || again.String() != o.String() {
		t.Errorf("%s: read again it is %q, %v; want %q", text, again, err, o)
	}
	if diff := cmp.Diff(map[string]any{}, config.Overlay{}.Fields()); diff != "" {
		t.Errorf("empty (-want +got):\n%s", diff)
	}
}

func TestOverlayOfRefuses(t *testing.T) {
	many := map[string]any{}
	for i := range 65 {
		many[fmt.Sprintf("roles.r%d.fail_max", i)] = 2
	}
	long := map[string]any{}
	for i := range 40 {
		long[fmt.Sprintf("roles.%s%02d.success_threshold", strings.Repeat("x", 62), i)] = 100
		long[fmt.Sprintf("roles.%s%02d.reset_timeout", strings.Repeat("x", 62), i)] = 100
	}
	for i := 32; i < 40; i++ { // 64 fields
		delete(long, fmt.Sprintf("roles.%s%02d.success_threshold", strings.Repeat("x", 62), i))
		delete(long, fmt.Sprintf("roles.%s%02d.reset_timeout", strings.Repeat("x", 62), i))
	}
	nested := map[string]any{"fail_max": 1}
	for range 1000 {
		nested = map[string]any{"roles": nested}
	}
	for _, tt := range []struct {
		fields map[string]any
		want   string
	}{
		{map[string]any{"fail_mx": 3.0, "reset": -1.0}, "unknown policy field \"fail_mx\"; did you mean \"fail_max\"?\nreset is \"-1\": a duration cannot be negative"},
		{map[string]any{"fail_max": 2.5}, `fail_max is "2.5": want a whole number`},
		{map[string]any{"fail_max": json.Number("25e-1")}, `fail_max is "2.5": want a whole number`},
		{map[string]any{"fail_max": 0.0}, "fail_max is 0; want 1 to 10000"},
		{map[string]any{"fail_max": 1e300}, "that number is too large"},
		{map[string]any{"fail_max": json.Number("1e999")}, "fail_max is \"1e999\": want a whole number"},
		{map[string]any{"reset": math.NaN()}, "reset is \"NaN\": want a duration"},
		{map[string]any{"failure_rate.ratio": math.Inf(1)}, "want a number"},
		{map[string]any{"fail_max": true}, `fail_max is "true": want a whole number`},
		{map[string]any{"fail_max": nil}, `"fail_max" has no value: it is null`},
		{map[string]any{"fail_max": ""}, "fail_max has no value"},
		{map[string]any{"fail_max": []any{3.0}}, "fail_max wants one value, not a list"},
		{map[string]any{"fail_max": map[string]any{"a": 3.0}}, `unknown policy field "fail_max.a"`},
		{map[string]any{"rolling": map[string]any{}}, `"rolling" is an empty object; name a field`},
		{map[string]any{"roles": map[string]any{"preview": map[string]any{}}}, `"roles.preview" is an empty object`},
		{map[string]any{"rolling": 3.0}, `unknown policy field "rolling"`},
		{map[string]any{"rolling.enabled": "maybe"}, "want true or false"},
		{map[string]any{"mode": "of"}, "want one of"},
		{map[string]any{"reset": 3.0, "reset_timeout": 4.0}, "reset and reset_timeout set the same field; keep one"},
		{map[string]any{"rolling": map[string]any{"enabled": true}, "rolling.enabled": true}, "rolling.enabled is set twice"},
		{map[string]any{"roles.x.mode": "off"}, "mode cannot be set for a role"},
		{map[string]any{"roles.a b.fail_max": 3.0}, "role"},
		{map[string]any{"roles.x.fail_max": 0.0}, "roles.x.fail_max is 0"},
		{map[string]any{"roles.metadata": 3.0}, "want roles.ROLE.FIELD"},
		{map[string]any{"failure_statuses": []any{500.0, []any{}}}, `"failure_statuses" has a list in its list`},
		{map[string]any{"failure_statuses": []any{500.0, nil}}, `"failure_statuses" has an element that has no value`},
		{map[string]any{"failure_statuses": []any{600.0}}, "has 600; want 100 to 599"},
		{map[string]any{"failure_statuses": []any{map[string]any{}}}, "is a map[string]interface {}"},
		{map[string]any{"failure_statuses": make([]any, 501)}, "has 501 elements; at most 500 make sense"},
		{map[string]any{"fail_max": struct{}{}}, `"fail_max" is a struct {}`},
		{map[string]any{"": 3.0}, `unknown policy field ""`},
		{map[string]any{strings.Repeat("é", 9000): 3.0}, "unknown policy field"},
		{nested, "objects nest at most 3 deep"},
		{many, "sets 65 fields; at most 64 can be replaced, a file takes more"},
		{long, "bytes as text; at most 4096 can be replaced"},
	} {
		o, err := config.OverlayOf(tt.fields)
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 600 || !o.Empty() {
			t.Errorf("%.100v: got %q and error %.600v, want %q", tt.fields, o, err, tt.want)
		}
	}
	var pairs []string
	for name := range long {
		pairs = append(pairs, name+":60")
	}
	for text, want := range map[string]string{
		strings.Join(pairs, ","):      "bytes as text; at most 4096 can be replaced",
		"fail_max:3,fail_max:3":       "fail_max is set twice",
		"fail_mx:3":                   "did you mean",
		strings.Repeat("x", 70_000):   "at most 65536",
		"a.example.org=fail_max:3":    "unknown policy field",
		"fail_max:3;reset_timeout:60": "whole number",
	} {
		if o, err := config.ParseOverlay(text); err == nil || !strings.Contains(err.Error(), want) || !o.Empty() {
			t.Errorf("ParseOverlay(%.60q): got %.60q, %v; want %q", text, o, err, want)
		}
	}
}

func TestOverlayWithAndWithout(t *testing.T) {
	o := overlay(t, "fail_max:3,reset:60,roles.meta.fail_max:2")
	with, err := o.With(overlay(t, "reset:70,mode:off,roles.metadata.fail_max:4"))
	if want := "fail_max:3,reset_timeout:1m10s,mode:off,roles.metadata.fail_max:4"; err != nil || with.String() != want {
		t.Errorf("With: got %q, %v; want %q", with, err, want)
	}
	without, err := with.Without([]string{"reset", "roles.meta.fail_max", "reset_timeout"})
	if want := "fail_max:3,mode:off"; err != nil || without.String() != want {
		t.Errorf("Without: got %q, %v; want %q", without, err, want)
	}
	if o.String() != "fail_max:3,reset_timeout:1m0s,roles.metadata.fail_max:2" {
		t.Errorf("the overlay changed: %q", o)
	}
	if none, err := without.Without([]string{"mode", "fail_max"}); err != nil || !none.Empty() || none.String() != "" {
		t.Errorf("without all: got %q, %v", none, err)
	}
	for _, tt := range []struct {
		from config.Overlay
		name string
		want string
	}{
		{with, "witnesses", `"witnesses" is not replaced; replaced are fail_max, mode, reset_timeout, roles.metadata.fail_max`},
		{with, "roles.landing.fail_max", `"roles.landing.fail_max" is not replaced; replaced are`},
		{with, "fail_mx", `unknown policy field "fail_mx"; did you mean "fail_max"?`},
		{with, "roles.metadata", "want roles.ROLE.FIELD"},
		{config.Overlay{}, "mode", `"mode" is not replaced; nothing is`},
	} {
		if got, err := tt.from.Without([]string{tt.name}); err == nil || !strings.Contains(err.Error(), tt.want) || !got.Empty() {
			t.Errorf("Without(%s): got %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	var pairs []string
	for i := range 60 {
		pairs = append(pairs, fmt.Sprintf("roles.r%d.fail_max:2", i))
	}
	if _, err := with.With(overlay(t, strings.Join(pairs, ","))); err != nil {
		t.Errorf("64 fields: %v", err)
	}
	if _, err := with.With(overlay(t, strings.Join(pairs, ",")+",witnesses:3")); err == nil || !strings.Contains(err.Error(), "sets 65 fields") {
		t.Errorf("65 fields: error %v", err)
	}
}

func overlay(t testing.TB, text string) config.Overlay {
	t.Helper()
	o, err := config.ParseOverlay(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
