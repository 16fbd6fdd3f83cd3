package cluster

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// noPeers refuses every remote call: a cluster of one has no legitimate peer,
// and an unguarded actor port lets anybody stop actors or crash the process.
func noPeers() []grpc.ServerOption {
	refused := status.Error(codes.PermissionDenied, "this node is a cluster of one and takes no remote messages")
	return []grpc.ServerOption{
		grpc.StreamInterceptor(func(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
			return refused
		}),
		grpc.UnaryInterceptor(func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
			return nil, refused
		}),
	}
}
