// Package detect finds change points in what a host does, one value at a
// time, and keeps a baseline between them.
//
// The detectors share one shape: Update takes the next value and answers
// whether a change is now certain enough to be told, and how many values ago
// the new stretch began (0: with this value). A change is told once; the
// detector then goes on from the new stretch. What is not a number is passed
// over, and values beyond ±1e100 count as ±1e100, so that no input makes a
// state infinite.
//
//	BOCPD        Bayesian online detection with pruned run lengths; levels or trends
//	CUSUM        two-sided cumulative sums, self-starting
//	PageHinkley  two-sided test against the running mean
//	Chart        exponentially weighted moving average against its limits
//	Bernoulli    two-sided cumulative sums for counts of failures
//	EWMA         mean and variance with exponential forgetting; detects nothing
//
// ShareBaseline (failures, 429s) puts them together: what is usual for one host and
// signal since its last change. LatencyBaseline tells when a latency changed. No state
// holds a pointer or a slice, and each is at most 2 KB.
package detect
