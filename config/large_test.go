package config_test

import (
	"strings"
	"testing"
	"time"

	"fleetfuse/config"
)

// A file so large that it is read in pieces.
func TestLargeFile(t *testing.T) {
	const hosts = 20_000
	file := "log: {level: warn}\n" + manyHosts(hosts) + "defaults: {witnesses: 3}\n"
	if len(file) < 1<<20 {
		t.Fatalf("%d bytes are not large", len(file))
	}
	path := write(t, file)
	c, err := load(t, "", nil, "--config="+path)
	if err != nil {
		t.Fatal(err)
	}
	b := &c.Breakers
	last := b.Policy("host:h19999.example.org")
	if len(b.Hosts) != hosts || c.Log.Level != "warn" || last.FailMax != 10_000 || last.ResetTimeout != 20_999*time.Millisecond || last.Witnesses != 3 {
		t.Errorf("%d hosts, level %s, last %+v", len(b.Hosts), c.Log.Level, last)
	}
	for i, line := range strings.Split(file, "\n") {
		if line == "  h19995.example.org:" {
			if got := b.Origin("host:h19995.example.org", "metadata", "fail_max"); got.Source != path || int(got.Line) != i+4 || got.Column != 34 {
				t.Errorf("origin %s, want line %d column 34", got, i+4)
			}
		}
	}
	found := config.Check([]string{write(t, strings.Replace(file, "  h19999.example.org:\n", "  h19999.example.org:\n    fail_mx: 3\n", 1))})
	if len(found) != 1 || found[0].Source != "    fail_mx: 3" || found[0].Column != 5 || found[0].Text != `unknown policy field "fail_mx"; did you mean "fail_max"?` {
		t.Errorf("found %+v, want the misspelt field", found)
	}
}

func TestCheckFindsThePlace(t *testing.T) {
	secret := write(t, "cooldown_store: redis:u:secret@h\n")
	for _, tt := range []struct {
		file string
		want config.Finding
	}{
		{write(t, "hosts:\r\n  a b: {}\r\n"), config.Finding{Line: 2, Column: 3, Source: "  a b: {}",
			Text: `host "a b" has a blank or control character at byte 1; remove it`}},
		{write(t, "a: [\n"), config.Finding{Line: 1, Column: 4, Source: "a: [",
			Text: "did not find expected node content; a value is missing here, or a bracket that is not closed"}},
		{write(t, "hosts: {'*': {}}\n"), config.Finding{Line: 1, Column: 9, Source: "hosts: {'*': {}}",
			Text: `wildcard "*": what applies to every host are the defaults; use the section defaults, or --breaker-defaults`}},
		{secret, config.Finding{Line: 1, Column: 17, Text: `cooldown_store starts with "redis:" but not with "redis://"; want sqlite, sqlite:///abs/path, redis://host:6379, rediss://, redis+sentinel://, redis+cluster:// or memory:`}},
	} {
		tt.want.File = tt.file
		if found := config.Check([]string{tt.file}); len(found) != 1 || found[0] != tt.want {
			t.Errorf("found %+v, want %+v", found, tt.want)
		}
	}
	if found := config.Check([]string{"/nowhere.yaml"}); len(found) != 1 || found[0].File != "" || !strings.Contains(found[0].Text, "no such file") {
		t.Errorf("found %+v, want a file that is not there", found)
	}
}
