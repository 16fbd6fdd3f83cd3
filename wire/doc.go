// Package wire holds the messages nodes exchange. They are additive only: a
// field is never renumbered, retyped or reused, so that nodes of neighbouring
// versions understand each other.
//
// No instant travels, because instants of two machines must not be compared.
// What lies ahead travels as the nanoseconds that remain when the message is
// sent, what lies behind as an age; both may be negative, and a missing one
// means never. Deadlines carry their identity, setter and stamp, so that a
// receiver turns each into a deadline of its own clock once (DESIGN 2).
//
// wire.pb.go is generated and committed: make generate.
package wire
