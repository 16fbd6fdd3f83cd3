//go:build cgo

package decisions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"fleetfuse/breaker"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDirEnv); dir != "" {
		addUntilKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, dir string, opt Options) *Log {
	t.Helper()
	opt.Logger = slog.New(slog.DiscardHandler)
	if opt.Now == nil {
		opt.Now = func() time.Time { return now }
	}
	if opt.Retry == 0 {
		opt.Retry = time.Hour // tests write themselves
	}
	l := Open(t.Context(), dir, opt)
	t.Cleanup(func() { l.Close() })
	return l
}

func try(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// record is the i-th of a test; a later one has a later time.
func record(i int) Record {
	return Record{
		ID: fmt.Sprintf("id-%06d", i), At: now.Add(time.Duration(i-100_000) * time.Second), Key: breaker.HostKey(fmt.Sprintf("h%d.example.org", i%3)),
		Kind: "enforced", Body: fmt.Appendf(nil, `{"number": %d}`, i),
	}
}

func fill(t testing.TB, l *Log, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		try(t, l.Add(record(i)))
	}
}

func list(t testing.TB, l *Log, key breaker.Key, since time.Time, limit int) []Record {
	t.Helper()
	records, err := l.List(t.Context(), key, since, limit)
	try(t, err)
	return records
}

// want checks that those from one number up to another are listed, the newest first.
func want(t testing.TB, records []Record, from, to int) {
	t.Helper()
	var expected []Record
	for i := to - 1; i >= from; i-- {
		expected = append(expected, record(i))
	}
	if reflect.DeepEqual(expected, records) { // cmp takes long
		return
	}
	if d := cmp.Diff(expected, records); d != "" {
		t.Fatalf("records %d to %d (-want +got):\n%s", from, to, d)
	}
}

// Whatever part of it is on disk and whenever the process is restarted, what comes
// out is what went in.
func TestALogGivesBackWhatItTook(t *testing.T) {
	dir, r := t.TempDir(), rand.New(rand.NewPCG(1, 2))
	l := open(t, dir, Options{})
	for i := range 300 {
		try(t, l.Add(record(i)))
		switch r.IntN(8) {
		case 0:
			try(t, l.Flush(t.Context()))
		case 1:
			try(t, l.Close())
			l = open(t, dir, Options{})
		}
		want(t, list(t, l, "", time.Time{}, MaxList), 0, i+1)
	}
}

func TestQueries(t *testing.T) {
	for name, dir := range map[string]string{"on disk": t.TempDir(), "in memory": ""} {
		t.Run(name, func(t *testing.T) {
			l := open(t, dir, Options{})
			fill(t, l, 0, 40)
			try(t, l.Flush(t.Context()))
			fill(t, l, 40, 60)
			want(t, list(t, l, "", record(50).At, 0), 50, 60)
			want(t, list(t, l, "", record(30).At.Add(time.Nanosecond), 0), 31, 60)
			want(t, list(t, l, "", time.Time{}, 7), 53, 60)
			if records := list(t, l, record(1).Key, time.Time{}, 0); len(records) != 20 || records[0].ID != record(58).ID || records[19].ID != record(1).ID {
				t.Errorf("of a key: %v", records)
			}
			if records := list(t, l, "host:other.example.org", time.Time{}, 0); len(records) != 0 {
				t.Errorf("of a key without any: %v", records)
			}
			fill(t, l, 60, 200)
			if records := list(t, l, "", time.Time{}, 0); len(records) != defaultList {
				t.Errorf("%d records without a limit", len(records))
			}
			try(t, l.Close())
			if _, err := l.List(t.Context(), "", time.Time{}, 0); !errors.Is(err, ErrClosed) {
				t.Errorf("a list of what is closed: %v", err)
			}
		})
	}
}

// What is known already stays as it was, and nobody can change it from outside.
func TestAnIDIsTakenOnce(t *testing.T) {
	for name, dir := range map[string]string{"on disk": t.TempDir(), "in memory": ""} {
		t.Run(name, func(t *testing.T) {
			l := open(t, dir, Options{})
			fill(t, l, 0, 3)
			for range 3 {
				again := record(1)
				again.Kind, again.Body = "rolled-back", []byte("{}")
				try(t, l.Add(again))
				copy(again.Body, "[]")
				records := list(t, l, "", time.Time{}, 0)
				want(t, records, 0, 3)
				copy(records[0].Body, "changed")
				try(t, l.Flush(t.Context()))
			}
			want(t, list(t, l, "", time.Time{}, 0), 0, 3)
		})
	}
}

