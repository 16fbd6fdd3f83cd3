package cluster

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
)

// quiet passes protoactor's log on one level lower, its info is our debug, and
// drops what it says on every normal start and stop.
type quiet struct {
	slog.Handler
	rate *rate
}

// noise is said in normal operation and helps nobody.
var noise = map[string]bool{
	"[DeadLetter]":                   true, // a timer's message to an actor that has just stopped
	"EndpointWriter lost connection": true, // every peer that goes away; membership says so too
}

func newQuiet(h slog.Handler) quiet { return quiet{h, newRate()} }

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
	if r.Level >= slog.LevelInfo { // strangers can cause most of it
		n, ok := q.rate.allow(r.Message)
		if !ok {
			return nil
		}
		if n > 0 {
			r.AddAttrs(slog.Uint64(suppressed, n))
		}
	}
	return q.Handler.Handle(ctx, r)
}

// WithAttrs is part of slog.Handler.
func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a), q.rate} }

// WithGroup is part of slog.Handler.
func (q quiet) WithGroup(n string) slog.Handler { return quiet{q.Handler.WithGroup(n), q.rate} }

const (
	sayEvery  = 10 * time.Second // the same thing at most this often
	maxTopics = 256              // things told apart
)

// suppressed is how often something was not said since it was said last.
const suppressed = "suppressed"

// A rate bounds how often the same thing is said.
type rate struct {
	mu     sync.Mutex
	topics map[string]*topic
}

type topic struct {
	next   time.Time
	unsaid uint64
}

func newRate() *rate { return &rate{topics: map[string]*topic{}} }

// allow says whether a topic may be spoken of now, and how often it was not
// since the last time.
func (r *rate) allow(name string) (unsaid uint64, ok bool) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.topics[name]
	if t == nil {
		if len(r.topics) >= maxTopics {
			clear(r.topics)
		}
		t = &topic{}
		r.topics[name] = t
	}
	if now.Before(t.next) {
		t.unsaid++
		return 0, false
	}
	unsaid, t.unsaid, t.next = t.unsaid, 0, now.Add(sayEvery)
	return unsaid, true
}

// say logs unless the topic was spoken of a moment ago.
func (r *rate) say(log *slog.Logger, level slog.Level, topic, what string, args ...any) {
	if !log.Enabled(context.Background(), level) {
		return
	}
	n, ok := r.allow(topic)
	if !ok {
		return
	}
	if n > 0 {
		args = append(args, suppressed, n)
	}
	log.Log(context.Background(), level, what, args...)
}

// A gossipLog takes memberlist's log: it counts what was refused, because
// memberlist tells of that nowhere else, and passes lines on at a bounded rate.
type gossipLog struct {
	log    *slog.Logger
	counts *counts
	rate   *rate
}

// Write is part of io.Writer; memberlist calls it once a line.
func (g gossipLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	level := slog.LevelDebug
	for prefix, l := range map[string]slog.Level{"[ERR]": slog.LevelWarn, "[ERROR]": slog.LevelWarn,
		"Err:": slog.LevelWarn, "[WARN]": slog.LevelInfo} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			level, text = l, rest
		}
	}
	text = strings.TrimPrefix(strings.TrimSpace(text), "memberlist: ")
	if level > slog.LevelDebug {
		g.count(text)
	}
	g.rate.say(g.log, level, shape(text), "gossip: "+text)
	return len(line), nil
}

// count sorts the lines that are about a packet or stream of somebody's.
func (g gossipLog) count(text string) {
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(text, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("unacceptable label", "label header"):
		g.counts.refusedLabel.Add(1)
	case has("Decrypt packet failed", "No installed keys", "encryption is", "could decrypt"):
		g.counts.refusedKey.Add(1)
	case has("ailed to decode", "ailed to receive", "ailed to read", "not supported", "missing message type",
		"invalid msgType", "invalid checksum", "truncated", "ailed to decompress", "too short", "Vsn is not present"):
		g.counts.refusedMalformed.Add(1)
	}
}

// shape is a line without what differs from one occurrence to the next.
func shape(text string) string {
	var b strings.Builder
	for _, word := range strings.Fields(text) {
		if b.Len() > 60 || strings.ContainsFunc(word, unicode.IsDigit) {
			break
		}
		b.WriteString(word)
		b.WriteByte(' ')
	}
	return b.String()
}
