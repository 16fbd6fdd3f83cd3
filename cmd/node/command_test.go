package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fleetfuse/config"
)

func TestExitCodes(t *testing.T) {
	busy := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(busy, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		args string
		want int
		text string
	}{
		{"", 2, "fleetfuse-node --help"},
		{"walk", 2, `unknown command "walk"`},
		{"run --data-dri x", 2, "did you mean --data-dir?"},
		{"run now", 2, `unknown command "now"`},
		{"run --log.level loud", 2, "--log.level"},
		{"run --config /nowhere.yaml", 2, "no such file"},
		{"version please", 2, "unknown command"},
		{"run --http.listen-address 127.0.0.1:0 --data-dir " + busy + "/below", 1, "not a directory"},
		{"run --http.listen-address 127.0.0.1:0 --data-dir /proc/nope", 1, "no directory can be made there; choose another --data-dir"},
	} {
		c := command(nil, io.Discard, io.Discard)
		c.SetArgs(strings.Fields(x.args))
		err := c.ExecuteContext(t.Context())
		if err == nil || exitCode(err) != x.want || !strings.Contains(err.Error(), x.text) {
			t.Errorf("%s: exit %d, %v; want %d, %q", x.args, exitCode(err), err, x.want, x.text)
		}
	}
}

// A node that is told to stop says so, and that it has stopped.
func TestAStopIsSaid(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ready := filepath.Join(t.TempDir(), "ready")
	var log strings.Builder
	c := command(nil, io.Discard, &log)
	c.SetArgs(strings.Fields("run --http.listen-address 127.0.0.1:0 --cluster.listen-address 127.0.0.1:0 --actor.listen-address 127.0.0.1:0 --cooldown-store memory: --ready-file " + ready))
	done := make(chan error, 1)
	go func() { done <- c.ExecuteContext(ctx) }()
	for {
		if _, err := os.Stat(ready); err == nil {
			break
		}
		select {
		case err := <-done:
			t.Fatal(err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	text := log.String()
	told, stopped := strings.Index(text, "told to stop"), strings.LastIndex(text, "stopped")
	if told < 0 || stopped < told {
		t.Errorf("the log: %s", text)
	}
}

// A log is text for people at a terminal and JSON for programs.
func TestLogFormats(t *testing.T) {
	for _, x := range []struct{ format, want string }{
		{"auto", `"msg":"ready"`}, {"json", `"msg":"ready"`}, {"text", "msg=ready"},
	} {
		cfg := config.Default()
		cfg.Log.Format = x.format
		var b strings.Builder
		logger(&cfg, &b).Info("ready")
		if !strings.Contains(b.String(), x.want) {
			t.Errorf("%s: %s", x.format, b.String())
		}
	}
}
