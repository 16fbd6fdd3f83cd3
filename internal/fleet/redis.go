package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ErrNoRedis says that no redis-server is installed here.
var ErrNoRedis = errors.New("redis-server is not installed (apt-get install redis-server)")

// Redis is a redis-server process. It keeps its address for life.
type Redis struct {
	Address string // host:port
	Dir     string // of its data

	args   []string
	cmd    *exec.Cmd
	exited chan struct{}
	log    *tail
}

// StartRedis starts a redis-server with its data in a new directory below dir
// and waits until it answers. settings are further flags: "--maxmemory", "1mb".
// What it answered to outlives kill -9. Kill it when done. ErrNoRedis says that
// there is none.
func StartRedis(ctx context.Context, dir string, settings ...string) (*Redis, error) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, ErrNoRedis
	}
	if dir, err = os.MkdirTemp(dir, "redis"); err != nil {
		return nil, err
	}
	const tries = 5 // another process may take the port first
	for range tries {
		var port int
		if port, err = keptPort(); err != nil {
			return nil, err
		}
		r := &Redis{Address: fmt.Sprintf("127.0.0.1:%d", port), Dir: dir}
		r.args = append([]string{
			binary, "--bind", "127.0.0.1", "--port", fmt.Sprint(port), "--dir", dir, "--daemonize", "no",
			"--save", "", "--appendonly", "yes", "--repl-diskless-sync-delay", "0",
		}, settings...)
		if err = r.run(ctx); err == nil {
			return r, nil
		}
	}
	return nil, err
}

// run starts the process and waits until it answers.
func (r *Redis) run(ctx context.Context) error {
	r.exited, r.log = make(chan struct{}), &tail{}
	cmd, exited := exec.Command(r.args[0], r.args[1:]...), r.exited
	cmd.Stdout, cmd.Stderr = r.log, r.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // as a node
	if err := cmd.Start(); err != nil {
		return err
	}
	r.cmd = cmd
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := r.await(ctx, "its start", r.ready); err != nil {
		r.Kill()
		return err
	}
	return nil
}

// ready reports whether it serves: while it loads its data it does not. One
// that asks for a password first does.
func (r *Redis) ready(ctx context.Context) (bool, error) {
	pong, err := r.Do(ctx, "PING")
	var refused RedisError
	if errors.As(err, &refused) && strings.HasPrefix(string(refused), "NOAUTH") {
		return true, nil
	}
	return pong == "PONG", err
}

// await polls until something holds; errors while polling are tried again.
func (r *Redis) await(ctx context.Context, what string, holds func(context.Context) (bool, error)) error {
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		ok, err := holds(ctx)
		if err == nil && ok {
			return nil
		}
		select {
		case <-poll.C:
		case <-r.exited:
			return fmt.Errorf("redis-server %s ended while %s was awaited\n%s", r.Address, what, r.log)
		case <-ctx.Done():
			return fmt.Errorf("redis-server %s: %s was awaited in vain (last error: %v)\n%s", r.Address, what, err, r.log)
		}
	}
}

// Kill ends the process as kill -9 does, paused or not, and waits for its end.
func (r *Redis) Kill() {
	_ = r.cmd.Process.Kill()
	<-r.exited
}

// Stop ends the process in good order.
func (r *Redis) Stop() error {
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-r.exited:
		return nil
	case <-time.After(stopLimit):
		r.Kill()
		return fmt.Errorf("redis-server %s did not stop within %v\n%s", r.Address, stopLimit, r.log)
	}
}

// Restart starts it again at its address with its data, RestartEmpty without;
// a process that still runs is killed first.
func (r *Redis) Restart(ctx context.Context) error {
	r.Kill()
	return r.run(ctx)
}
func (r *Redis) RestartEmpty(ctx context.Context) error {
	r.Kill()
	files, err := filepath.Glob(filepath.Join(r.Dir, "*"))
	for _, file := range files {
		err = errors.Join(err, os.RemoveAll(file))
	}
	if err != nil {
		return err
	}
	return r.run(ctx)
}

// Pause stops the process: connections to it stay open, and nothing answers.
// Resume lets it go on.
func (r *Redis) Pause() error {
	if err := r.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	standing := &Node{cmd: r.cmd} // a process is asked as a node's is
	return r.await(ctx, "its stop", func(context.Context) (bool, error) { return standing.stopped() })
}
func (r *Redis) Resume() error { return r.cmd.Process.Signal(syscall.SIGCONT) }

// Do sends one command on a connection of its own. What the server refuses is a
// RedisError; an absent key is nil.
func (r *Redis) Do(ctx context.Context, words ...string) (any, error) {
	answers, err := Exchange(ctx, r.Address, words)
	if err != nil {
		return nil, err
	}
	if refused, ok := answers[0].(RedisError); ok {
		return nil, fmt.Errorf("%s: %w", words[0], refused)
	}
	return answers[0], nil
}

// Config changes a setting of the running server.
func (r *Redis) Config(ctx context.Context, name, value string) error {
	_, err := r.Do(ctx, "CONFIG", "SET", name, value)
	return err
}

// Flush forgets all keys.
func (r *Redis) Flush(ctx context.Context) error {
	_, err := r.Do(ctx, "FLUSHALL")
	return err
}

// Follow makes it a replica of the server at an address, which need not be
// there: from now on it refuses to be written. Promote undoes that.
func (r *Redis) Follow(ctx context.Context, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	_, err = r.Do(ctx, "REPLICAOF", host, port)
	return err
}
func (r *Redis) Promote(ctx context.Context) error {
	_, err := r.Do(ctx, "REPLICAOF", "NO", "ONE")
	return err
}

// AwaitReplica waits until a replica has everything that its primary had when
// they met, and hears what comes after.
func (r *Redis) AwaitReplica(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, joinLimit)
	defer cancel()
	return r.await(ctx, "its primary", func(ctx context.Context) (bool, error) {
		text, err := r.Do(ctx, "INFO", "replication")
		return err == nil && strings.Contains(fmt.Sprint(text), "master_link_status:up\r\n"), err
	})
}
