//go:build cgo

package history

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const first = rollup.Bucket(6 * 29_000_000)

func open(t testing.TB, dir string, opt Options) *History {
	t.Helper()
	opt.Logger = slog.New(slog.DiscardHandler)
	h := Open(t.Context(), dir, opt)
	t.Cleanup(func() { h.Close() })
	return h
}

func row(host int, role string, n uint64) rollup.Row {
	r := rollup.Row{Series: rollup.Series{Key: breaker.HostKey(fmt.Sprintf("h%d.example.org", host)), Role: role}}
	r.Successes = n
	r.Latency.Observe(300*time.Millisecond, n)
	return r
}

func total(t *testing.T, h *History, q Query) (n uint64) {
	t.Helper()
	rows, err := h.Sum(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		n += rows[i].Successes
	}
	return n
}

func write(t *testing.T, h *History) {
	t.Helper()
	if err := h.Write(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Whatever part of it is on disk and whenever the process is restarted, what
// comes out is what went in, bucket by bucket.
func TestHistoryGivesBackWhatItTook(t *testing.T) {
	dir, r := t.TempDir(), rand.New(rand.NewPCG(1, 2))
	h := open(t, dir, Options{})
	want := map[rollup.Bucket]map[rollup.Series]rollup.Counts{}
	for i := range 300 {
		at := first + rollup.Bucket(i/2) // a bucket may come in two parts
		var rows []rollup.Row
		for host := range 5 {
			c := row(host, []string{"", "metadata"}[r.IntN(2)], 1+r.Uint64N(300))
			c.Failures[rollup.Timeout] = r.Uint64N(3)
			rows = append(rows, c)
			if want[at] == nil {
				want[at] = map[rollup.Series]rollup.Counts{}
			}
			sum := want[at][c.Series]
			sum.Add(&c.Counts)
			want[at][c.Series] = sum
		}
		h.Add(at, rows)
		switch r.IntN(12) {
		case 0:
			write(t, h)
		case 1:
			if err := h.write(t.Context(), false); err != nil {
				t.Fatal(err)
			}
		case 2:
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			h = open(t, dir, Options{})
		}
	}
	spans, err := h.Spans(t.Context(), Query{Limit: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for i, s := range spans {
		if s.Counts != want[s.At][s.Series] {
			t.Errorf("bucket %d of %v: %v, want %v", s.At, s.Series, s.Counts, want[s.At][s.Series])
		}
		if i > 0 && s.At < spans[i-1].At {
			t.Errorf("bucket %d after %d", s.At, spans[i-1].At)
		}
		found++
	}
	all := 0
	for _, of := range want {
		all += len(of)
	}
	if found != all {
		t.Errorf("%d buckets of series, want %d", found, all)
	}
}

func TestQueries(t *testing.T) {
	h := open(t, t.TempDir(), Options{})
	for i := range 60 {
		h.Add(first+rollup.Bucket(i), []rollup.Row{row(1, "", 1), row(1, "metadata", 1), row(2, "", 1)})
		if i == 40 {
			write(t, h)
		}
	}
	key, role := breaker.HostKey("h1.example.org"), "metadata"
	for name, c := range map[string]struct {
		q    Query
		want uint64
	}{
		"all":          {Query{}, 180},
		"a key":        {Query{Key: &key}, 120},
		"a role":       {Query{Role: &role}, 60},
		"both":         {Query{Key: &key, Role: &role}, 60},
		"since":        {Query{Since: first + 35}, 75},
		"until":        {Query{Until: first + 4}, 15},
		"a key, since": {Query{Key: &key, Since: first + 55}, 10},
		"nothing":      {Query{Since: first + 100}, 0},
	} {
		if got := total(t, h, c.q); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	spans, err := h.Spans(t.Context(), Query{Key: &key, Limit: 4})
	if err != nil || len(spans) != 4 || spans[3].At != first+59 || spans[0].At != first+58 {
		t.Errorf("the latest four: %v, %v", spans, err)
	}
}

func TestPruningByAge(t *testing.T) {
	h := open(t, t.TempDir(), Options{Keep: time.Hour})
	for i := range 3 * 360 {
		h.Add(first+rollup.Bucket(i), []rollup.Row{row(i, "", 1), row(0, "", 1)})
	}
	write(t, h)
	if got := total(t, h, Query{Until: first + 2*360 - 7}); got != 0 {
		t.Errorf("%d calls older than an hour are left", got)
	}
	if got := total(t, h, Query{}); got < 2*360 || got > 2*366 {
		t.Errorf("%d calls are left, want those of an hour", got)
	}
	var names int
	if err := h.disk.Read.QueryRow("SELECT count(*) FROM series").Scan(&names); err != nil || names > 370 {
		t.Errorf("%d names are left, %v", names, err)
	}
}

func TestPruningBySize(t *testing.T) {
	const most = 400 << 10
	h := open(t, t.TempDir(), Options{MaxBytes: most})
	for i := range 60 {
		rows := make([]rollup.Row, 200)
		for k := range rows {
			rows[k] = row(k, "", uint64(1+i))
		}
		h.Add(first+rollup.Bucket(6*i), rows)
		write(t, h)
	}
	for range 5 {
		write(t, h)
	}
	size, err := h.disk.bytes(t.Context())
	if err != nil || size > most || size < most/4 {
		t.Errorf("%d B used, %v; want at most %d and most of it", size, err, most)
	}
	if got := total(t, h, Query{Since: first + 6*59}); got != 200*60 {
		t.Errorf("the latest minute has %d calls, want %d", got, 200*60)
	}
}

// A full disk loses nothing that fits in memory, and says so until it is over.
func TestAFullDisk(t *testing.T) {
	h := open(t, t.TempDir(), Options{maxPages: 12, MaxRows: 4000})
	for i := range 3000 {
		h.Add(first+rollup.Bucket(6*i), []rollup.Row{row(i, "a role of some length", 1)})
	}
	if err := h.Write(t.Context()); err == nil {
		t.Fatal("12 pages took 3,000 rows")
	}
	if s := h.Status(); s.Trouble == nil || s.Since.IsZero() || s.Waiting != 3000 || s.Dropped != 0 {
		t.Errorf("status %+v", s)
	}
	if got := total(t, h, Query{}); got != 3000 {
		t.Errorf("%d calls are known, want 3,000", got)
	}
	for i := range 2000 {
		h.Add(first+rollup.Bucket(6*(3000+i)), []rollup.Row{row(i, "", 1)})
	}
	if s := h.Status(); s.Waiting != 4000 || s.Dropped != 1000 {
		t.Errorf("status %+v, want 4,000 waiting and 1,000 dropped", s)
	}
	if _, err := h.disk.Write.Exec("PRAGMA max_page_count=1000000"); err != nil {
		t.Fatal(err)
	}
	write(t, h)
	if s := h.Status(); s.Trouble != nil || s.Waiting != 0 {
		t.Errorf("status %+v", s)
	}
	if got := total(t, h, Query{}); got != 4000 {
		t.Errorf("%d calls are known, want 4,000", got)
	}
}

func TestNoDiskAtAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h := open(t, dir, Options{})
	h.Add(first, []rollup.Row{row(1, "", 5)})
	if err := h.Write(t.Context()); err == nil {
		t.Fatal("a file served as a directory")
	}
	spans, err := h.Spans(t.Context(), Query{})
	if !errors.Is(err, ErrNoDisk) || len(spans) != 1 || spans[0].Successes != 5 {
		t.Errorf("%v, %v; want what waits, and the error", spans, err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	write(t, h)
	if got := total(t, h, Query{}); got != 5 {
		t.Errorf("%d calls once there is a directory, want 5", got)
	}
}

func TestADamagedFileIsSetAside(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, FileName)
	if err := os.WriteFile(file, []byte("this is no database, and long enough to say so"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := open(t, dir, Options{})
	h.Add(first, []rollup.Row{row(1, "", 5)})
	write(t, h)
	if s := h.Status(); s.SetAside == "" || s.Trouble != nil {
		t.Errorf("status %+v, want a file set aside and no trouble", s)
	}
	if _, err := os.Stat(h.Status().SetAside); err != nil {
		t.Error(err)
	}
	if got := total(t, h, Query{}); got != 5 {
		t.Errorf("%d calls, want 5", got)
	}
}

// Damage that shows while the file is open: what waits goes to a new file.
func TestDamageWhileRunning(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, Options{})
	for i := range 2000 {
		h.Add(first+rollup.Bucket(6*i), []rollup.Row{row(i, "", 1)})
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, FileName)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4 * 4096; i < len(text); i++ {
		text[i] = 0xA5
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	h = open(t, dir, Options{})
	if _, err := h.Spans(t.Context(), Query{}); err == nil {
		t.Fatal("a damaged file was read")
	}
	h.Add(first+20_000, []rollup.Row{row(1, "", 7)})
	if err := h.Write(t.Context()); err != nil {
		write(t, h) // the one that met the damage
	}
	if got := total(t, h, Query{}); got != 7 || h.Status().SetAside == "" {
		t.Errorf("%d calls, want 7; status %+v", got, h.Status())
	}
}

func TestANewerFileIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, Options{})
	h.Add(first, []rollup.Row{row(1, "", 5)})
	write(t, h)
	if _, err := h.disk.Write.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	h.Close()
	h = open(t, dir, Options{})
	h.Add(first+1, []rollup.Row{row(1, "", 5)})
	if err := h.Write(t.Context()); err == nil || h.Status().SetAside != "" {
		t.Errorf("a file of a newer program: %v, status %+v", err, h.Status())
	}
}

func TestRunWritesWhatIsLeft(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { h.Run(ctx) })
	h.Add(first, []rollup.Row{row(1, "", 5)})
	cancel()
	running.Wait()
	if s := h.Status(); s.Waiting != 0 || s.Trouble != nil {
		t.Errorf("status %+v, want nothing waiting", s)
	}
}

// Readers see each call once while it is being written.
func TestReadingWhileWriting(t *testing.T) {
	h := open(t, t.TempDir(), Options{})
	var writer sync.WaitGroup
	done := make(chan struct{})
	writer.Go(func() {
		defer close(done)
		for i := range 200 {
			h.Add(first+rollup.Bucket(i), []rollup.Row{row(1, "", 1)})
			if err := h.Write(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		}
	})
	for last := uint64(0); ; {
		select {
		case <-done:
			writer.Wait()
			if got := total(t, h, Query{}); got != 200 {
				t.Errorf("%d calls, want 200", got)
			}
			return
		default:
		}
		got := total(t, h, Query{})
		if got < last || got > 200 {
			t.Fatalf("%d calls after %d", got, last)
		}
		last = got
	}
}

// BenchmarkWrite writes what a full table gives in a minute.
func BenchmarkWrite(b *testing.B) {
	h := open(b, b.TempDir(), Options{})
	at := first
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		for range rollup.BucketsPerMinute {
			at++
			rows := make([]rollup.Row, 3000)
			for k := range rows {
				rows[k] = row(k, "", uint64(at)%100)
			}
			h.Add(at, rows)
		}
		b.StartTimer()
		if err := h.Write(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	size, err := h.disk.bytes(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(size)/float64(3000*b.N), "B/row")
}
