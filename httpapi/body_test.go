package httpapi_test

import (
	"strings"
	"testing"
)

// What is wrong with a body is said in the words of JSON, not in those of Go.
func TestBodiesThatAreRefused(t *testing.T) {
	r := newRig(t)
	for body, want := range map[string]string{
		"":                                "it is empty",
		`{"host":`:                        "it ends in the middle",
		`{"host":5}`:                      "host is a number, not a string",
		`[]`:                              "it is an array, not an object",
		`{"host":"a.example","hots":"b"}`: `unknown field \"hots\"`,
		`{host:1}`:                        "it is no JSON: invalid character 'h'",
		`{"host":"a.example"} x`:          "there is text after the JSON value",
	} {
		status, text := r.request("POST", "/v1/allow", body, asJSON, nil)
		if status != 400 || !strings.Contains(text, want) || strings.Contains(text, "Go ") || strings.Contains(text, "json:") {
			t.Errorf("%s: %d %s; want %q", body, status, text, want)
		}
	}
	if _, text := r.request("POST", "/v1/report", `{"outcomes":[{"host":"a.example","status":1.5}]}`, asJSON, nil); !strings.Contains(text, "outcomes.status is a number 1.5, not a whole number") {
		t.Error(text)
	}
}
