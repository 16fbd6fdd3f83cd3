package cluster

import (
	"context"
	"log/slog"
)

// quiet passes protoactor's log on one level lower, its info is our debug, and
// drops what it says on every normal start and stop.
type quiet struct{ slog.Handler }

// noise is said in normal operation and helps nobody.
var noise = map[string]bool{
	"[DeadLetter]":                   true, // a timer's message to an actor that has just stopped
	"EndpointWriter lost connection": true, // every peer that goes away; membership says so too
}

func lower(l slog.Level) slog.Level { return l - (slog.LevelInfo - slog.LevelDebug) }

// Enabled is part of slog.Handler.
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return q.Handler.Enabled(ctx, lower(l))
}

// Handle is part of slog.Handler.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	if noise[r.Message] {
		return nil
	}
	r.Level = lower(r.Level)
	return q.Handler.Handle(ctx, r)
}

// WithAttrs is part of slog.Handler.
func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }

// WithGroup is part of slog.Handler.
func (q quiet) WithGroup(n string) slog.Handler { return quiet{q.Handler.WithGroup(n)} }
