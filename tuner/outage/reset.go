package outage

import (
	"math"
	"time"
)

// Limits of what ResetTimeout answers, but for the floor.
const (
	LeastWait = 15 * time.Second
	MostWait  = 10 * time.Minute
)

// mostFloor is the longest reset_timeout a policy may have.
const mostFloor = 24 * time.Hour

// Price is what one probe of a host that is down costs, in seconds in which a host is
// up and not called. 0 to 1,000,000; anything else counts as the nearest of them.
type Price float64

// UsualPrice is the price where nobody set one.
const UsualPrice Price = 10

// ResetTimeout answers how long a breaker of the host should stay open before it
// probes: LeastWait to MostWait, and never less than floor (the Retry-After the host
// is asking for, if any; at most 24 h). It can be asked before the host's first
// outage and should be: the prior is worth more than a fixed wait.
//
// With a wait R an outage of length D takes about D/R probes, and the host is back and not
// called for about R/2. price·E[D]/R + R/2 is least at R = sqrt(2·price·E[D]).
// Being wrong costs little: twice the best R, or half of it, costs a quarter more.
//
// Source: the square-root law of Young, A first order approximation to the optimum
// checkpoint interval, 1974, and of Harris' economic order quantity, 1913.
func ResetTimeout(e Estimate, price Price, floor time.Duration) time.Duration {
	mean, _, _ := e.Mean()
	wait := math.Sqrt(2 * within(float64(price), 0, 1e6) * mean.Seconds())
	bounded := min(max(time.Duration(wait*float64(time.Second)), LeastWait), MostWait)
	return max(bounded, min(floor, mostFloor))
}
