// Package bubbles runs whole nodes - actors, memberlist, gRPC, HTTP - in virtual
// time: each fleet lives in a testing/synctest bubble, on a network in memory.
// TestBubbles patches the network of protoactor and of the node's HTTP in and
// runs TestSeeds, which has the build tag bubble. BUBBLES_SEEDS, BUBBLES_FIRST
// and BUBBLES_MINUTES say what is run, BUBBLES_LOG is a file for what the nodes
// log, BUBBLES_PLANTS=1 has planted defects found.
//
// Here too are the histories that bubbles and real fleets record, and what
// checks them afterwards.
package bubbles
