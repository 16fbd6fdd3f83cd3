// Package cluster knows who is alive and finds the actor that owns a key.
//
// protoactor's cluster is only a shell here: the provider and the identity
// lookup are ours, because the stock ones were measured to fail under pauses
// and partitions (docs/adr/0003). In this version a cluster has one member.
package cluster
