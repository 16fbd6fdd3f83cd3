package fleet_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// throw sends a stream of bytes on a connection of its own and does not wait
// for an answer. Whatever becomes of it is the node's affair.
func throw(network, address string, b []byte) {
	c, err := net.DialTimeout(network, address, time.Second)
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	_, _ = c.Write(b)
	if network == "tcp" { // not so fast that the node never reads it
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, _ = c.Read(make([]byte, 512))
	}
}

// noise is random bytes behind a first byte that may mean something.
func noise(r *rand.Rand, length int) []byte {
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	b[0] = byte(r.UintN(16))
	return b
}

// Beginnings that promise more than any node may take.
var (
	huge32   = binary.BigEndian.AppendUint32(nil, 0xffff_fff0)
	preface  = []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	hugeGRPC = slices.Concat(preface, []byte{0xff, 0xff, 0xff, 1, 4, 0, 0, 0, 1}, make([]byte, 1<<16))

	// memberlist's header of its state: {"Nodes": 2^31-1, "UserStateLen": 2^31-1, "Join": true}, after its type.
	hugeState = slices.Concat([]byte{6, 0x83, 0xa5}, []byte("Nodes"), []byte{0xce, 0x7f, 0xff, 0xff, 0xff, 0xac}, []byte("UserStateLen"),
		[]byte{0xce, 0x7f, 0xff, 0xff, 0xff, 0xa4}, []byte("Join"), []byte{0xc3})
	hugeWord   = slices.Concat([]byte{8, 0x81, 0xaa}, []byte("UserMsgLen"), []byte{0xce, 0x7f, 0xff, 0xff, 0xff})
	hugeSealed = slices.Concat([]byte{10}, huge32)
	hugeLabel  = slices.Concat([]byte{244, 255}, []byte("short"))
	hugeMany   = []byte{7, 255, 0xff, 0xff, 0xff, 0xff} // a compound packet of 255 parts
	hugePack   = slices.Concat([]byte{9, 0x82, 0xa4}, []byte("Algo"), []byte{0, 0xa3}, []byte("Buf"), []byte{0xc6, 0xff, 0xff, 0xff, 0xf0})
)

// TestHostilePackets throws random bytes, huge lengths and what other nodes
// really said at the ports of a node. It goes on answering, counts what it does
// not take, and what it took before is neither counted again nor undone.
func TestHostilePackets(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	gossip, actor := startRelay(t, freeAddress(t)), startRelay(t, freeAddress(t))
	dir := t.TempDir()
	first := startNode(t, dir, "n1")
	nodes := []*fleet.Node{first, startNode(t, dir, "n2", "--cluster.peer", first.Gossip), startNode(t, dir, "n3", "--cluster.peer", first.Gossip,
		"--cluster.listen-address", gossip.target, "--cluster.advertise-address", gossip.address(),
		"--actor.listen-address", actor.target, "--actor.advertise-address", actor.address())}
	awaitMembers(t, nodes)
	target := nodes[2]
	failing, ended := must(target.OwnHost(t.Context(), "failing"))(t), must(target.OwnHost(t.Context(), "ended"))(t)
	fail(t, nodes[0], failing, 2)
	fail(t, nodes[1], failing, 2)
	report(t, nodes[0], retryAfter(ended, "600"))
	report(t, nodes[1], retryAfter(ended, "700"))
	awaitAll(t, "the Retry-After", ended, rejected, nodes...)
	awaitListed(t, "four failures", first, failing, func(b api.Breaker) bool { return len(b.Roles) > 0 && b.Roles[0].Failures == 4 })
	must(target.Close(t.Context(), ended))(t)
	awaitAll(t, "the close", ended, closed, nodes...)

	var packets, streams, frames [][]byte
	await(t, "gossip to replay", target, func() (bool, error) {
		packets, streams = gossip.captured()
		_, frames = actor.captured()
		return len(packets) >= 50 && len(streams) > 0 && len(frames) > 0, nil
	})
	t.Logf("captured %d packets, %d streams of gossip and %d of frames", len(packets), len(streams), len(frames))
	before := refused(t, target)
	heap := usageOf(t, target).heap
	quiet := fleet.StartWatch(t.Context(), "quiet.example.org", rejected, nodes...)
	began := time.Now()
	for time.Since(began) < 5*time.Second {
		for _, b := range [][]byte{hugeState, hugeWord, hugeSealed, hugeLabel, hugeMany, hugePack, huge32, noise(r, 1+r.IntN(4096))} {
			throw("tcp", gossip.target, b)
			throw("udp", gossip.target, b)
		}
		for _, b := range [][]byte{hugeGRPC, preface, huge32, slices.Concat(preface, noise(r, 1+r.IntN(4096))), noise(r, 1+r.IntN(1<<16))} {
			throw("tcp", actor.target, b)
		}
		for range 20 {
			throw("udp", gossip.target, noise(r, 1+r.IntN(1400)))
			throw("udp", gossip.target, packets[r.IntN(len(packets))])
			throw("udp", first.Gossip, packets[r.IntN(len(packets))]) // not meant for it
		}
		throw("tcp", gossip.target, streams[r.IntN(len(streams))])
		for _, b := range frames {
			throw("tcp", actor.target, b)
			throw("tcp", first.Actor, b)
		}
	}
	quiet.Stop()
	t.Logf("refused: %v, before %v; heap from %v to %v; the slowest decision took %v", refused(t, target), before, heap,
		usageOf(t, target).heap, quiet.Slowest())
	if wrong := quiet.Wrong(); len(wrong) > 0 {
		t.Errorf("a host nobody complained about is rejected: %v", wrong)
	}
	if now := refused(t, target); now <= before {
		t.Errorf("it counted %v messages that are not taken, %v before", now, before)
	}
	if now := usageOf(t, target).heap; now > heap+128<<20 {
		t.Errorf("its heap grew from %v to %v bytes", heap, now)
	}
	awaitMembers(t, nodes)
	for _, n := range nodes {
		expect(t, "four failures of two nodes, said again and again", n, failing, closed)
		expect(t, "a Retry-After from before a close, said again and again", n, ended, closed)
	}
	exchange(t, nodes, "after.example.org")
}

// refused sums what a node's ports did not take.
func refused(t *testing.T, n *fleet.Node) (sum float64) {
	t.Helper()
	for _, name := range []string{"gossip_malformed_total", "gossip_refused_label_total", "gossip_refused_key_total", "frames_malformed_total"} {
		sum += must(n.Metric(t.Context(), "fleetfuse_"+name))(t)
	}
	return sum
}

// freeAddress is one that nobody listens on now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	return l.Addr().String()
}
