//go:build cgo

package sqlite_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

func TestCorruptFileIsSetAside(t *testing.T) {
	damages := map[string]func(file []byte) []byte{
		"no database": func([]byte) []byte { return bytes.Repeat([]byte("not a database. "), 1000) },
		"cut short":   func(file []byte) []byte { return file[:len(file)/2] },
		"header":      func(file []byte) []byte { copy(file, "SQLite format 4\x00"); return file },
		"pages": func(file []byte) []byte {
			for i := 2 * 4096; i < len(file); i++ {
				file[i] ^= 0x5a
			}
			return file
		},
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) { testCorrupt(t, damage) })
	}
}

func testCorrupt(t *testing.T, damage func([]byte) []byte) {
	dir := t.TempDir()
	file := filepath.Join(dir, "state.db")
	wall := time.Now()
	s := open(t, dir)
	for i := range 200 {
		save(t, s, breaker.HostKey(fmt.Sprintf("h%d", i)), breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(5, time.Minute)}}, wall)
	}
	s.Close()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	content = damage(content)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}

	s = open(t, dir)
	aside := s.SetAside()
	if !strings.HasPrefix(aside, file+".corrupt-") {
		t.Fatalf("SetAside is %q, want %s.corrupt-TIME", aside, file)
	}
	if kept, err := os.ReadFile(aside); err != nil || !bytes.Equal(kept, content) {
		t.Errorf("the file set aside has %d bytes, %v, want the %d damaged ones", len(kept), err, len(content))
	}
	save(t, s, "host:new", breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(5, time.Minute)}}, wall)
	s.Close()
	s = open(t, dir)
	n := 0
	if err := s.Each(t.Context(), func(cooldownstore.Record) bool { n++; return true }); err != nil || n != 1 || s.SetAside() != "" {
		t.Errorf("the fresh file has %d records, %v, set aside %q; want the one saved since", n, err, s.SetAside())
	}
}

// A crash leaves a log beside the file; what it holds is evidence too.
func TestCorruptLogIsSetAsideToo(t *testing.T) {
	dir, wall := t.TempDir(), time.Now()
	s := open(t, dir)
	for i := range 200 {
		save(t, s, breaker.HostKey(fmt.Sprintf("h%d", i)), breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(5, time.Minute)}}, wall)
	}
	db := raw(t, dir)
	exec(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
	db.Close()
	if err := s.SetMeta(t.Context(), "node_id", "n1"); err != nil {
		t.Fatal(err)
	}
	crashed := t.TempDir() // the files as they are now, without a Close
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, "state.db"+suffix))
		if err != nil {
			t.Fatal(err)
		}
		if suffix == "" {
			clear(content[4096:])
		}
		if err := os.WriteFile(filepath.Join(crashed, "state.db"+suffix), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, crashed)
	if info, err := os.Stat(s.SetAside() + "-wal"); err != nil || info.Size() == 0 {
		t.Errorf("the damaged file's log: %v, want it beside %q", err, s.SetAside())
	}
}
