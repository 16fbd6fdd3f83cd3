// Package tuner proposes better policies from what was observed. It is pure:
// who uses it hands in what was counted, the policy in force and the time.
//
//	HostMetrics  what the callers of a fleet saw of a host in a window
//	Memory       what is usual for a host, and how long its outages last
//	Advise       HostMetrics, Memory and policy -> HostAdvice
package tuner
