//go:build cgo

package sqlite_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/sqlite"
)

// A bench is a store, the other program beside it, and the wall clock of both.
type bench struct {
	*sqlite.Store
	other *sql.DB
	wall  time.Time
}

func newBench(t *testing.T) *bench {
	b := &bench{wall: time.Date(2026, 10, 7, 12, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	b.Store = open(t, dir, sqlite.WithClock(func() time.Time { return b.wall }))
	b.other = raw(t, dir)
	return b
}

// epoch is the wall time in d, in epoch seconds.
func (b *bench) epoch(d time.Duration) float64 { return cooldownstore.EpochSeconds(b.wall.Add(d)) }

// row reads the documented columns as any program would.
func (b *bench) row(t *testing.T, host string) (until float64, reason string, updated float64) {
	t.Helper()
	err := b.other.QueryRow("SELECT until_wall, coalesce(reason, ''), updated_at FROM breaker_cooldowns WHERE host = ?", host).
		Scan(&until, &reason, &updated)
	if err != nil {
		t.Fatalf("row of %s: %v", host, err)
	}
	return until, reason, updated
}

func TestOurRows(t *testing.T) {
	b := newBench(t)
	long, short := cooldown(5, 10*time.Minute), cooldown(6, time.Minute)
	long.Setter, long.Reason = "n2", breaker.ReasonRetryAfter
	open := breaker.Circuit{State: breaker.Open, Stamp: 7, Until: now.Add(time.Hour), Reason: breaker.ReasonConsecutive}
	for _, test := range []struct {
		host     string
		snapshot breaker.Snapshot
		until    float64
		reason   string
	}{
		{"api.example", breaker.Snapshot{Cooldowns: []breaker.Cooldown{short}}, b.epoch(time.Minute), "cli-open"},
		{"two.example", breaker.Snapshot{Cooldowns: []breaker.Cooldown{short, long}}, b.epoch(10 * time.Minute), "retry-after"},
		{"cleared.example", breaker.Snapshot{Clear: 9, ClearKept: now.Add(breaker.KeepClear)}, 0, ""},
		{"resolver:crossref", breaker.Snapshot{Cooldowns: []breaker.Cooldown{short}, Circuit: open}, b.epoch(time.Minute), "cli-open"},
	} {
		key := breaker.HostKey(test.host)
		if strings.HasPrefix(test.host, "resolver:") {
			key = breaker.Key(test.host)
		}
		save(t, b, key, test.snapshot, b.wall)
		until, reason, updated := b.row(t, test.host)
		if until != test.until || reason != test.reason || updated != b.epoch(0) {
			t.Errorf("row of %s: %f %q %f, want %f %q %f", test.host, until, reason, updated, test.until, test.reason, b.epoch(0))
		}
	}
	save(t, b, "host:counted.example", breaker.Snapshot{Circuit: open}, b.wall)
	var n int
	if err := b.other.QueryRow("SELECT count(*) FROM breaker_cooldowns WHERE host = 'counted.example'").Scan(&n); n != 0 || err != nil {
		t.Errorf("a circuit makes %d rows for other programs, %v, want none: counted evidence is ours", n, err)
	}
}
