package simulation

import "math/bits"

// trace sums up everything that happened, in its order. Two runs with the same
// sum went the same way.
type trace struct {
	a, b  uint64
	story func(format string, args ...any) // nil: nobody wants to read it
}

// note adds what happened: a code, and numbers that say what.
func (t *trace) note(code uint64, x, y, z uint64) {
	t.a = mix(t.a^x, t.b^0x9e3779b97f4a7c15^code)
	t.b = mix(t.b^y, t.a^0xbf58476d1ce4e5b9^z)
}

// text adds a string.
func (t *trace) text(s string) {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	t.note(codeText, h, uint64(len(s)), 0)
}

func mix(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x|1, y|1)
	return hi ^ lo ^ x
}

// What is noted.
const (
	codeText uint64 = iota
	codeDecision
	codeOutcome
	codeMessage
	codeTransition
	codeFault
	codeWord
	codePlace
)
