//go:build cgo

package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/sqlite"
)

// A sharedBench is a handle on a shared file, the other program beside it, and
// the wall clock of both.
type sharedBench struct {
	*sqlite.Shared
	file  string
	other *sql.DB
	wall  time.Time
}

func newSharedBench(t *testing.T) *sharedBench {
	b := &sharedBench{file: sharedFile(t), wall: time.Date(2026, 10, 7, 12, 0, 0, 0, time.UTC)}
	b.other = rawShared(t, b.file)
	b.Shared = openShared(t, b.file, sqlite.WithClock(func() time.Time { return b.wall }))
	return b
}

func (b *sharedBench) epoch(d time.Duration) float64 {
	return cooldownstore.EpochSeconds(b.wall.Add(d))
}

func (b *sharedBench) put(t *testing.T, key breaker.Key, s breaker.Snapshot) {
	t.Helper()
	if err := b.Put(t.Context(), []cooldownstore.SharedWord{cooldownstore.ShareSnapshot(key, s, now, b.wall)}); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

// ours is a cooldown that a clock of this time stamped.
func (b *sharedBench) ours(left time.Duration) breaker.Snapshot {
	return breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(breaker.StampAt(b.wall), left)}}
}

// left is how long a key rejects, negative if there is no word on it.
func (b *sharedBench) left(t *testing.T, key breaker.Key) time.Duration {
	t.Helper()
	w, ok, err := b.Load(t.Context(), key)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if listed := b.list(t)[key]; ok != (listed.Key != "") {
		t.Errorf("Load finds %s: %v, Each %+v", key, ok, listed)
	}
	if !ok {
		return -1
	}
	s := w.ToSnapshot(now, b.wall)
	return max(s.At(now).Until.Sub(now), 0)
}

func (b *sharedBench) list(t *testing.T) map[breaker.Key]cooldownstore.SharedWord {
	t.Helper()
	got := map[breaker.Key]cooldownstore.SharedWord{}
	if err := b.Each(t.Context(), func(w cooldownstore.SharedWord) bool { got[w.Key] = w; return true }); err != nil {
		t.Fatalf("Each: %v", err)
	}
	return got
}