func TestBadRecords(t *testing.T) {
	l := open(t, "", Options{})
	for name, change := range map[string]func(*Record){
		"no id":       func(r *Record) { r.ID = "" },
		"a long id":   func(r *Record) { r.ID = strings.Repeat("x", 129) },
		"no kind":     func(r *Record) { r.Kind = "" },
		"a long kind": func(r *Record) { r.Kind = strings.Repeat("x", 65) },
		"no scope":    func(r *Record) { r.Key = "h.example" },
		"no JSON":     func(r *Record) { r.Body = []byte("{") },
		"no body":     func(r *Record) { r.Body = nil },
		"a long body": func(r *Record) { r.Body = []byte(`"` + strings.Repeat("x", MaxBody-1) + `"`) },
		"tomorrow":    func(r *Record) { r.At = now.Add(25 * time.Hour) },
	} {
		r := record(1)
		change(&r)
		if err := l.Add(r); !errors.Is(err, ErrBadRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
	largest := Record{ID: strings.Repeat("x", 128), At: now, Kind: "frozen", Body: []byte(`"` + strings.Repeat("x", MaxBody-2) + `"`)}
	try(t, l.Add(largest))
	if records := list(t, l, "", time.Time{}, 0); len(records) != 1 {
		t.Errorf("%d records, want only the good one", len(records))
	}
}

// Beyond a number and an age the oldest go, from memory as from disk.
func TestBounds(t *testing.T) {
	for name, dir := range map[string]string{"on disk": t.TempDir(), "in memory": ""} {
		t.Run(name, func(t *testing.T) {
			clock := now
			l := open(t, dir, Options{MaxRecords: 50, Keep: 100_000 * time.Second, Now: func() time.Time { return clock }})
			fill(t, l, 30, 100)
			try(t, l.Flush(t.Context()))
			want(t, list(t, l, "", time.Time{}, MaxList), 50, 100)
			fill(t, l, 0, 30) // older than all
			try(t, l.Flush(t.Context()))
			want(t, list(t, l, "", time.Time{}, MaxList), 50, 100)
			clock = clock.Add(90 * time.Second)
			want(t, list(t, l, "", time.Time{}, MaxList), 90, 100)
			try(t, l.Add(record(100)))
			try(t, l.Flush(t.Context()))
			if dir != "" {
				var n int
				try(t, l.disk.Read.QueryRow("SELECT count(*) FROM decisions").Scan(&n))
				if n != 11 {
					t.Errorf("%d records are left on disk, want 11", n)
				}
			} else if n := len(l.waiting.records); n != 11 {
				t.Errorf("%d records are left in memory, want 11", n)
			}
			if s := l.Status(); s.Dropped != 0 && dir == "" || s.Waiting != 0 {
				t.Errorf("status %+v", s)
			}
		})
	}
}

func TestCloseWritesWhatIsLeft(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{})
	fill(t, l, 0, 1000)
	try(t, l.Close())
	try(t, l.Close())
	if err := l.Add(record(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("a record after Close: %v", err)
	}
	if err := l.Flush(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Flush after Close: %v", err)
	}
	want(t, list(t, open(t, dir, Options{}), "", time.Time{}, MaxList), 0, 1000)
}

// What is added reaches the disk although nobody asks for it.
func TestAddIsWritten(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{})
	fill(t, l, 0, 10)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for l.Status().Waiting > 0 {
		if _, err := l.List(ctx, "", time.Time{}, 1); err != nil {
			t.Fatal(err)
		}
	}
	other := open(t, dir, Options{})
	want(t, list(t, other, "", time.Time{}, 0), 0, 10)
}

// Readers see each record once while it is being written.
func TestReadingWhileWriting(t *testing.T) {
	l := open(t, t.TempDir(), Options{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range 500 {
			if err := l.Add(record(i)); err != nil {
				t.Error(err)
			}
		}
	})
	for last := 0; last < 500; {
		records := list(t, l, "", time.Time{}, MaxList)
		if len(records) < last {
			t.Fatalf("%d records after %d", len(records), last)
		}
		last = len(records)
		want(t, records, 0, last)
	}
	writer.Wait()
}

func BenchmarkAdd(b *testing.B) {
	l := open(b, b.TempDir(), Options{})
	r := record(1)
	r.Body = []byte(`"` + strings.Repeat("x", 4096) + `"`)
	i := 0
	for b.Loop() {
		i++
		r.ID = fmt.Sprint(i)
		if err := l.Add(r); err != nil {
			b.Fatal(err)
		}
	}
}

// Each lists more than List does, and ends when it is told to.
func TestEach(t *testing.T) {
	l := open(t, t.TempDir(), Options{})
	for i := range MaxList + 20 {
		if err := l.Add(record(i)); err != nil {
			t.Fatal(err)
		}
		if i == MaxList {
			if err := l.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, most := range []int{MaxList + 20, 5} {
		seen := map[string]bool{}
		err := l.Each(t.Context(), time.Time{}, func(r Record) bool {
			seen[r.ID] = true
			return len(seen) < most
		})
		if err != nil || len(seen) != most {
			t.Errorf("%d of %d, %v", len(seen), most, err)
		}
	}
}
