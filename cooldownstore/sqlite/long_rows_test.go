//go:build cgo

package sqlite_test

import (
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// Rows of another program that are longer than anything of ours must not fill
// this node's memory. A deadline is obeyed, whatever else the row says.
func TestLongRowsAreNotRead(t *testing.T) {
	b := newBench(t)
	long := strings.Repeat("x", cooldownstore.MaxSharedBytes+1)
	exec(t, b.other, replaceRow, "h.example", b.epoch(time.Minute), long, b.epoch(0))
	exec(t, b.other, replaceRow, long, b.epoch(time.Minute), "", b.epoch(0))
	exec(t, b.other, replaceRow, "text.example", long, "", b.epoch(0))
	exec(t, b.other, replaceRow, "dated.example", b.epoch(time.Minute), "", long)
	exec(t, b.other, "INSERT INTO breaker_cooldowns (host, until_wall, reason, updated_at, more, shown) VALUES (?, ?, '', ?, ?, ?)",
		"more.example", b.epoch(time.Minute), b.epoch(0), `{"shown":1,"clear":"7","setter":"`+strings.Repeat("x", 1<<20)+`"}`, 1)
	for what, list := range map[string]func(func(cooldownstore.Record) bool) error{
		"Each": func(yield func(cooldownstore.Record) bool) error { return b.Store.Each(t.Context(), yield) },
		"News": func(yield func(cooldownstore.Record) bool) error { return b.Store.News(t.Context(), yield) },
	} {
		found := map[breaker.Key]bool{}
		if err := list(func(r cooldownstore.Record) bool {
			found[r.Key] = true
			if len(r.Snapshot.Cooldowns) != 1 || r.Snapshot.Cooldowns[0].Detail != "" || r.Snapshot.Clear != 0 {
				t.Errorf("%s: %.300v", what, r)
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if len(found) != 3 || !found["host:h.example"] || !found["host:dated.example"] || !found["host:more.example"] {
			t.Errorf("%s: %d keys: %.300v", what, len(found), found)
		}
	}
	for _, key := range []breaker.Key{"host:h.example", "host:dated.example", "host:more.example"} {
		if s := load(t, b, key, b.wall); s.At(now).State != breaker.Open {
			t.Errorf("%s: %.300v", key, s)
		}
	}
}
