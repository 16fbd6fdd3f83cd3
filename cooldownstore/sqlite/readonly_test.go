//go:build cgo

package sqlite_test

import (
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"fleetfuse/cooldownstore/sqlite"
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
	child := osexec.CommandContext(t.Context(), binary, "-test.run=^"+t.Name()+"$", "-test.v")
	child.Dir = os.TempDir()
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
	return true
}

func TestSharedReadOnly(t *testing.T) {
	if asNobody(t) {
		return
	}
	file := sharedFile(t)
	s := openShared(t, file)
	dir := filepath.Dir(file)
	try(t, os.Chmod(dir, 0o500))
	says(t, useShared(t.Context(), s), "write permission")
	try(t, os.Chmod(dir, 0o700))
	works(t, s)
	try(t, os.Chmod(file, 0o400))
	says(t, useShared(t.Context(), s), "write permission")
	s.Close()
	s = openShared(t, file)
	says(t, useShared(t.Context(), s), "write permission")
	try(t, os.Chmod(file, 0o600))
	works(t, s)
	try(t, os.Chmod(dir, 0))
	says(t, useShared(t.Context(), s), "permission denied")
	try(t, os.Chmod(dir, 0o700))
	works(t, s)
}

func TestReadOnly(t *testing.T) {
	if asNobody(t) {
		return
	}
	dir := filepath.Join(t.TempDir(), "data")
	try(t, os.Mkdir(dir, 0o500))
	if _, err := sqlite.Open(t.Context(), dir); !contains(err, dir, "write permission", "--data-dir") {
		t.Errorf("Open of a read-only directory: %v", err)
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "below")); !contains(err, dir, "write permission", "--data-dir") {
		t.Errorf("Open below a read-only directory: %v", err)
	}
	try(t, os.Chmod(dir, 0o700))
	open(t, dir).Close()
	file := filepath.Join(dir, "state.db")
	try(t, os.Chmod(file, 0o400))
	if _, err := sqlite.Open(t.Context(), dir); !contains(err, file, "write permission", "--data-dir") {
		t.Errorf("Open of a read-only file: %v", err)
	}
}
