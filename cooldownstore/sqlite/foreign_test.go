//go:build cgo

package sqlite_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

const (
	replaceRow = "INSERT OR REPLACE INTO breaker_cooldowns (host, until_wall, reason, updated_at) VALUES (?, ?, ?, ?)"
	upsertRow  = `INSERT INTO breaker_cooldowns (host, until_wall, reason, updated_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (host) DO UPDATE SET until_wall = excluded.until_wall, reason = excluded.reason, updated_at = excluded.updated_at`
)

func TestForeignRow(t *testing.T) {
	b := newBench(t)
	exec(t, b.other, replaceRow, "api.example", b.epoch(5*time.Minute), "too many requests", b.epoch(-time.Minute))
	got := load(t, b, "host:api.example", b.wall)
	want := breaker.Cooldown{
		Setter: "store", Stamp: breaker.StampAt(b.wall.Add(-time.Minute)), Until: now.Add(5 * time.Minute),
		Length: 6 * time.Minute, Reason: breaker.ReasonStore, Detail: "too many requests", Disk: true,
	}
	if len(got.Cooldowns) != 1 || got.Cooldowns[0] != want {
		t.Errorf("a row with four columns reads as %+v, want %+v", got.Cooldowns, want)
	}
	set := load(t, b, "host:api.example", b.wall.Add(-time.Hour))
	if left := set.At(now).Until.Sub(now); left > 6*time.Minute {
		t.Errorf("with the wall clock set back it lasts %v, want at most its length", left)
	}
}

func TestHostileRows(t *testing.T) {
	b := newBench(t)
	future, month := b.epoch(time.Minute), breaker.MaxOpen
	for i, test := range []struct {
		until, reason, updated any
		want                   time.Duration // 0: no cooldown
	}{
		{future, nil, b.epoch(0), time.Minute},
		{future, []byte{0xff, 0xfe}, b.epoch(0), time.Minute},
		{future, strings.Repeat("ü", 500), b.epoch(0), time.Minute},
		{future, 17, b.epoch(0), time.Minute},
		{future, "", 0.0, time.Minute},
		{future, "", -1e300, time.Minute},
		{future, "", "yesterday", time.Minute},
		{future, "", math.Inf(1), time.Minute},
		{future, "", b.epoch(25 * time.Hour), time.Minute},
		{math.Inf(1), "", b.epoch(0), month},
		{1e300, "", b.epoch(0), month},
		{1000 * future, "milliseconds", b.epoch(0), month},
		{math.MaxFloat64, "", 0.0, month},
		{math.Inf(-1), "", b.epoch(0), 0},
		{-1e300, "", b.epoch(0), 0},
		{-1.5, "", b.epoch(0), 0},
		{0, "", b.epoch(0), 0},
		{math.SmallestNonzeroFloat64, "", math.SmallestNonzeroFloat64, 0},
		{"tomorrow", "", b.epoch(0), 0},
		{[]byte("blob"), "", b.epoch(0), 0},
		{b.epoch(-11 * time.Minute), "", b.epoch(-time.Hour), 0},
		{future, "written after it ended", b.epoch(12 * time.Minute), 0},
	} {
		exec(t, b.other, replaceRow, "h.example", test.until, test.reason, test.updated)
		s := load(t, b, "host:h.example", b.wall)
		got := s.At(now)
		if left := max(got.Until.Sub(now), 0); got.State == breaker.Closed && test.want != 0 || got.State != breaker.Closed && left != test.want {
			t.Errorf("row %d (%v, %v): %+v, want %v left", i, test.until, test.updated, got, test.want)
		}
		if len(got.Detail) > breaker.MaxDetailBytes || !utf8.ValidString(got.Detail) {
			t.Errorf("row %d: detail %q, want at most 128 bytes, at a rune", i, got.Detail)
		}
		save(t, b, "host:h.example", breaker.Snapshot{Cooldowns: s.Cooldowns}, b.wall) // and it can be adopted
		exec(t, b.other, "DELETE FROM breaker_cooldowns")
	}
}

