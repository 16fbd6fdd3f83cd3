package cluster

import (
	"log/slog"
	"strings"
	"testing"
)

func TestQuiet(t *testing.T) {
	var out strings.Builder
	l := slog.New(newQuiet(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))).With("lib", "protoactor").WithGroup("g")
	l.Info("actor system started")
	l.Error("[DeadLetter]")
	l.Error("EndpointWriter failed to connect")
	got := out.String()
	if strings.Count(got, "\n") != 1 || !strings.Contains(got, `level=WARN msg="EndpointWriter failed to connect" lib=protoactor`) {
		t.Errorf("log is\n%s\nwant the error alone, as a warning", got)
	}
}
