package canary

import "math"

// stakes are the parts of its wealth that each bet puts at risk. They stand for
// changes of cost of different sizes: a small stake finds a small one.
var stakes = [...]float64{0.9, 0.3, 0.1, 0.03, 0.01}

// A Bet tests that the mean of what it is told is not above zero. The logarithms
// of the wealth of each stake, all 1 at first.
type Bet [len(stakes)]float64

// tell takes the next value, as a part of the lowest it could have been: at
// least -1.
func (b *Bet) tell(x float64) {
	x = max(x, -1)
	for i, stake := range stakes {
		b[i] = min(max(b[i]+math.Log1p(stake*x), -mostLog), mostLog)
	}
}

// mostLog bounds a logarithm of wealth; wealth of e^-200 is none.
const mostLog = 200

// wealth is the logarithm of the mean wealth.
func (b *Bet) wealth() float64 {
	top := b[0]
	for _, w := range b {
		top = max(top, w)
	}
	sum := 0.0
	for _, w := range b {
		sum += math.Exp(w - top)
	}
	return top + math.Log(sum/float64(len(b)))
}
