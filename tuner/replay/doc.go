// Package replay asks what a host's calls would have cost under another policy,
// before that policy is put in force.
//
// The calls of a window, those that were made and those that were rejected, are
// played through breaker.Machine, once under the policy in force and once under
// the proposed one. What became of a call that was made is known. What would
// have become of one that was rejected is imputed, in three ways (Imputation),
// and a proposal must hold in the pessimistic one.
//
//	Tape ─▶ calls ─▶ Machine under old, proposed ─▶ Result of each imputation
//	                                            └─▶ difference by episode ─▶ interval ─▶ Verdict
//
// It is deterministic: the same Case always gives the same Comparison, so that
// a decision can be shown and run again. It is bounded: MaxRecords and
// MaxBlocked, and a replay is one pass over the calls.
package replay
