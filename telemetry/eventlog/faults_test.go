//go:build cgo

package eventlog_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the tests also look into the file

	"fleetfuse/telemetry/eventlog"
)

// watched returns options that tell of each change of health.
func watched(opt eventlog.Options) (eventlog.Options, <-chan eventlog.Health) {
	told := make(chan eventlog.Health, 1000)
	opt.OnHealth = func(h eventlog.Health) { told <- h }
	return opt, told
}

func until(t *testing.T, told <-chan eventlog.Health, what func(eventlog.Health) bool) eventlog.Health {
	t.Helper()
	for {
		select {
		case h := <-told:
			if what(h) {
				return h
			}
		case <-t.Context().Done():
			t.Fatal("not told")
		}
	}
}

func works(h eventlog.Health) bool { return h.OK }
func fails(h eventlog.Health) bool { return !h.OK }

// A full disk: the log goes on in memory, says so, gives up the oldest when
// memory is full, and writes the rest when there is room again.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	opt, told := watched(eventlog.Options{Buffer: 1024})
	l := open(t, dir, opt.Pages(40))
	n := 0
	for l.Health().OK {
		fill(t, l, n, n+100)
		n += 100
		l.Flush(t.Context())
	}
	h := until(t, told, fails)
	if h.Err == nil || !strings.Contains(h.Err.Error(), "free space") || !strings.Contains(h.Err.Error(), "telemetry.db") {
		t.Errorf("the error is %v", h.Err)
	}
	live := l.Follow(l.Last())
	fill(t, l, n, n+3000)
	want(t, take(t, l.Follow(l.Last()-500), 500), n+2500, n+3000)
	if l.Health().Dropped == 0 || l.Health().Pending > 1024 {
		t.Errorf("health %+v, want the oldest dropped", l.Health())
	}
	if g := gap(t, live); g.Reason != eventlog.GapDropped {
		t.Errorf("who fell behind is told %+v", g)
	}
	try(t, l.SetPages(100_000))
	until(t, told, works)
	flush(t, l)
	dropped := l.Health().Dropped
	shut(t, l)

	l = open(t, dir, eventlog.Options{})
	r, seen, lost := l.Follow(0), 0, uint64(0)
	for seen+int(lost) < n+3000 {
		b, err := r.Next(t.Context())
		try(t, err)
		seen += len(b.Events)
		if b.Gap != nil {
			lost += b.Gap.Events
		}
	}
	if lost != dropped || seen+int(lost) != n+3000 {
		t.Errorf("%d events and %d told as lost of %d; %d were dropped", seen, lost, n+3000, dropped)
	}
}

// Events that left memory while they are written are neither lost nor told as a
// gap, however long the write takes.
func TestReadWhatIsBeingWritten(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, eventlog.Options{Buffer: 512, Delay: time.Hour})
	write(t, l, 0, 256)
	db := raw(t, dir)
	db.SetMaxOpenConns(1)
	_, err := db.Exec("BEGIN IMMEDIATE") // another program writes, and takes its time
	try(t, err)
	fill(t, l, 256, 356)
	flushed := make(chan error)
	go func() { flushed <- l.Flush(t.Context()) }()
	for l.Flying() < 100 {
		runtime.Gosched()
	}
	fill(t, l, 356, 1380)
	r := l.Follow(l.Last() - 1380)
	want(t, take(t, r, 356), 0, 356)
	g := gap(t, r)
	want(t, take(t, r, 1024-int(g.Events)), 356+int(g.Events), 1380)
	for name, f := range map[string]eventlog.Filter{"first": {}, "newest": {Newest: true}} {
		f.Limit = 10_000
		p, err := l.Query(t.Context(), f)
		try(t, err)
		want(t, p.Events[:356], 0, 356)
		if len(p.Events)+int(g.Events) != 1380 || len(p.Gaps) != 1 {
			t.Errorf("%s: %d events, the gaps %+v; want all but %d", name, len(p.Events), p.Gaps, g.Events)
		}
	}
	_, err = db.Exec("COMMIT")
	try(t, err)
	try(t, <-flushed)
	if h := l.Health(); h.Dropped != g.Events {
		t.Errorf("health %+v, want %d dropped", h, g.Events)
	}
}

