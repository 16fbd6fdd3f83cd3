//go:build cgo

package eventlog_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"fleetfuse/telemetry/eventlog"
)

// asNobody runs a test again as a user who may write nothing, if this one may
// write everything.
func asNobody(t *testing.T) (again bool) {
	if os.Getuid() != 0 {
		return false
	}
	dir, err := os.MkdirTemp("", "nobody") // t.TempDir is for this user alone
	try(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	try(t, os.Chmod(dir, 0o755))
	binary := filepath.Join(dir, "test")
	content, err := os.ReadFile(os.Args[0])
	try(t, err)
	try(t, os.WriteFile(binary, content, 0o755))
	child := exec.CommandContext(t.Context(), binary, "-test.run=^"+t.Name()+"$", "-test.v")
	child.Dir = os.TempDir()
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
	return true
}

func TestReadOnlyDirectory(t *testing.T) {
	if asNobody(t) {
		return
	}
	dir := filepath.Join(t.TempDir(), "data")
	try(t, os.Mkdir(dir, 0o500))
	opt, told := watched(eventlog.Options{})
	l := open(t, dir, opt)
	if h := l.Health(); h.OK || !strings.Contains(h.Err.Error(), "write permission") {
		t.Errorf("health %+v", h)
	}
	fill(t, l, 0, 100)
	want(t, take(t, l.Follow(l.Last()-100), 100), 0, 100)
	try(t, os.Chmod(dir, 0o700))
	until(t, told, works)
	shut(t, l)
	l = open(t, dir, eventlog.Options{})
	want(t, take(t, l.Follow(0), 100), 0, 100)
	shut(t, l)
}

func TestReadOnlyFile(t *testing.T) {
	if asNobody(t) {
		return
	}
	dir := t.TempDir()
	l := open(t, dir, eventlog.Options{})
	fill(t, l, 0, 100)
	shut(t, l)
	try(t, os.Chmod(filepath.Join(dir, "telemetry.db"), 0o400))
	opt, told := watched(eventlog.Options{})
	l = open(t, dir, opt)
	if h := l.Health(); h.OK || !strings.Contains(h.Err.Error(), "write permission") {
		t.Errorf("health %+v", h)
	}
	fill(t, l, 100, 200)
	try(t, os.Chmod(filepath.Join(dir, "telemetry.db"), 0o600))
	until(t, told, works)
	want(t, take(t, l.Follow(0), 200), 0, 200)
}
