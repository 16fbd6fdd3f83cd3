// Package outage learns how long outages of one host last, and from that how
// long a breaker should wait before it probes.
//
// An outage is never seen as a length, but as an interval: it ended after the
// last probe that failed and not after the first that was good. Estimate fits a
// log-normal distribution to such intervals. It must not be fed with how long
// our own breaker was open: that is never shorter than reset_timeout, and an
// estimate made of it only grows.
//
// ResetTimeout balances two costs: calls refused although the host is back,
// and probes of a host that is not. docs/studies/outages.md measures it on
// recorded outages.
package outage
