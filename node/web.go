package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

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

// listen binds the addresses and starts to serve.
func listen(ctx context.Context, addr, socket string, api *httpapi.Server, logger *slog.Logger) (*web, error) {
	var lc net.ListenConfig
	tcp, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--http.listen-address: %w; is another node running? fleetfuse-ctl status", err)
	}
	listeners := []net.Listener{tcp}
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
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
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

// listenUnix binds a socket that only the user and the group may use. A stale
// socket of a killed node is removed; a living one is left alone.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	var lc net.ListenConfig
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("--http.socket %s: another process listens there", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		_ = os.Remove(path)
	}
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("--http.socket: %w", err)
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
