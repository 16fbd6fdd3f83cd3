package cluster

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// receiver is the other side of a stream: it answers the first message, and ends the
// stream when told to.
type receiver struct {
	remote.UnimplementedRemotingServer
	end chan struct{}
}

func (r *receiver) Receive(s remote.Remoting_ReceiveServer) error {
	if err := s.Send(&remote.RemoteMessage{}); err != nil {
		return err
	}
	select {
	case <-r.end:
	case <-s.Context().Done():
	}
	return nil
}

// A stream that this side closed ends like one that is complete, and protoactor
// leaves the next connection alone. Any other end is an error, for protoactor goes
// on with the connection as if it were there otherwise: also where this side closed
// it only after it could not send.
func TestHowStreamsEnd(t *testing.T) {
	for _, tt := range []struct {
		name     string
		end      func(r *receiver, conn *grpc.ClientConn, s grpc.ClientStream)
		complete bool
	}{
		{"closed here", func(_ *receiver, conn *grpc.ClientConn, _ grpc.ClientStream) { conn.Close() }, true},
		{"ended by the other side", func(r *receiver, _ *grpc.ClientConn, _ grpc.ClientStream) { close(r.end) }, false},
		{"closed here after a message could not be sent", func(r *receiver, conn *grpc.ClientConn, s grpc.ClientStream) {
			close(r.end)
			for s.SendMsg(&remote.RemoteMessage{}) == nil { // until word of the end has come
			}
			conn.Close()
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			r, server := &receiver{end: make(chan struct{})}, grpc.NewServer()
			remote.RegisterRemotingServer(server, r)
			served := make(chan error, 1)
			go func() { served <- server.Serve(list) }()
			t.Cleanup(func() {
				server.Stop()
				<-served
			})
			conn, err := grpc.NewClient(list.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
				grpc.WithStreamInterceptor(limited(t.Context(), time.Minute, time.Minute)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			s, err := remote.NewRemotingClient(conn).Receive(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Recv(); err != nil {
				t.Fatal(err)
			}
			tt.end(r, conn, s)
			if _, err := s.Recv(); errors.Is(err, io.EOF) != tt.complete || err == nil {
				t.Errorf("the stream ends with %v, complete: want %v", err, tt.complete)
			}
		})
	}
}