func (b *sharedBench) rows(t *testing.T) (n int) {
	t.Helper()
	if err := b.other.QueryRow("SELECT count(*) FROM breaker_cooldowns").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A deadline that its program dates counts from then, however often it is
// dated anew, and has the same stamp for every reader.
func TestSharedDates(t *testing.T) {
	b := newSharedBench(t)
	exec(t, b.other, replaceRow, "a", b.epoch(5*time.Minute), "theirs", b.epoch(-time.Minute))
	read := func() breaker.Cooldown {
		t.Helper()
		s := b.list(t)["host:a"].ToSnapshot(now, b.wall)
		if len(s.Cooldowns) != 1 {
			t.Fatalf("their row reads %+v", s)
		}
		return s.Cooldowns[0]
	}
	want := breaker.Cooldown{
		Setter: "store", Stamp: breaker.StampAt(b.wall.Add(-time.Minute)), Until: now.Add(5 * time.Minute),
		Length: 6 * time.Minute, Reason: breaker.ReasonStore, Detail: "theirs", Disk: true,
	}
	if got := read(); got != want {
		t.Errorf("their row reads %+v, want %+v", got, want)
	}
	exec(t, b.other, replaceRow, "a", b.epoch(5*time.Minute), "theirs", b.epoch(0))
	if got := read(); got != want {
		t.Errorf("dated anew it reads %+v, want %+v", got, want)
	}
	later := *b
	later.Shared = openShared(t, b.file, sqlite.WithClock(func() time.Time { return b.wall.Add(time.Minute) }))
	exec(t, b.other, replaceRow, "a", b.epoch(5*time.Minute), "theirs", b.epoch(-time.Minute))
	if w := later.list(t)["host:a"]; w.Snapshot.MaxStamp() != want.Stamp {
		t.Errorf("another reader, later, gives it stamp %d, want %d", w.Snapshot.MaxStamp(), want.Stamp)
	}
}

func TestSharedHostileRows(t *testing.T) {
	b := newSharedBench(t)
	if err := b.Put(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	b.list(t) // adds our columns
	future := b.epoch(time.Minute)
	for i, test := range []struct {
		until, reason, updated, more, shown, expires any
		want                                         time.Duration // -1: nothing
		odd                                          bool
	}{
		{until: future, updated: b.epoch(0), want: time.Minute},
		{until: future, reason: []byte{0xff, 0xfe}, updated: "yesterday", want: time.Minute},
		{until: future, reason: 17, updated: math.Inf(1), want: time.Minute},
		{until: future, updated: -1e300, more: "garbage", shown: "x", expires: "never", want: time.Minute},
		{until: future, updated: 0, more: []byte(`{"shown`), shown: []byte{1}, expires: []byte{2}, want: time.Minute},
		{until: future, updated: b.epoch(25 * time.Hour), more: `[1]`, expires: math.Inf(1), want: time.Minute},
		{until: future, updated: 0, expires: b.epoch(-time.Second), want: time.Minute}, // what ran out was ours, until is not
		{until: future, updated: 0, reason: strings.Repeat("x", 1<<20), want: -1, odd: true},
		{until: future, updated: 0, more: strings.Repeat("x", 1<<20), want: -1, odd: true},
		{until: 1000 * future, updated: 0, want: -1, odd: true},
		{until: math.Inf(1), updated: 0, want: -1, odd: true},
		{until: "tomorrow", updated: 0, want: -1, odd: true},
		{until: []byte("blob"), updated: 0, want: -1, odd: true},
		{until: strings.Repeat("9", 1<<20), updated: 0, want: -1, odd: true}, // infinite
		{until: math.Inf(-1), updated: 0, want: -1},
		{until: 0, updated: b.epoch(0), want: -1},
		{until: b.epoch(-cooldownstore.KeepEnded - time.Minute), updated: b.epoch(-time.Hour), want: -1},
		{until: b.epoch(-cooldownstore.KeepEnded + time.Minute), updated: b.epoch(-time.Hour), want: 0},
		{until: future, updated: 0, shown: future, expires: b.epoch(-time.Second), want: -1},
	} {
		exec(t, b.other, `INSERT OR REPLACE INTO breaker_cooldowns (host, until_wall, reason, updated_at, more, shown, expires_at)
			VALUES ('h', ?, ?, ?, ?, ?, ?)`, test.until, test.reason, test.updated, test.more, test.shown, test.expires)
		if got := b.left(t, "host:h"); got != test.want {
			t.Errorf("row %d: %v left, want %v", i, got, test.want)
		}
		warnings, err := b.Check(t.Context())
		if odd := len(warnings) == 1 && strings.Contains(warnings[0], `1 rows of breaker_cooldowns are passed over, the first is "h"`); err != nil || odd != test.odd {
			t.Errorf("row %d: Check warns %q, %v; want that it was passed over: %v", i, warnings, err, test.odd)
		}
		b.put(t, "host:h", b.ours(time.Hour)) // and it can be overwritten
		if got := b.left(t, "host:h"); got != time.Hour {
			t.Errorf("row %d, overwritten: %v left", i, got)
		}
	}
}

func TestSharedRowsThatNameNoBreaker(t *testing.T) {
	b := newSharedBench(t)
	for _, host := range []any{nil, "", []byte("blob.example"), "bad\xff.example", "resolver:", "host:a.example", strings.Repeat("x", 254), 7.5, strings.Repeat("x", 1<<20)} {
		exec(t, b.other, replaceRow, host, b.epoch(time.Minute), "", b.epoch(0))
	}
	got := b.list(t)
	if _, ok := got["host:7.5"]; !ok || len(got) != 1 { // it became text: the column has that affinity
		t.Errorf("Each: %v, want 7.5 alone", got)
	}
	if warnings, err := b.Check(t.Context()); err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "8 rows") {
		t.Errorf("Check: %q, %v, want 8 rows passed over", warnings, err)
	}
}

// TestSharedTooManyRows: what another program writes has an end for a node.
func TestSharedTooManyRows(t *testing.T) {
	b := newSharedBench(t)
	s := openShared(t, b.file, sqlite.WithClock(func() time.Time { return b.wall }), sqlite.WithMost(10))
	for i := range 10 {
		exec(t, b.other, replaceRow, fmt.Sprintf("%d.example", i), b.epoch(time.Minute), "", b.epoch(0))
		exec(t, b.other, replaceRow, fmt.Sprintf("%d.over.example", i), b.epoch(-100*time.Hour), "", b.epoch(0))
	}
	each := func() error { return s.Each(t.Context(), func(cooldownstore.SharedWord) bool { return true }) }
	if err := each(); err != nil {
		t.Errorf("Each of as many rows as may be: %v", err)
	}
	exec(t, b.other, replaceRow, "one.more", b.epoch(time.Minute), "", b.epoch(0))
	err := each()
	says(t, map[string]error{"Each": err}, "more than 10 rows of breaker_cooldowns", "delete those", b.file)
	if !errors.Is(err, cooldownstore.ErrTooMany) {
		t.Errorf("Each: %v, want cooldownstore.ErrTooMany", err)
	}
}

// What ran out is not shown, and deleted an hour later if it is ours. Rows of
// other programs are never deleted, also if they were ours once.
func TestSharedExpiry(t *testing.T) {
	b := newSharedBench(t)
	b.put(t, "host:ours", b.ours(time.Minute))
	b.put(t, "host:taken", b.ours(time.Minute))
	exec(t, b.other, replaceRow, "theirs", b.epoch(time.Minute), "", b.epoch(0))
	exec(t, b.other, upsertRow, "taken", b.epoch(2*time.Minute), "", b.epoch(0))
	b.wall = b.wall.Add(time.Minute + cooldownstore.KeepEnded - time.Second)
	if got := b.left(t, "host:ours"); got != 0 {
		t.Errorf("just before it runs out it has %v left, want 0", got)
	}
	b.wall = b.wall.Add(time.Second)
	if got := b.list(t); len(got) != 1 || got["host:taken"].Key == "" {
		t.Errorf("ran out, the listing has %v, want the one that ends later", got)
	}
	b.put(t, "host:again", b.ours(time.Minute))
	if n := b.rows(t); n != 4 {
		t.Errorf("soon after they ran out there are %d rows, want all 4", n)
	}
	b.wall = b.wall.Add(time.Hour + time.Minute)
	if n := b.rows(t); n != 4 || len(b.list(t)) != 0 {
		t.Errorf("an hour later there are %d rows, shown %v", n, b.list(t))
	}
	b.put(t, "host:new", b.ours(time.Minute))
	if n := b.rows(t); n != 4 { // theirs, taken, new, and again, which ran out later
		t.Errorf("after a put there are %d rows, want ours gone", n)
	}
	exec(t, b.other, "UPDATE breaker_cooldowns SET until_wall = ? WHERE host = 'theirs'", b.epoch(time.Minute))
	if got := b.left(t, "host:theirs"); got != time.Minute {
		t.Errorf("their row with another deadline: %v left", got)
	}
}

// However many rows ran out, a put deletes a part of them.
func TestSharedPruneIsBounded(t *testing.T) {
	b := newSharedBench(t)
	words := make([]cooldownstore.SharedWord, sqlite.MaxPruned+10)
	for i := range words {
		words[i] = cooldownstore.ShareSnapshot(breaker.HostKey(fmt.Sprint("h", i)), b.ours(time.Minute), now, b.wall)
	}
	if err := b.Put(t.Context(), words); err != nil {
		t.Fatal(err)
	}
	b.wall = b.wall.Add(2 * time.Hour)
	for _, want := range []int{11, 1} {
		b.put(t, "host:new", b.ours(time.Minute))
		if n := b.rows(t); n != want {
			t.Errorf("%d rows, want %d", n, want)
		}
	}
}

// Other programs' changes are heard by their date, and only real ones.
func TestSharedHintsOfOthers(t *testing.T) {
	file := sharedFile(t)
	other := rawShared(t, file)
	s := openShared(t, file)
	keys, ended := make(chan breaker.Key, 10), make(chan error, 1)
	go func() { ended <- s.Hints(t.Context(), func(key breaker.Key) { keys <- key }) }()
	if key := <-keys; key != "" {
		t.Fatalf("the first hint is of %q", key)
	}
	epoch := func(d time.Duration) float64 { return cooldownstore.EpochSeconds(time.Now().Add(d)) }
	for i, query := range []string{replaceRow, upsertRow, replaceRow, upsertRow} {
		exec(t, other, query, "bad\xff", epoch(time.Hour), "", epoch(0))
		exec(t, other, query, "a", epoch(time.Hour), fmt.Sprint(i), math.Floor(epoch(0)))
		exec(t, other, query, fmt.Sprint("resolver:r", i), epoch(time.Hour), "", epoch(0))
		got := map[breaker.Key]int{}
		for len(got) < 2 {
			got[<-keys]++
		}
		if got["host:a"] == 0 || got[breaker.ResolverKey(fmt.Sprint("r", i))] != 1 {
			t.Errorf("change %d: hints of %v", i, got)
		}
		for more := true; more; { // the two may have come in two looks
			select {
			case key := <-keys:
				t.Errorf("change %d: one more hint, of %q", i, key)
			default:
				more = false
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	<-ended
}

func TestSharedWarnsOfNetworkFiles(t *testing.T) {
	s := openShared(t, sharedFile(t), sqlite.WithRemote("NFS (0x6969)"))
	warnings, err := s.Check(t.Context())
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "NFS") || !strings.Contains(warnings[0], "--cooldown-store") {
		t.Errorf("Check: %q, %v, want a warning that names the setting", warnings, err)
	}
	state := open(t, t.TempDir(), sqlite.WithRemote("NFS (0x6969)"))
	if w := state.Warnings(); len(w) != 1 || !strings.Contains(w[0], "NFS") || !strings.Contains(w[0], "--data-dir") {
		t.Errorf("Warnings: %q, want one that names the setting", w)
	}
	if w := open(t, t.TempDir()).Warnings(); len(w) != 0 {
		t.Skipf("the tests run on a network file system: %q", w)
	}
}