func TestRowsThatNameNoBreaker(t *testing.T) {
	b := newBench(t)
	for _, host := range []any{nil, "", []byte("blob.example"), "bad\xff.example", "resolver:", "host:a.example", strings.Repeat("x", 254), 7.5} {
		exec(t, b.other, replaceRow, host, b.epoch(time.Minute), "", b.epoch(0))
	}
	exec(t, b.other, replaceRow, "good.example", b.epoch(time.Minute), "", b.epoch(0))
	exec(t, b.other, `INSERT INTO breaker_circuits VALUES ('good.example', 'open', 0, '', 0, '{"state":200}'), ('x.example', '', 0, '', 0, 'junk')`)
	exec(t, b.other, `UPDATE breaker_cooldowns SET more = '{"shown": "junk"}' WHERE host = 'good.example'`)
	var got []breaker.Key
	err := b.Each(t.Context(), func(r cooldownstore.Record) bool {
		got = append(got, r.Key)
		return true
	})
	// 7.5 became text: the column has that affinity. Odd, but a name.
	if err != nil || len(got) != 2 || got[0] != "host:7.5" || got[1] != "host:good.example" {
		t.Errorf("Each: %v, %v, want the good row and 7.5", got, err)
	}
}

// What another program does to a row of ours, and which deadlines then count.
func TestForeignWriteOverOurs(t *testing.T) {
	for _, test := range []struct {
		name, query string
		until       time.Duration // in the foreign row; 0 writes 0
		want        time.Duration
		ours        bool // our own record is still there beside it
	}{
		{"later, upsert", upsertRow, time.Hour, time.Hour, true},
		{"later, replace", replaceRow, time.Hour, time.Hour, false},
		{"shorter, upsert", upsertRow, time.Minute, 10 * time.Minute, true},
		{"cleared, upsert", upsertRow, 0, 10 * time.Minute, true},
		{"the same, upsert", upsertRow, 10 * time.Minute, 10 * time.Minute, true},
	} {
		b := newBench(t)
		ours := breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(5, 10*time.Minute)}, Clear: 3, ClearKept: now.Add(time.Hour)}
		save(t, b, "host:a", ours, b.wall)
		until := b.epoch(test.until)
		if test.until == 0 {
			until = 0
		}
		exec(t, b.other, test.query, "a", until, "theirs", b.epoch(0))
		got := load(t, b, "host:a", b.wall)
		if left := got.At(now).Until.Sub(now); left != test.want {
			t.Errorf("%s: %v left, want %v", test.name, left, test.want)
		}
		if (got.Clear == 3) != test.ours {
			t.Errorf("%s: clear is %d, ours is to be there: %v", test.name, got.Clear, test.ours)
		}
		for _, c := range got.Cooldowns {
			if c.Setter == cooldownstore.ForeignSetter && test.name == "the same, upsert" {
				t.Errorf("%s: reads as news: %+v", test.name, c)
			}
		}
	}
}

// A later deadline that nobody has read yet survives saves of the same key.
func TestUnreadForeignRowSurvivesSaves(t *testing.T) {
	for name, snapshot := range map[string]breaker.Snapshot{
		"nothing":   {},
		"cooldown":  {Cooldowns: []breaker.Cooldown{cooldown(5, time.Minute)}},
		"circuit":   {Circuit: breaker.Circuit{State: breaker.Open, Stamp: 4, Until: now.Add(time.Minute)}},
		"old clear": {Clear: 2, ClearKept: now.Add(time.Hour)},
	} {
		b := newBench(t)
		exec(t, b.other, replaceRow, "a", b.epoch(time.Hour), "theirs", b.epoch(0))
		for range 3 {
			save(t, b, "host:a", snapshot, b.wall)
		}
		got := load(t, b, "host:a", b.wall)
		if at := got.At(now); at.Until.Sub(now) != time.Hour || at.Detail != "theirs" {
			t.Errorf("%s: after our saves it reads %+v, want their hour", name, at)
		}
		if got.Circuit.Stamp != snapshot.Circuit.Stamp || got.Clear != snapshot.Clear {
			t.Errorf("%s: our own record reads %+v, want %+v", name, got, snapshot)
		}
		// Adopted, it is ours to write, and then to end.
		save(t, b, "host:a", got, b.wall)
		if until, reason, _ := b.row(t, "a"); until != b.epoch(time.Hour) || reason != "store" {
			t.Errorf("%s: adopted, the row is %f %q", name, until, reason)
		}
		save(t, b, "host:a", breaker.Snapshot{}, b.wall)
		if _, ok, err := b.Load(t.Context(), "host:a"); ok || err != nil {
			t.Errorf("%s: deleted, the record is there: %v, %v", name, ok, err)
		}
	}
}