// A place that can not be written at the start is tried again.
func TestNoDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	try(t, os.WriteFile(dir, nil, 0o600))
	opt, told := watched(eventlog.Options{})
	l := open(t, dir, opt)
	h := l.Health()
	if h.OK || !strings.Contains(h.Err.Error(), "--data-dir") {
		t.Fatalf("health %+v, want it to fail", h)
	}
	fill(t, l, 0, 100)
	r := l.Follow(0)
	if g := gap(t, r); g.Reason != eventlog.GapUnreadable || g.Last != l.Last()-100 {
		t.Errorf("the gap is %+v, last %d", g, l.Last())
	}
	want(t, take(t, r, 100), 0, 100)
	if p, err := l.Query(t.Context(), eventlog.Filter{}); err != nil || len(p.Events) != 100 || len(p.Gaps) != 1 {
		t.Errorf("%d events, gaps %+v, %v", len(p.Events), p.Gaps, err)
	}
	if err := l.Flush(t.Context()); err == nil {
		t.Errorf("Flush says nothing")
	}
	try(t, os.Remove(dir))
	until(t, told, works)
	fill(t, l, 100, 110)
	shut(t, l)
	l = open(t, dir, eventlog.Options{})
	want(t, take(t, l.Follow(0), 110), 0, 110)
}

var damages = map[string]func(file []byte) []byte{
	"no database": func([]byte) []byte { return bytes.Repeat([]byte("not a database. "), 1000) },
	"cut short":   func(file []byte) []byte { return file[:len(file)/2] },
	"header":      func(file []byte) []byte { copy(file, "SQLite format 4\x00"); return file },
	"pages": func(file []byte) []byte {
		for i := 2 * 4096; i < len(file); i++ {
			file[i] ^= 0x5a
		}
		return file
	},
	"texts": func(file []byte) []byte { return bytes.ReplaceAll(file, []byte(`{"id":`), []byte(`{"id";`)) },
}

// A damaged file is set aside, whenever it is found out, and the log goes on in a
// fresh one. Followers are told that the past is gone.
func TestDamagedFile(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, dir, eventlog.Options{})
			fill(t, l, 0, 2000)
			first := l.Last() - 1999
			shut(t, l)
			file := filepath.Join(dir, "telemetry.db")
			content, err := os.ReadFile(file)
			try(t, err)
			content = damage(content)
			try(t, os.WriteFile(file, content, 0o600))

			l = open(t, dir, eventlog.Options{})
			fill(t, l, 2000, 2100)
			r := l.Follow(first)
			if g := gap(t, r); g.Reason != eventlog.GapPruned && g.Reason != eventlog.GapUnreadable {
				t.Errorf("the gap is %+v", g)
			}
			want(t, take(t, r, 100), 2000, 2100)
			for l.Flush(t.Context()) != nil { // the first attempt may find it out
			}
			aside := l.Health().SetAside
			if kept, err := os.ReadFile(aside); !strings.HasPrefix(aside, file+".corrupt-") || err != nil || !bytes.Equal(kept, content) {
				t.Fatalf("set aside as %q: %d bytes, %v", aside, len(kept), err)
			}
			shut(t, l)
			l = open(t, dir, eventlog.Options{})
			want(t, take(t, l.Follow(0), 100), 2000, 2100)
		})
	}
}

// A file that is damaged under a running log loses what memory does not hold.
func TestDamagedWhileOpen(t *testing.T) {
	dir := t.TempDir()
	opt, told := watched(eventlog.Options{Buffer: 512})
	l := open(t, dir, opt)
	write(t, l, 0, 3000)
	r := l.Follow(0)
	first := take(t, r, 256)
	want(t, first, 0, len(first))
	db := raw(t, dir)
	_, err := db.Exec("UPDATE events SET body = 'gone' WHERE seq > ?", l.Last()-2500)
	try(t, err)
	g := gap(t, r)
	if g.Reason != eventlog.GapPruned {
		t.Errorf("the gap is %+v", g)
	}
	kept := int(l.Last() - g.Last)
	want(t, take(t, r, kept), 3000-kept, 3000)
	until(t, told, func(h eventlog.Health) bool { return h.OK && h.SetAside != "" })
	fill(t, l, 3000, 3100)
	shut(t, l)
	l = open(t, dir, eventlog.Options{})
	want(t, take(t, l.Follow(0), kept+100), 3000-kept, 3100)
}

func TestNewerSchema(t *testing.T) {
	dir := t.TempDir()
	shut(t, open(t, dir, eventlog.Options{}))
	db := raw(t, dir)
	_, err := db.Exec("PRAGMA user_version = 99")
	try(t, err)
	try(t, db.Close())
	_, err = eventlog.Open(t.Context(), dir, eventlog.Options{})
	if !errors.Is(err, eventlog.ErrNewerSchema) || !strings.Contains(err.Error(), "99") || !strings.Contains(err.Error(), "move this file away") {
		t.Errorf("Open: %v", err)
	}
}

// raw opens the file as another program would.
func raw(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dir, "telemetry.db"))
	try(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}
