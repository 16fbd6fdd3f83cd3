// Package fleet is the one harness that starts, kills and pauses real node
// processes. Tests, the demo and the benchmarks use it.
package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// A Program starts nodes.
type Program struct {
	Binary string // fleetfuse-node
	Dir    string // data directories go below it
	// Space, if not empty, is the network namespace in which nodes run, with
	// their HTTP reached by socket.
	Space string
}

// startLimit bounds the time until a node is ready, stopLimit its drain.
const (
	startLimit = 30 * time.Second
	stopLimit  = 20 * time.Second
)

// Node is one node process.
type Node struct {
	Name    string
	HTTP    string // base URL
	Gossip  string // address of its gossip port
	Actor   string // address of its actor port
	Socket  string
	DataDir string

	client *http.Client
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // of Wait, once exited
	log    *tail
}

// Start starts a node and waits until it is ready. A node of a name that ran
// before finds its data again; one that does not get ready is killed. The nodes of one Dir are of one cluster. args are
// further flags of "node run".
func (p Program) Start(ctx context.Context, name string, args ...string) (*Node, error) {
	dir := filepath.Join(p.Dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	readyFile := filepath.Join(dir, "ready.json")
	if err := os.Remove(readyFile); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	n := &Node{
		Name: name, DataDir: filepath.Join(dir, "data"), Socket: filepath.Join(dir, "s"),
		exited: make(chan struct{}), log: &tail{},
	}
	n.client = &http.Client{Transport: p.transport(n.Socket)}
	n.cmd = p.command(append([]string{
		"run", "--node.name", name, "--data-dir", n.DataDir, "--ready-file", readyFile, "--http.socket", n.Socket,
		"--http.listen-address", "127.0.0.1:0", "--cluster.listen-address", "127.0.0.1:0", "--actor.listen-address", "127.0.0.1:0",
		"--cluster.label", p.label(), "--log.format", "text",
	}, args...))
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	// A node must not outlive a test that was killed.
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		n.err = n.cmd.Wait()
		close(n.exited)
	}()
	err := n.awaitReady(ctx, readyFile)
	if err != nil {
		n.Kill() // what is not ready is nobody's to stop
	}
	return n, err
}

// label keeps clusters apart: a port that one looks for a killed node at may be
// another one's by now.
func (p Program) label() string { return fmt.Sprintf("fleet-%08x", crc32.ChecksumIEEE([]byte(p.Dir))) }

// command runs the program, in its network namespace if it has one.
func (p Program) command(args []string) *exec.Cmd {
	if p.Space == "" {
		return exec.Command(p.Binary, args...)
	}
	return exec.Command("ip", append([]string{"netns", "exec", p.Space, p.Binary}, args...)...)
}

// transport reaches a node's HTTP: by TCP, or across namespaces by its socket.
func (p Program) transport(socket string) *http.Transport {
	t := &http.Transport{MaxIdleConnsPerHost: 64}
	if p.Space != "" {
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}
	}
	return t
}

// awaitReady polls for the ready file, which appears in one step.
func (n *Node) awaitReady(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		if text, err := os.ReadFile(path); err == nil {
			var ready struct{ HTTP, Gossip, Actor string }
			if err := json.Unmarshal(text, &ready); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			n.HTTP, n.Gossip, n.Actor = "http://"+ready.HTTP, ready.Gossip, ready.Actor
			return nil
		}
		select {
		case <-poll.C:
		case <-n.exited:
			return fmt.Errorf("node %s ended before it was ready: %v\n%s", n.Name, n.err, n.Log())
		case <-ctx.Done():
			return fmt.Errorf("node %s is not ready: %w\n%s", n.Name, ctx.Err(), n.Log())
		}
	}
}

// Kill ends the process as kill -9 does and waits for its end.
func (n *Node) Kill() {
	_ = n.cmd.Process.Kill()
	<-n.exited
	n.client.CloseIdleConnections()
}

// Exited is closed when the process has ended; Err says how.
func (n *Node) Exited() <-chan struct{} { return n.exited }
func (n *Node) Err() error              { return n.err }

// Pause stops the process and waits until all its threads stand still, which
// takes a while on a busy machine. Resume lets it go on.
func (n *Node) Pause() error {
	if err := n.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	return n.Await(ctx, "its stop", n.stopped)
}
func (n *Node) Resume() error { return n.cmd.Process.Signal(syscall.SIGCONT) }

// stopped reports whether every thread is in state T (proc(5)).
func (n *Node) stopped() (bool, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", n.cmd.Process.Pid))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) { // the thread ended
			continue
		}
		_, after, ok := bytes.Cut(text, []byte(") ")) // behind the name
		if err != nil || !ok || after[0] != 'T' {
			return false, err
		}
	}
	return len(files) > 0, err
}

// Stop drains the node and returns how it ended.
func (n *Node) Stop() error {
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-n.exited:
		return n.err
	case <-time.After(stopLimit):
		n.Kill()
		return fmt.Errorf("node %s did not stop within %v\n%s", n.Name, stopLimit, n.Log())
	}
}

// Log is the end of what the process printed, for failure messages.
func (n *Node) Log() string { return n.log.String() }

// Call sends a JSON request and decodes the answer into out unless it is nil.
// It returns the HTTP status.
func (n *Node) Call(ctx context.Context, method, path string, in, out any) (int, error) {
	resp, err := n.send(ctx, method, path, in)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, err
	}
	return resp.StatusCode, json.NewDecoder(resp.Body).Decode(out)
}

func (n *Node) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, n.HTTP+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return n.client.Do(req)
}

// tail keeps the last part of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailBytes = 64 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if n := len(t.buf) - tailBytes; n > 0 {
		t.buf = append(t.buf[:0], t.buf[n:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
