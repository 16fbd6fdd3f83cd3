// Package actors gives each breaker an address and a mailbox. An actor
// translates messages into steps of a breaker.Machine and carries out the
// effects; no rule lives here. The mailbox serialises the steps, so that a
// breaker's state changes without locks.
package actors
