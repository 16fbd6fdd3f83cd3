// Package travel turns what nodes say to each other into its wire form and
// back. Instants become durations when a message departs and instants of the
// receiver's clock when it arrives, so no deadline depends on two clocks; what
// a peer says is held to limits. It is pure: package cluster carries frames over
// a network, a simulation over a simulated one.
package travel
