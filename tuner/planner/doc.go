// Package planner is what the one tuner of a fleet knows and decides: what is
// usual for each host, the plans it made, the changes that are on trial, and the
// ledger of what was done. It is pure; the tuner's actor steps it.
//
//	Observe   buckets of counts -> what is usual
//	Advise    what was seen in a window, and policies -> advice
//	Draw      advice and proofs -> a Plan that says what would be done, and why not
//	Keep      a Plan that may be enforced, for ten minutes
//	Enforce   the Plan's id -> Orders, to be carried out
//	Enforced  what became of them -> Records, to be kept by all members
//	Judge     how changes on trial do -> Orders that undo or extend them
//	Recall    Records of earlier tuners -> ledger and trials as they left them
package planner
