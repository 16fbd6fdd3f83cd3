package fleets

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// maxOpened is how many connections a node may open in a second, on average:
// gossip opens a few.
const maxOpened = 30

// storms makes sure that nodes do not connect over and over.
func (w *world) storms() {
	counts := opened(w.t)
	w.t.Logf("connections opened: %v", counts)
	for pid, n := range counts {
		if limit := int(w.Now().Seconds() * maxOpened); n > limit {
			w.t.Errorf("seed %d: process %s opened %d connections in %v, want at most %d", w.Seed, pid, n, w.Now(), limit)
		}
	}
}

// opened counts the TCP connections that each node of a network has opened, by
// process: each machine counts its own.
func opened(t *testing.T) map[string]int {
	t.Helper()
	counts := map[string]int{}
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	succeed(t, err)
	for _, link := range links {
		if exe, err := os.Readlink(link); err != nil || exe != program {
			continue
		}
		pid := filepath.Base(filepath.Dir(link))
		n, err := activeOpens(filepath.Join("/proc", pid, "net/snmp"))
		succeed(t, err)
		counts[pid] = n
	}
	return counts
}

func activeOpens(path string) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var names []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 0 || words[0] != "Tcp:":
		case names == nil:
			names = words
		default:
			for i, name := range names {
				if name == "ActiveOpens" {
					return strconv.Atoi(words[i])
				}
			}
		}
	}
	return 0, fmt.Errorf("%s has no ActiveOpens", path)
}
