package main

import (
	"os"
	"testing"
)

func TestConfigCheck(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"good.yaml":    "profile: conservative\nhosts:\n  api.example.org: {fail_max: 3}\n",
		"bad.yaml":     "defaults:\n  fail_mx: 3\n  reset_timeout: -5\nhosts:\n  \"a b\": {fail_max: 3}\ncooldown_store: redi://:secret@h\n",
		"tab.yaml":     "defaults:\n\tfail_max: 3\n",
		"silent.yaml":  "classify_: 1\n",
		"no429.yaml":   "defaults: {classify: {failure_statuses: [500]}}\n",
		"hostile.yaml": "\"\\e[2J\": 1\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	term := newTerminal(t, node{})
	term.types("config", "check", "good.yaml")
	term.types("config", "check", "good.yaml", "-o", "json")
	term.types("config", "check", "bad.yaml")
	term.types("config", "check", "bad.yaml", "-o", "json")
	term.types("config", "check", "good.yaml", "tab.yaml", "missing.yaml", "silent.yaml")
	term.types("config", "check", "no429.yaml")
	term.types("config", "check", "hostile.yaml")
	term.types("config", "check")
	term.types("config", "chek", "x")
	t.Chdir(here) // where the transcripts are
	term.golden("config-check")
}
