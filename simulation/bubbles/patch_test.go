//go:build !bubble

package bubbles

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A patch replaces a piece of a file, which must be there once.
type patch struct{ file, old, new, more string }

// Real sockets keep the time of a bubble from passing: protoactor's Remote opens
// its port and dials on its own, and so does the node's HTTP. For the test these
// four lines are replaced in copies; nothing else of a node is.
var protoactorPatches = []patch{
	{"remote/server.go", `net.Listen("tcp", r.config.Address())`, `Listen("tcp", r.config.Address())`, `
var Listen = net.Listen

var DialOptions = func(*Config) []grpc.DialOption { return nil }
`},
	{"remote/endpoint_writer.go", `grpc.Dial(state.address, state.config.DialOptions...)`,
		`grpc.Dial(state.address, append(DialOptions(state.config), state.config.DialOptions...)...)`, ""},
}

var nodePatches = []patch{
	{"node/web.go", `tcp, err := lc.Listen(ctx, "tcp", addr)`, `_ = lc
	tcp, err := Listen(ctx, addr)`, `
var Listen = func(ctx context.Context, addr string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", addr)
}
`},
}

const protoactorModule = "github.com/asynkron/protoactor-go"

// TestBubbles runs TestSeeds of this package with the network patched in.
// BUBBLES_FIRST, BUBBLES_SEEDS and BUBBLES_MINUTES say what is run.
func TestBubbles(t *testing.T) {
	if os.Getenv("BUBBLES_SEEDS") == "" {
		seeds := "8" // more of them are for the night
		if testing.Short() {
			seeds = "2"
		}
		t.Setenv("BUBBLES_SEEDS", seeds)
	}
	text, err := bubbles(t)
	t.Logf("%s", text)
	if err != nil {
		t.Errorf("the bubbles: %v", err)
	}
	if !bytes.Contains(text, []byte("--- PASS: TestSeeds")) && err == nil {
		t.Error("no bubble was run")
	}
}

// Plants are defects that bubbles must find.
var plants = []struct {
	name, want string
	patch      patch
}{
	{"a Retry-After is not pushed", "nothing is called before a deadline", patch{"cluster/spread/push.go",
		"if changed && !derived {", "if changed && !derived && len(s.Cooldowns) == 0 {", ""}},
	{"a close ends no cooldown", "a close stays closed", patch{"breaker/merge.go",
		"if clear == 0 || c.Stamp > clear {", "if true {", ""}},
	{"permits are not counted", "the probe budget holds", patch{"breaker/probe.go",
		"out >= m.policy.ForRole(role).TrialCalls", "out >= 50+m.policy.ForRole(role).TrialCalls", ""}},
}

// TestPlants makes defects, one at a time, which takes half a minute each: it
// runs with BUBBLES_PLANTS=1.
func TestPlants(t *testing.T) {
	if os.Getenv("BUBBLES_PLANTS") == "" {
		t.Skip("set BUBBLES_PLANTS=1: half a minute for each defect")
	}
	t.Setenv("BUBBLES_SEEDS", "3")
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			text, err := bubbles(t, p.patch)
			if err == nil || !bytes.Contains(text, []byte(p.want)) {
				t.Errorf("the bubbles ended with %v and found no %q:\n%s", err, p.want, text)
			}
		})
	}
}

// bubbles runs TestSeeds, with more patches.
func bubbles(t *testing.T, more ...patch) ([]byte, error) {
	t.Helper()
	dir := t.TempDir()
	root := strings.TrimSpace(output(t, "go", "list", "-m", "-f", "{{.Dir}}"))
	modfile := patchedModule(t, dir, root)
	overlay := patchedFiles(t, dir, root, more)
	cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-count=1", "-tags=bubble", "-modfile="+modfile, "-overlay="+overlay,
		"-run=TestSeeds", "-v", "-timeout=30m", "fleetfuse/simulation/bubbles")
	cmd.Dir = root
	return cmd.CombinedOutput()
}

// patchedModule writes a go.mod that takes protoactor from a patched copy.
func patchedModule(t *testing.T, dir, root string) (modfile string) {
	t.Helper()
	from := strings.TrimSpace(output(t, "go", "list", "-m", "-f", "{{.Dir}}", protoactorModule))
	to := patchedCopy(t, from)
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		must(t, err)
		if name == "go.mod" {
			text = append(text, "\nreplace "+protoactorModule+" => "+to+"\n"...)
		}
		must(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	return filepath.Join(dir, "go.mod")
}

// patchedCopy makes a copy of protoactor, if there is none: it is always at one
// place, so that the build cache knows it, and others may be using it.
func patchedCopy(t *testing.T, from string) string {
	t.Helper()
	sum := crc32.ChecksumIEEE(fmt.Append(nil, from, protoactorPatches))
	to := filepath.Join(os.TempDir(), fmt.Sprintf("fleetfuse-bubbles-%d-%08x", os.Getuid(), sum))
	if _, err := os.Stat(to); err == nil {
		return to
	}
	fresh, err := os.MkdirTemp("", "fleetfuse-bubbles-")
	must(t, err)
	must(t, os.CopyFS(fresh, os.DirFS(from)))
	for _, p := range protoactorPatches {
		p.apply(t, filepath.Join(from, p.file), filepath.Join(fresh, p.file))
	}
	if err := os.Rename(fresh, to); err != nil { // another was faster
		must(t, os.RemoveAll(fresh))
	}
	return to
}

// patchedFiles writes an overlay for files of this module.
func patchedFiles(t *testing.T, dir, root string, more []patch) (overlay string) {
	t.Helper()
	patches := slices.Concat(nodePatches, more)
	replace := map[string]string{}
	for _, p := range patches {
		from, to := filepath.Join(root, p.file), filepath.Join(dir, strings.ReplaceAll(p.file, "/", "_"))
		if replace[from] != "" {
			p.apply(t, to, to)
			continue
		}
		p.apply(t, from, to)
		replace[from] = to
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	must(t, err)
	overlay = filepath.Join(dir, "overlay.json")
	must(t, os.WriteFile(overlay, text, 0o600))
	return overlay
}

func (p patch) apply(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	must(t, err)
	if n := strings.Count(string(text), p.old); n != 1 {
		t.Fatalf("%s has %d times %q, want it once: the patches in patch_test.go must follow", from, n, p.old)
	}
	_ = os.Remove(to) // the copy may be read-only
	must(t, os.WriteFile(to, []byte(strings.Replace(string(text), p.old, p.new, 1)+p.more), 0o600))
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	text, err := exec.Command(name, args...).Output()
	must(t, err)
	return string(text)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
