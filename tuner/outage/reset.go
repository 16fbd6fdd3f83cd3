package outage

import (
	"math"
	"time"
)

// Limits of what ResetTimeout answers.
const (
	Shortest = 15 * time.Second
	Widest   = 10 * time.Minute
)

// Price is what one probe of a host that is down costs, in seconds of a host that is
// up and not called.
type Price float64

// UsualPrice is the price where nobody set one.
const UsualPrice Price = 10

// ResetTimeout answers how long a breaker should stay open before it probes.
// With a wait R an outage of length D costs about D/R probes, and half of R in
// which the host is back and not called; the sum price·D/R + R/2 is least at
// sqrt(2·price·E[D]).
//
// Source: the square-root law of Young, A first order approximation to the optimum
// checkpoint interval, 1974, and of Harris' economic order quantity, 1913.
func ResetTimeout(e Estimate, price Price, floor time.Duration) time.Duration {
	mean, _, _ := e.Mean()
	wait := math.Sqrt(2 * within(float64(price), 0, 1e6) * mean.Seconds())
	return max(min(max(time.Duration(wait*float64(time.Second)), Shortest), Widest), floor)
}
