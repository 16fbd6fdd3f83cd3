package redis_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fleetfuse/cooldownstore/redis"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A server is a real redis-server of this test.
type server struct {
	address string // host:port
	process *os.Process
	ended   chan struct{} // closed when it has ended
	raw     *goredis.Client
}

// start starts a redis-server with settings, in a directory of its own; the
// test is skipped where none is installed. It ends with the test.
func start(t testing.TB, settings ...string) *server {
	t.Helper()
	return startArgs(t, append([]string{"--save", "", "--appendonly", "no"}, settings...)...)
}

// startArgs starts a redis-server with nothing but these arguments, a port and
// a directory.
func startArgs(t testing.TB, settings ...string) *server {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed (apt-get install redis-server)")
	}
	for range 5 { // another process may take the port
		if s := try(t, binary, freePort(t), settings); s != nil {
			return s
		}
	}
	t.Fatal("redis-server does not start")
	return nil
}

func try(t testing.TB, binary, port string, settings []string) *server {
	t.Helper()
	args := append(slices.Clone(settings), "--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir())
	cmd := exec.Command(binary, args...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{address: "127.0.0.1:" + port, process: cmd.Process, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		cmd.Wait()
	}()
	t.Cleanup(s.kill)
	for range 500 {
		select {
		case <-s.ended:
			t.Logf("redis-server ended: %s", output.String())
			return nil
		case <-time.After(20 * time.Millisecond):
		}
		if conn, err := net.Dial("tcp", s.address); err == nil {
			conn.Close()
			s.raw = goredis.NewClient(&goredis.Options{Addr: s.address})
			t.Cleanup(func() { s.raw.Close() })
			return s
		}
	}
	return nil
}

// kill ends the server at once, as a crash would.
func (s *server) kill() {
	s.process.Kill()
	<-s.ended
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	return port
}

func open(t testing.TB, url string, opts ...redis.Option) *redis.Store {
	t.Helper()
	s, err := redis.Open(url, opts...)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func (s *server) url() string { return fmt.Sprintf("redis://%s/0", s.address) }

// do runs a command as another program would.
func (s *server) do(t testing.TB, args ...any) any {
	t.Helper()
	v, err := s.raw.Do(context.Background(), args...).Result()
	if err != nil && err != goredis.Nil {
		t.Fatalf("%v: %v", args, err)
	}
	return v
}
