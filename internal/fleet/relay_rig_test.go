package fleet_test

import (
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// A relay passes on what arrives at its port to another, TCP and UDP, and
// remembers what it passed.
type relay struct {
	tcp    net.Listener
	udp    net.PacketConn
	target string

	mu      sync.Mutex
	packets [][]byte
	streams []*recording
	conns   []net.Conn
	closed  bool
}

// recording is what one connection was sent.
type recording struct {
	mu    sync.Mutex
	bytes []byte
}

// Limits of what a relay remembers.
const (
	maxPackets = 500
	maxStreams = 50
	maxStream  = 256 << 10
)

// startRelay starts a relay to an address that need not be listened on yet.
func startRelay(t *testing.T, target string) *relay {
	t.Helper()
	r := &relay{target: target}
	r.tcp = must(net.Listen("tcp", "127.0.0.1:0"))(t)
	r.udp = must(net.ListenPacket("udp", r.address()))(t)
	var done sync.WaitGroup
	done.Go(r.passStreams)
	done.Go(r.passPackets)
	t.Cleanup(func() {
		r.close()
		done.Wait()
	})
	return r
}

func (r *relay) address() string { return r.tcp.Addr().String() }

func (r *relay) close() {
	r.tcp.Close()
	r.udp.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, c := range r.conns {
		c.Close()
	}
}

func (r *relay) passPackets() {
	buf := make([]byte, 64<<10)
	for {
		n, _, err := r.udp.ReadFrom(buf)
		if err != nil {
			return
		}
		packet := slices.Clone(buf[:n])
		r.mu.Lock()
		if len(r.packets) < maxPackets {
			r.packets = append(r.packets, packet)
		}
		r.mu.Unlock()
		if to, err := net.ResolveUDPAddr("udp", r.target); err == nil {
			_, _ = r.udp.WriteTo(packet, to)
		}
	}
}

func (r *relay) passStreams() {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		in, err := r.tcp.Accept()
		if err != nil {
			return
		}
		out, err := net.DialTimeout("tcp", r.target, time.Second)
		if err != nil {
			in.Close()
			continue
		}
		rec, ok := r.record(in, out)
		if !ok {
			return
		}
		all.Go(func() {
			_, _ = io.Copy(out, io.TeeReader(in, rec))
			out.Close()
			in.Close()
		})
		all.Go(func() {
			_, _ = io.Copy(in, out)
			in.Close()
			out.Close()
		})
	}
}

// record opens a recording of a connection; false if the relay is closed.
func (r *relay) record(in, out net.Conn) (*recording, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		in.Close()
		out.Close()
		return nil, false
	}
	r.conns = append(r.conns, in, out)
	rec := &recording{}
	if len(r.streams) < maxStreams {
		r.streams = append(r.streams, rec)
	}
	return rec, true
}

// Write is part of io.Writer.
func (r *recording) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes = append(r.bytes, b[:min(len(b), maxStream-len(r.bytes))]...)
	return len(b), nil
}

// captured returns what was passed so far.
func (r *relay) captured() (packets, streams [][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.streams {
		s.mu.Lock()
		streams = append(streams, slices.Clone(s.bytes))
		s.mu.Unlock()
	}
	return slices.Clone(r.packets), streams
}
