//go:build race

package cluster

// raceEnabled says that the race detector is on: protoactor's remoting sets
// gRPC's logger at every start, which races with every node that runs already.
const raceEnabled = true