// A clear covers what was there: its author may write it again and again.
func TestClearedForeignRowIsNeverAdoptedAgain(t *testing.T) {
	for name, query := range map[string]string{"replace": replaceRow, "upsert": upsertRow} {
		b := newBench(t)
		until := b.epoch(time.Hour)
		exec(t, b.other, query, "a", until, "theirs", b.epoch(0))
		save(t, b, "host:a", load(t, b, "host:a", b.wall), b.wall)
		b.wall = b.wall.Add(time.Second)
		save(t, b, "host:a", breaker.Snapshot{Clear: breaker.StampAt(b.wall), ClearKept: now.Add(breaker.KeepClear)}, b.wall)
		if until, _, _ := b.row(t, "a"); until != 0 {
			t.Errorf("%s: the row of a cleared key shows %f, want 0", name, until)
		}
		b.wall = b.wall.Add(time.Second)
		exec(t, b.other, query, "a", until, "theirs, again", b.epoch(0))
		if got := load(t, b, "host:a", b.wall); len(got.Cooldowns) != 0 {
			t.Errorf("%s: the same deadline again reads %+v, want nothing", name, got.Cooldowns)
		}
		exec(t, b.other, query, "a", until+60, "another", b.epoch(0))
		if got := load(t, b, "host:a", b.wall); len(got.Cooldowns) != 1 {
			t.Errorf("%s: another deadline reads %+v, want it", name, got.Cooldowns)
		}
	}
}

// Its stamp is of the first time, also where nothing dates the row.
func TestForeignStampIsFirstSeen(t *testing.T) {
	b := newBench(t)
	exec(t, b.other, replaceRow, "a", b.epoch(time.Hour), "undated", 0.0)
	first := load(t, b, "host:a", b.wall)
	want := breaker.StampAt(b.wall)
	b.wall = b.wall.Add(time.Minute)
	second := load(t, b, "host:a", b.wall)
	if got := []breaker.Stamp{first.MaxStamp(), second.MaxStamp()}; got[0] != want || got[1] != want {
		t.Errorf("stamps of two readings are %d, want %d twice", got, want)
	}
	save(t, b, "host:a", breaker.Snapshot{}, b.wall) // meets it, and leaves it
	exec(t, b.other, replaceRow, "a", b.epoch(59*time.Minute), "dated now", b.epoch(0))
	if got := load(t, b, "host:a", b.wall); got.MaxStamp() != want || got.At(now).Detail != "dated now" {
		t.Errorf("the same deadline with a newer date has stamp %d, want still %d", got.MaxStamp(), want)
	}
}

func TestForeignMemoryIsBounded(t *testing.T) {
	b := newBench(t)
	for i := range 200 {
		b.wall = b.wall.Add(time.Second)
		exec(t, b.other, replaceRow, "a", b.epoch(time.Hour), "", b.epoch(0))
		save(t, b, "host:a", breaker.Snapshot{Clear: breaker.Stamp(i + 1), ClearKept: now.Add(time.Hour)}, b.wall)
	}
	var n int
	if err := b.other.QueryRow("SELECT count(*) FROM breaker_foreign").Scan(&n); n != 64 || err != nil {
		t.Errorf("%d foreign deadlines are remembered, %v, want 64", n, err)
	}
}

// A writer's patience with another program that holds the file locked ends
// with its context.
func TestContextWhileLocked(t *testing.T) {
	b := newBench(t)
	tx, err := b.other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	if _, err := tx.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r := cooldownstore.FromSnapshot("host:a", breaker.Snapshot{Clear: 1, ClearKept: now.Add(time.Hour)}, now, b.wall)
	start := time.Now()
	err = b.Save(ctx, []cooldownstore.Record{r}, cooldownstore.SurvivesKill)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Save with the file locked: %v, want the deadline", err)
	}
	if took := time.Since(start); took > 3*time.Second { // far below SQLite's own patience of 5 s
		t.Errorf("Save with the file locked gave up after %v, want at its deadline of 50 ms", took)
	}
}
