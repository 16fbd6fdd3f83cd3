package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"fleetfuse/cluster"
	"fleetfuse/httpapi"
)

// web serves the API on TCP and on a Unix socket.
type web struct {
	server *http.Server
	api    *httpapi.Server
	tcp    net.Listener
	serves sync.WaitGroup
	logger *slog.Logger
}

// answerLimit bounds a request whose answer nobody reads. Streams set their own
// deadline before each write.
const answerLimit = time.Minute

// listen binds the addresses and starts to serve. secure, if not nil, is for an
// address that other machines can reach.
func listen(ctx context.Context, addr, socket string, secure *tls.Config, api *httpapi.Server, logger *slog.Logger) (*web, error) {
	var lc net.ListenConfig
	tcp, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, cluster.CannotListen("--http.listen-address", addr, err)
	}
	listeners := []net.Listener{tcp}
	if secure != nil && !onLoopback(addr) {
		listeners[0] = tls.NewListener(tcp, secure)
	}
	if socket != "" {
		unix, err := listenUnix(ctx, socket)
		if err != nil {
			tcp.Close()
			return nil, err
		}
		listeners = append(listeners, unix)
	}
	w := &web{api: api, tcp: tcp, logger: logger, server: &http.Server{
		Handler: api.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		WriteTimeout: answerLimit, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}}
	for _, l := range listeners {
		w.serves.Go(func() {
			if err := w.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				logger.Error("HTTP stopped", slog.Any("err", err))
			}
		})
	}
	return w, nil
}

// guardHTTP says how HTTP is guarded: TLS with client certificates, or nil, and
// the Host headers that are accepted beside loopback: those that were listed,
// and what the node itself tells the other members to call it.
func (o *Options) guardHTTP(gossip string) (secure *tls.Config, hosts []string, err error) {
	if secure, _, err = o.TLS.Configs(); err != nil {
		return nil, nil, err
	}
	if secure == nil && !o.Insecure && !onLoopback(o.HTTPListen) {
		return nil, nil, fmt.Errorf("--http.listen-address %s can be reached from elsewhere: give --tls.cert-file, --tls.key-file and --tls.ca-file, "+
			"or --insecure if everybody there may open and close breakers", o.HTTPListen)
	}
	hosts = slices.Clone(o.AllowedHosts)
	if host, _, err := net.SplitHostPort(reachable(o.HTTPListen, gossip)); err == nil && host != "" {
		hosts = append(hosts, host)
	}
	return secure, hosts, nil
}

// onLoopback reports whether only this machine can reach an address.
func onLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// reachable is an address as others call it: one that listens everywhere is
// called by the host that gossip advertises.
func reachable(addr, gossip string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host != "" && !net.ParseIP(host).IsUnspecified() {
		return addr
	}
	known, _, err := net.SplitHostPort(gossip)
	if err != nil {
		return addr
	}
	return net.JoinHostPort(known, port)
}

// listenUnix binds a socket that only the user and the group may use. A stale
// socket of a killed node is removed; a living one is left alone.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	var lc net.ListenConfig
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("--http.socket %s: another process listens there; stop it, or name another file", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		_ = os.Remove(path)
	}
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("--http.socket: %w; name a file in a directory that is there and that you may write", err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		l.Close()
		return nil, fmt.Errorf("--http.socket: %w", err)
	}
	return l, nil
}

func (w *web) address() string { return w.tcp.Addr().String() }

// stop lets requests finish and ends streams.
func (w *web) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	w.api.EndStreams()
	if err := w.server.Shutdown(ctx); err != nil {
		w.logger.Warn("requests were cut off", slog.Any("err", err))
		w.server.Close()
	}
	w.serves.Wait()
}
