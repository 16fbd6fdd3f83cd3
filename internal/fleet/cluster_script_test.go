package fleet_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fleetfuse/internal/fleet"
)

// script is simulation/cluster.sh at work, in a network of its own: its ports are fixed.
type script struct {
	t   *testing.T
	cmd *exec.Cmd
}

// startScript starts the script and returns when it has said how to end it. A node
// alone is started in the network of the script that beside is.
func startScript(t *testing.T, beside *script, dir string, node ...string) *script {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip(fleet.ErrNoNetwork)
	}
	for name, binary := range map[string]string{"fleetfuse-node": program, "fleetfuse-ctl": ctl} { // as "make build" names them
		if err := os.Symlink(binary, filepath.Join(dir, name)); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	args := append([]string{filepath.Join("..", "..", "simulation", "cluster.sh"), filepath.Join(dir, "fleetfuse-node"), dir}, node...)
	s := &script{t: t}
	if beside != nil {
		s.cmd = exec.Command("nsenter", append([]string{beside.network()}, args...)...)
		s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	} else {
		s.cmd = exec.Command("sh", append([]string{"-c", `ip link set lo up && exec "$@"`, "sh"}, args...)...)
		s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Cloneflags: syscall.CLONE_NEWNET}
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.end() })
	timer := time.AfterFunc(hang, func() { _ = s.cmd.Process.Signal(syscall.SIGTERM) })
	defer timer.Stop()
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		if strings.Contains(lines.Text(), "Ctrl-C") {
			return s
		}
	}
	t.Fatalf("the cluster is not ready:\n%s", said.String())
	return nil
}

func (s *script) network() string { return fmt.Sprintf("--net=/proc/%d/ns/net", s.cmd.Process.Pid) }

// end does what Ctrl-C does, and waits.
func (s *script) end() error {
	if s.cmd.ProcessState != nil {
		return nil
	}
	_ = s.cmd.Process.Signal(os.Interrupt)
	return s.cmd.Wait()
}

// run runs a program in the script's network.
func (s *script) run(args ...string) string {
	s.t.Helper()
	out, err := exec.CommandContext(s.t.Context(), "nsenter", append([]string{s.network()}, args...)...).CombinedOutput()
	if err != nil {
		s.t.Errorf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (s *script) alive(addr string) int {
	s.t.Helper()
	return strings.Count(s.run(ctl, "--addr", addr, "cluster", "members", "-o", "json"), `"state": "alive"`)
}

// When "make cluster" says how to end it the three are one cluster, and Ctrl-C is no
// error.
func TestClusterScript(t *testing.T) {
	s := startScript(t, nil, t.TempDir())
	for _, addr := range []string{"127.0.0.1:7140", "127.0.0.1:7150", "127.0.0.1:7160"} {
		if n := s.alive(addr); n != 3 {
			t.Errorf("%s sees %d members; want all 3", addr, n)
		}
	}
	if err := s.end(); err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
}

// Any two nodes of "make cluster" find each other, also when a third never was.
func TestClusterScriptWithoutFirst(t *testing.T) {
	dir := t.TempDir()
	second := startScript(t, nil, dir, "n2")
	startScript(t, second, dir, "n3")
	for began := time.Now(); second.alive("127.0.0.1:7150") != 2; {
		if time.Since(began) > hang {
			t.Fatal("n2 does not see n3")
		}
	}
}
