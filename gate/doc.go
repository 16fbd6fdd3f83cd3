// Package gate decides from local memory whether a call may be made.
//
// A key nobody complained about costs one table look-up and one counter: no
// lock, no message, no allocation. Failures go to the key's owner at once with
// the successes around them; what the owner announces comes back through Apply
// and is obeyed from then on. A gate also runs the machine locally for keys
// that failed here (the ring), so local calls stop before the owner answers
// and when it cannot. Precedence (DESIGN 1): policy off or shadow allows; then
// the view rejects or asks the owner; then the ring.
package gate
