package cluster

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"fleetfuse/wire"
)

// A stranger speaks protoactor's remoting to a node.
func stranger(t *testing.T, address string) remote.RemotingClient {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return remote.NewRemotingClient(conn)
}

// batch is one message for a target, as a node would send it.
func batch(typeName, target string, message []byte) *remote.MessageBatch {
	return &remote.MessageBatch{
		TypeNames: []string{typeName}, Targets: []*actor.PID{{Address: "elsewhere:1", Id: target}},
		Envelopes: []*remote.MessageEnvelope{{MessageData: message}},
	}
}

func batchOf(f *wire.Frame) *remote.MessageBatch {
	b, _ := proto.Marshal(f)
	return batch(frameType, inboxName, b)
}

// attacks are streams that the guard ends.
func attacks() map[string]*remote.RemoteMessage {
	good := batchOf(ack(1))
	change := func(do func(*remote.MessageBatch)) *remote.RemoteMessage {
		b := proto.CloneOf(good)
		do(b)
		return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}}
	}
	return map[string]*remote.RemoteMessage{
		"nothing":      {},
		"disconnect":   {MessageType: &remote.RemoteMessage_DisconnectRequest{DisconnectRequest: &remote.DisconnectRequest{}}},
		"client":       {MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{}}},
		"stop":         change(func(b *remote.MessageBatch) { b.TypeNames[0] = "actor.Stop" }),
		"watch":        change(func(b *remote.MessageBatch) { b.TypeNames = append(b.TypeNames, "actor.Watch") }),
		"unknown type": change(func(b *remote.MessageBatch) { b.TypeNames[0] = "no.such.Type" }),
		"activator":    change(func(b *remote.MessageBatch) { b.Targets[0].Id = "activator" }),
		"no target":    change(func(b *remote.MessageBatch) { b.Targets = nil }),
		"target index": change(func(b *remote.MessageBatch) { b.Envelopes[0].Target = 7 }),
		"negative":     change(func(b *remote.MessageBatch) { b.Envelopes[0].Target = -1 }),
		"type index":   change(func(b *remote.MessageBatch) { b.Envelopes[0].TypeId = 1 }),
		"sender index": change(func(b *remote.MessageBatch) { b.Envelopes[0].Sender = 3 }),
		"sender":       change(func(b *remote.MessageBatch) { b.Senders = []*actor.PID{{Id: "x"}} }),
		"serializer":   change(func(b *remote.MessageBatch) { b.Envelopes[0].SerializerId = 9 }),
		"request id":   change(func(b *remote.MessageBatch) { b.Envelopes[0].TargetRequestId = 1 }),
		"header":       change(func(b *remote.MessageBatch) { b.Envelopes[0].MessageHeader = &remote.MessageHeader{} }),
		"no frame":     change(func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = []byte{0xff, 0xff} }),
	}
}

func TestStrangersDoNoHarm(t *testing.T) {
	beside(t)
	a := real(t, "a", nil, nil)
	c := stranger(t, a.Address())
	if _, err := c.ListProcesses(t.Context(), &remote.ListProcessesRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("ListProcesses: %v, want permission denied", err)
	}
	for what, m := range attacks() {
		before := a.Counts().Malformed
		s, err := c.Receive(t.Context())
		if err == nil {
			err = s.Send(m)
		}
		if err == nil {
			_, err = s.Recv()
		}
		if code := status.Code(err); code != codes.PermissionDenied && code != codes.InvalidArgument {
			t.Errorf("%s: %v, want it refused", what, err)
		}
		if got := a.Counts().Malformed; got != before+1 {
			t.Errorf("%s: Malformed went from %d to %d, want one more", what, before, got)
		}
	}
	for _, junk := range []string{"", "GET / HTTP/1.1\r\n\r\n", strings.Repeat("\xff", 1<<16)} {
		conn, err := net.Dial("tcp", a.Address())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte(junk))
		conn.Close()
	}
	s, err := c.Receive(t.Context())
	if err == nil {
		err = s.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{
			MessageBatch: batch(frameType, inboxName, bytes.Repeat([]byte{0}, maxMessageBytes))}})
	}
	if err == nil {
		_, err = s.Recv()
	}
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("an oversized message: %v, want it refused", err)
	}
}

// Frames count only if they come from a live member in its present epoch.
func TestFramesOfStrangersAreDropped(t *testing.T) {
	beside(t)
	a := real(t, "a", nil, nil)
	h := hung(t, a)
	a.sees(t, "a", h)
	s, err := stranger(t, a.Address()).Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	body := ack(1).Body
	for _, f := range []*wire.Frame{
		{}, {From: "nobody", Epoch: 1, Body: body}, {From: h, Epoch: 2, Body: body}, {From: "a", Epoch: 1, Body: body},
		{From: h, Epoch: 1}, // of a kind that only a later version knows
		{From: h, Epoch: 1, Body: body},
	} {
		if err := s.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: batchOf(f)}}); err != nil {
			t.Fatal(err)
		}
	}
	if f := a.receives(t); f.GetFrom() != h || f.GetBody() == nil {
		t.Errorf("received %v, want the frame of the live member", f)
	}
	if got := a.Counts(); got.Strangers != 4 || got.UnknownBodies != 1 {
		t.Errorf("%+v, want 4 strangers and 1 unknown body", got)
	}
}

// mute is a remoting server that takes a stream, and then neither reads nor
// replies, or only replies to the handshake.
type mute struct {
	remote.UnimplementedRemotingServer
	replies bool
	quit    <-chan struct{}
}

func (m mute) Receive(s remote.Remoting_ReceiveServer) error {
	if m.replies {
		if _, err := s.Recv(); err != nil {
			return err
		}
		_ = s.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectResponse{ConnectResponse: &remote.ConnectResponse{}}})
	}
	select {
	case <-s.Context().Done():
	case <-m.quit:
	}
	return nil
}

// A handshake and a write that hang both end, so that the connection is tried
// again.
func TestStreamsEnd(t *testing.T) {
	beside(t)
	const limit = 200 * time.Millisecond
	for _, replies := range []bool{false, true} {
		s := mutedStream(t, replies, limit)
		began := time.Now()
		_, err := s.Recv()
		for err == nil { // it replies once, but does not read
			err = s.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{
				MessageBatch: batch(frameType, inboxName, make([]byte, 1<<16))}})
		}
		if took := time.Since(began); took > 10*limit {
			t.Errorf("replies %t: it took %v to give up, want %v", replies, took, limit)
		}
	}
}

// mutedStream opens a stream with limits to a mute server.
func mutedStream(t *testing.T, replies bool, limit time.Duration) remote.Remoting_ReceiveClient {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	quit := make(chan struct{})
	server := grpc.NewServer()
	remote.RegisterRemotingServer(server, mute{replies: replies, quit: quit})
	go server.Serve(l)
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStreamInterceptor(limited(t.Context(), limit, limit)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(quit); conn.Close(); server.Stop() })
	s, err := remote.NewRemotingClient(conn).Receive(t.Context())
	if err == nil {
		err = s.Send(&remote.RemoteMessage{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}
