package fleet_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// commandCell finds commands in the runbook's tables and in the README.
var commandCell = regexp.MustCompile(`bin/fleetfuse-ctl ([a-z][^` + "`" + `|#&\n]*)`)

// TestDocumentedCommands runs every ctl command that README.md and AGENTS.md
// name against a real node: each must be understood and answered.
func TestDocumentedCommands(t *testing.T) {
	n := start(t, t.TempDir())
	trip(t, n)
	seen := map[string]bool{}
	for _, file := range []string{"README.md", "AGENTS.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range commandCell.FindAllStringSubmatch(string(text), -1) {
			line := strings.NewReplacer("HOST", host, "TEXT", "runbook").Replace(strings.TrimSpace(m[1]))
			if seen[line] {
				continue
			}
			seen[line] = true
			n := n
			if strings.HasSuffix(line, "leave") { // ends its node
				n = start(t, t.TempDir())
			}
			if code, out := runCtl(t, n.HTTP, strings.Fields(line)...); code != 0 && code != 1 || out == "" {
				t.Errorf("%s: %q: exit %d\n%s", file, line, code, out)
			}
		}
	}
	if len(seen) < 6 {
		t.Errorf("found only %d commands in the documentation: %v", len(seen), seen)
	}
}

// metricName finds metrics in the runbook.
var metricName = regexp.MustCompile("`(fleetfuse_[a-z_]+)[^`]*`")

// TestDocumentedMetrics looks for every metric that AGENTS.md names.
func TestDocumentedMetrics(t *testing.T) {
	n := startNode(t, t.TempDir(), "n1", "--cooldown-store", "sqlite://"+filepath.Join(t.TempDir(), "shared.db"))
	trip(t, n)
	resp, err := http.Get(n.HTTP + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	served, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "AGENTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := metricName.FindAllStringSubmatch(string(text), -1)
	for _, m := range names {
		if !strings.Contains(string(served), "\n"+m[1]) {
			t.Errorf("AGENTS.md names %s, which a node does not serve", m[1])
		}
	}
	if len(names) < 10 {
		t.Errorf("found only %d metrics in AGENTS.md", len(names))
	}
}

// runCtl returns ctl's exit code and everything it printed. It runs at the root of
// the repository, as the documents say.
func runCtl(t *testing.T, addr string, args ...string) (int, string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), ctl, append([]string{"--addr", addr}, args...)...)
	c.Dir = filepath.Join("..", "..")
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// TestExitCodes holds ctl to its exit codes against a real node and without one.
func TestExitCodes(t *testing.T) {
	n := start(t, t.TempDir())
	trip(t, n)
	for _, x := range []struct {
		args string
		want int
		says string
	}{
		{"status", 0, "ready"},
		{"status -o json", 0, `"ready": true`},
		{"breaker show", 0, host},
		{"breaker show -o json", 0, `"consecutive-failures"`},
		{"breaker check " + host, 1, "open"},
		{"breaker check healthy.example.org", 0, "closed"},
		{"breaker why " + host, 0, "fail_max"},
		{"breaker why healthy.example.org", 0, "closed"},
		{"breaker why resolver:crossref", 0, "closed"},
		{"breaker open other.example.org --for 10m", 0, "durable"},
		{"breaker close other.example.org", 0, "closed"},
		{"breaker open other.example.org", 2, "--for"},
		{"breaker check https://a.example.org/x", 2, "URL"},
		{"breaker bogus", 2, ""},
		{"version", 0, "fleetfuse-ctl"},
		{"completion bash", 0, "bash"},
	} {
		if got, out := runCtl(t, n.HTTP, strings.Fields(x.args)...); got != x.want || !strings.Contains(out, x.says) {
			t.Errorf("ctl %s: exit %d, want %d and %q\n%s", x.args, got, x.want, x.says, out)
		}
	}
	n.Kill()
	if got, out := runCtl(t, n.HTTP, "status"); got != 3 {
		t.Errorf("ctl status without a node: exit %d, want 3\n%s", got, out)
	}
}
