// Package guard keeps what the tuner enforces within bounds, however wrong
// the tuner is about a host. It holds two things that know nothing of each
// other's reasons:
//
//   - Bounds, the values a field may take and how far one change may move it.
//     Clamp brings any proposal within them, whatever the input.
//   - the Ledger of what was enforced, rolled back and reset. May says whether
//     one more change is allowed now.
//
// A change must pass both; May asks Clamp again, so that it alone suffices as
// the last gate before a change is enforced. What May refuses, in this order:
//
//	invalid   no number, no field of ours, or beyond the bounds
//	frozen    two changes of the host were rolled back
//	hold      the host was changed, rolled back or reset a moment ago
//	dead-band the change is too small to be worth one
//	budget    the host, or the fleet, had its changes for the day
//	evidence  too little speaks for it; against the last move of the same
//	          field it takes twice as much
//
// The ledger is rebuilt from Records. They are read in any order and more than
// once: each part of it is a maximum or the newest few of a set, so neither
// matters. They carry wall time, which may step: a record from the future
// blocks no longer than MaxLead and what it would block anyway.
package guard
