package cluster

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	maxKeyringBytes = 64 << 10
	keyringEvery    = 3 * time.Second // how often the file is read again
)

// A keyring holds the keys that gossip is encrypted with, and follows its file.
type keyring struct {
	path string
	ring *memberlist.Keyring

	mu   sync.Mutex
	text []byte // of the file, as last read; good or not
}

// openKeyring reads the file; nil without a path.
func openKeyring(path string) (*keyring, error) {
	if path == "" {
		return nil, nil
	}
	text, err := readKeyring(path)
	if err != nil {
		return nil, err
	}
	keys, err := parseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("--cluster.keyring-file %s: %w", path, err)
	}
	ring, err := memberlist.NewKeyring(keys, keys[0])
	if err != nil {
		return nil, fmt.Errorf("--cluster.keyring-file %s: %w", path, err)
	}
	return &keyring{path: path, ring: ring, text: text}, nil
}

func readKeyring(path string) ([]byte, error) {
	unreadable := func(err error) error {
		return fmt.Errorf("--cluster.keyring-file: %w; name a file that the node may read, with a key made by: openssl rand -base64 32", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, unreadable(err)
	}
	if info.Size() > maxKeyringBytes {
		return nil, fmt.Errorf("--cluster.keyring-file %s has %d bytes; want at most %d", path, info.Size(), maxKeyringBytes)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, unreadable(err)
	}
	return text, nil
}

// parseKeys reads one base64 key a line, the first is the primary. Errors name
// lines, never keys.
func parseKeys(text []byte) ([][]byte, error) {
	var keys [][]byte
	for i, line := range strings.Split(string(text), "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return nil, fmt.Errorf("line %d is not base64; make a key with: openssl rand -base64 32", i+1)
		}
		if memberlist.ValidateKey(key) != nil {
			return nil, fmt.Errorf("line %d holds %d bytes; a key has 16, 24 or 32", i+1, len(key))
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no key; make one with: openssl rand -base64 32")
	}
	return keys, nil
}

// watch follows the file until the context ends.
func (k *keyring) watch(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(keyringEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			k.reread(log)
		}
	}
}

// reread takes over the keys of the file if it changed. A bad file changes
// nothing.
func (k *keyring) reread(log *slog.Logger) {
	k.mu.Lock()
	defer k.mu.Unlock()
	text, err := readKeyring(k.path)
	if err != nil {
		text = []byte(err.Error()) // say it once
	}
	if bytes.Equal(text, k.text) {
		return
	}
	k.text = text
	var keys [][]byte
	if err == nil {
		keys, err = parseKeys(text)
	}
	if err == nil {
		err = k.use(keys)
	}
	if err != nil {
		log.Error("the keyring is not taken over, the keys from before stay in use", "file", k.path, "err", err)
		return
	}
	log.Info("the keyring was read again", "file", k.path, "keys", len(keys))
}

// use makes the ring these keys, the first encrypts. Before a key is removed it
// is at the end of the ring: elsewhere memberlist shifts the others in place,
// under readers that hold the slice.
func (k *keyring) use(keys [][]byte) error {
	for _, key := range keys {
		if err := k.ring.AddKey(key); err != nil {
			return err
		}
	}
	stale := slices.DeleteFunc(slices.Clone(k.ring.GetKeys()), func(have []byte) bool {
		return slices.ContainsFunc(keys, func(key []byte) bool { return bytes.Equal(have, key) })
	})
	first := keys[:1]
	if len(stale) > 0 {
		first = keys
	}
	for _, key := range slices.Backward(first) {
		if err := k.ring.UseKey(key); err != nil {
			return err
		}
	}
	for range stale {
		have := k.ring.GetKeys()
		if err := k.ring.RemoveKey(have[len(have)-1]); err != nil {
			return err
		}
	}
	return nil
}
