package cluster

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"
)

const (
	dialLimit      = 2 * time.Second // for TCP and TLS
	handshakeLimit = 3 * time.Second // from the dial to protoactor's connect response
	sendLimit      = 5 * time.Second // a member that does not read for so long is cut off

	batchFrames = 64
	queueSlots  = 256 // of protoactor's queue at first; the outbox bounds what is in it
)

// dialling is how the actor port calls others. protoactor waits for a reply
// without limit, in an actor that then takes no message, not even the one that
// stops it. So every wait has a limit here, and the context ends them all.
func dialling(ctx context.Context, s security) []remote.ConfigOption {
	return []remote.ConfigOption{
		remote.WithDialOptions(
			grpc.WithTransportCredentials(s.client),
			grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: dialLimit}),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingEvery, Timeout: pingLimit}),
			grpc.WithStreamInterceptor(limited(ctx, handshakeLimit, sendLimit)),
		),
		remote.WithEndpointWriterBatchSize(batchFrames),
		remote.WithEndpointWriterQueueSize(queueSlots),
		func(c *remote.Config) { c.MaxRetryCount = 1 }, // each costs it 2 s of sleep
	}
}

// limited puts limits on a stream of protoactor's, whose own context never ends.
func limited(base context.Context, handshakeLimit, sendLimit time.Duration) grpc.StreamClientInterceptor {
	return func(_ context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string,
		open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		ctx, cancel := context.WithCancel(base)
		handshake := time.AfterFunc(handshakeLimit, cancel)
		s, err := open(ctx, desc, conn, method, opts...)
		if err != nil {
			handshake.Stop()
			cancel()
			return nil, err
		}
		return &limitedStream{ClientStream: s, cancel: cancel, handshake: handshake, sendLimit: sendLimit, conn: conn}, nil
	}
}

type limitedStream struct {
	grpc.ClientStream
	cancel    context.CancelFunc
	handshake *time.Timer
	conn      *grpc.ClientConn
	shaken    atomic.Bool
	failed    atomic.Bool // a message could not be sent
	sendLimit time.Duration
}

// SendMsg is part of grpc.ClientStream.
func (s *limitedStream) SendMsg(m any) error {
	limit := time.AfterFunc(s.sendLimit, s.cancel)
	defer limit.Stop()
	err := s.ClientStream.SendMsg(m)
	if err != nil {
		s.failed.Store(true)
	}
	return err
}

// errEnded says that the other side ended a stream.
var errEnded = errors.New("the other side ended the stream")

// RecvMsg is part of grpc.ClientStream. The first one ends the handshake.
//
// What it returns decides whether protoactor ends the connection to that address,
// and so opens another one with the next frame. It does for an error and not for
// io.EOF. A stream whose connection this side closed must end with io.EOF: the
// connection to that address is the next one by then, whose end would be an error
// again, and so on as fast as the network is. All others must end with an error,
// for protoactor's writer stops without a word when it cannot send, and what it
// is sent from then on is lost.
func (s *limitedStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if s.shaken.CompareAndSwap(false, true) {
		s.handshake.Stop()
	}
	if err == nil {
		return nil
	}
	s.cancel()
	switch closed := s.conn.GetState() == connectivity.Shutdown; {
	case closed && !s.failed.Load():
		return io.EOF
	case errors.Is(err, io.EOF):
		return errEnded
	}
	return err
}
