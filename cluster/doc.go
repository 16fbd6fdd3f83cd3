// Package cluster knows who is alive, finds the actor that owns a key, and
// carries frames between nodes. It decides nothing about breakers.
//
// Who is alive comes from hashicorp/memberlist (membership.go, roster.go). A
// member is a node id with an epoch. A node that vanished without a word is
// given up with its epoch: when it returns it is told so, drops its actors,
// raises its epoch and is a member again, in the same process. Seeds that are
// not live are joined again and again, because memberlist alone never heals a
// long partition.
//
// One goroutine, the loop, owns all of that. Callbacks of memberlist only leave
// a note for it: they run under memberlist's lock.
//
// Frames travel over protoactor's remoting, from an outbox for each member
// (outbox.go) through a guard that takes nothing else (guard.go) into the inbox
// (inbox.go). A member that hangs costs only the frames that were meant for it.
//
// protoactor's cluster is a shell here: the provider and the identity lookup
// are ours, because the stock ones were measured to fail under pauses and
// partitions (docs/adr/0003). It is handed the topology and never asked for it.
package cluster
