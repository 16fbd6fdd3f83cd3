package tty_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"fleetfuse/internal/tty"
)

func TestIs(t *testing.T) {
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if !tty.Is(device) || tty.Is(file) || tty.Is(&bytes.Buffer{}) {
		t.Errorf("a character device %v, a file %v, a buffer %v", tty.Is(device), tty.Is(file), tty.Is(&bytes.Buffer{}))
	}
}
