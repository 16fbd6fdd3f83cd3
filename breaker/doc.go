// Package breaker decides, as a pure machine, whether a call may be made.
//
// A Machine is handed Outcomes, Questions and Moments and returns Effects. It
// has no goroutine, reads no clock, does no I/O and draws no random number, so
// the same steps always give the same result. Package actors gives each
// machine an address and a mailbox; package gate runs one locally for a key
// that failed here.
//
// A breaker remembers three things that are kept apart (DESIGN 2): cooldowns,
// deadlines nobody may undercut; the circuit, opened by counted failures; and
// its policy. A call is rejected while a cooldown is active or the circuit is
// open; when they ran out the breaker is half-open:
//
//	          a rule fired, a cooldown was set
//	closed ────────────────────────────────────▶ open
//	   ▲                                         ▲  │
//	   │ probes succeeded          probes failed │  │ ran out
//	   │                                         │  ▼
//	   └──────────────────────────────────── half-open
//
// The transcripts in testdata are the readable specification:
// go test ./breaker -update rewrites them.
package breaker
