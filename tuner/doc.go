// Package tuner proposes better policies from what was observed. It is pure:
// who uses it hands in what was counted, the policy in force and the time.
//
//	HostMetrics  what the callers of a fleet saw of a host in a window
//	Memory       what is usual for a host, and how long its outages last
//	Advise       HostMetrics, Memory and policy -> HostAdvice
//
// A rule acts when its premise is probable enough (Settings.Sure) given what was
// counted, never because of a quotient of a few calls. Each can go both ways:
//
//	rate_multiplier    ×0.8 if more than 5 % of the calls are surely answered 429; +0.1
//	                   again if surely fewer than 2.5 % are
//	reset_timeout      by the square-root law from how long outages last, not from our own
//	                   opens; not below the median Retry-After
//	fail_max           the smallest that usual failures seldom reach, approached from below
//	                   if opens were false and from above if they were true
//	success_threshold  2, and trial_calls 1, if half of the probes or more surely fail after
//	                   the host first was back; back again if surely fewer than a quarter do
//
// A way up is taken only where the policy in force is lower than HostMetrics.Home, and a
// way down of success_threshold only where it is higher. What one member saw alone counts
// for less than what several saw, and no fail_max is changed on the word of fewer members
// than a trip needs witnesses. What looks like a case and is none becomes a note.
//
// Below it: detect finds changes, outage learns lengths, guard bounds what is enforced.
package tuner
