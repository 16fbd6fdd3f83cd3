package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"fleetfuse/wire"
)

const (
	maxMessageBytes = 16 << 20 // one message on the actor port, a batch of frames
	maxStreams      = 16       // of one connection; a member uses one
	pingEvery       = 10 * time.Second
	pingLimit       = 3 * time.Second // then the connection is closed
)

// A guard stands before protoactor's remoting, which lets any caller stop any
// actor and ends the process on a malformed message. It takes frames for the
// inbox and nothing else.
type guard struct {
	counts  *counts
	address func() string // of this actor system
}

// frameType is the only type that is taken.
var frameType = string(proto.MessageName((*wire.Frame)(nil)))

// options are what a server of the actor port needs.
func (g guard) options(s security) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.Creds(s.server),
		grpc.StreamInterceptor(g.stream),
		grpc.UnaryInterceptor(g.unary),
		grpc.MaxRecvMsgSize(maxMessageBytes),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingEvery, Timeout: pingLimit}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingEvery / 2, PermitWithoutStream: true}),
	}
}

func (g guard) unary(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	g.counts.malformed.Add(1)
	return nil, status.Error(codes.PermissionDenied, "this port takes frames of members only")
}

// errRefused marks what the guard itself refused and counted.
var errRefused = errors.New("refused")

func (g guard) stream(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
		switch _, transport := status.FromError(err); {
		case errors.Is(err, errRefused):
			err = status.Error(codes.PermissionDenied, err.Error())
		case err != nil && !transport: // not the end of a connection: a frame that cannot be read
			g.counts.malformed.Add(1)
			err = status.Error(codes.InvalidArgument, err.Error())
		}
	}()
	return next(srv, &guarded{s, g})
}

// guarded is a stream that fails at the first message that is not allowed.
type guarded struct {
	grpc.ServerStream
	guard guard
}

// RecvMsg is part of grpc.ServerStream.
func (s *guarded) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	why := ""
	switch msg := m.(type) {
	case *remote.RemoteMessage:
		why = s.guard.check(msg)
	default:
		why = "not a remote message"
	}
	if why == "" {
		return nil
	}
	s.guard.counts.malformed.Add(1)
	return fmt.Errorf("%w: %s", errRefused, why)
}

// check says why a message is not allowed, "" if it is.
func (g guard) check(m *remote.RemoteMessage) string {
	switch t := m.GetMessageType().(type) {
	case *remote.RemoteMessage_ConnectRequest:
		if t.ConnectRequest.GetServerConnection() == nil {
			return "not a connection of a node"
		}
		return ""
	case *remote.RemoteMessage_MessageBatch:
		return g.checkBatch(t.MessageBatch)
	}
	return "neither a handshake nor a batch"
}

func (g guard) checkBatch(b *remote.MessageBatch) string {
	for _, name := range b.GetTypeNames() {
		if name != frameType {
			return "type " + name
		}
	}
	for _, t := range b.GetTargets() {
		if t.GetId() != inboxName || t.GetRequestId() != 0 {
			return "target " + t.GetId()
		}
		t.Address = g.address() // as others know it differs, and a foreign one would be sent on
	}
	if len(b.GetSenders()) > 0 {
		return "a sender"
	}
	for _, e := range b.GetEnvelopes() {
		switch {
		case e == nil || e.Target < 0 || int(e.Target) >= len(b.Targets) || e.TypeId < 0 || int(e.TypeId) >= len(b.TypeNames):
			return "an index out of range"
		case e.Sender != 0 || e.SerializerId != 0 || e.TargetRequestId != 0 || e.SenderRequestId != 0 || e.MessageHeader != nil:
			return "an envelope that no node sends"
		}
	}
	return ""
}
