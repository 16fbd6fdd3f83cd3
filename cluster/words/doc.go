// Package words holds the rules by which an operator's word (an open, a close) or a
// change of a policy is carried out: whom to ask, what an answer or silence means,
// when to ask again, when to give up (DESIGN 4, ADR 10). It is pure, and asks
// nobody itself: package node and package actors drive it with goroutines that
// wait, a simulation with events.
//
//   - After says what comes of a word that its owner was asked to carry out.
//   - A Holding has one other member hold what is carried out, or finds out that it
//     may not be. Refuses and News are the rules of that member.
//   - Committed are words that wait for another member, for what is written meanwhile.
//   - A Laying is a change of a policy, from what is known to what is in force.
package words

import "time"

// Limits of a word.
const (
	// WordLimit is how long the owner is waited for: its word waits for two disks.
	// ActorLimit is how long this node's own actor is, where that is the owner.
	WordLimit  = 6 * time.Second
	ActorLimit = 5 * time.Second
	// DecideLimit is how long members that disagree about who owns a key are asked in
	// turn, HandOver how long an owner that has just changed is given before.
	DecideLimit = 3 * WordLimit
	HandOver    = 50 * time.Millisecond
	// CommitLimit is how long it may take to commit it, here and on another member.
	CommitLimit = 3 * time.Second
	// Holders is how many members are asked to hold it, one after the other, until one
	// does, HoldLimit for how long each of them, WhileBusy how long one is given that
	// decides about the key itself.
	Holders   = 3
	HoldLimit = 2 * time.Second
	WhileBusy = 20 * time.Millisecond
	// MaxStale is how often a change is made at most: anew, because another owner, who is
	// none any more or not yet, made one meanwhile.
	MaxStale = 5
)
