package outages

import (
	"fmt"
	"strings"

	"fleetfuse/tuner/outage"
)

// The bar: tuned may cost so many times the best fixed policy.
const bar = 1.1

// cell is one data set at one price.
type cell struct {
	part    part
	price   float64
	wait    float64 // of the best fixed policy
	least   float64 // what it costs an outage, in seconds
	costs   []float64
	ratios  []band // of policies()
	backoff struct {
		best  backoff // up to 10 minutes, with hindsight
		ratio float64
		long  backoff // up to a day
		lower float64
	}
	free struct { // the best fixed wait without bounds
		wait, ratio float64
	}
	strict float64 // tuned against the best fixed, good probes free
}

const day = 24 * 3600.0

// cells replays a part at each price.
func cells(p part, prior outage.Prior) (list []cell) {
	long, inside := waits()
	var rules []func() rule
	for _, w := range long {
		rules = append(rules, fixed(w))
	}
	beyond := p.runAll(rules)
	fixes := beyond[:inside]
	short, far := backoffs(outage.MostWait.Seconds()), backoffs(day)
	shortBills, farBills := p.runAll(rulesOf(short)), p.runAll(rulesOf(far))
	for _, price := range prices {
		c := cell{part: p, price: price}
		by := pricing{probe: price}
		at, least := cheapest(fixes, by)
		c.wait, c.least = long[at], least/float64(p.outages)
		bills := p.policyBills(prior, price)
		for _, b := range bills {
			c.costs = append(c.costs, b.mean(by)/float64(p.outages))
		}
		c.ratios = ratios(fixes, bills, by)
		i, cost := cheapest(shortBills, by)
		c.backoff.best, c.backoff.ratio = short[i], cost/least
		i, cost = cheapest(farBills, by)
		c.backoff.long, c.backoff.lower = far[i], cost/least
		i, cost = cheapest(beyond, by)
		c.free.wait, c.free.ratio = long[i], cost/least
		by.failedOnly = true
		_, least = cheapest(fixes, by)
		c.strict = bills[atTuned].mean(by) / least
		list = append(list, c)
	}
	return list
}

func (p part) policyBills(prior outage.Prior, price float64) []bill {
	var rules []func() rule
	for _, one := range policies(prior) {
		rules = append(rules, one.rule(price))
	}
	bills := p.runAll(rules)
	for i, one := range policies(prior) {
		bills[i] = bills[i].times(one.calls)
	}
	return bills
}

// against is what the tuned policies cost, between outages and looking again, against the
// best fixed one, at each price.
func (p part) against(prior outage.Prior) (list [][2]float64) {
	fixes := p.allowed()
	for _, price := range prices {
		by := pricing{probe: price}
		_, least := cheapest(fixes, by)
		bills := p.policyBills(prior, price)
		list = append(list, [2]float64{bills[atTuned].mean(by) / least, bills[atInside].mean(by) / least})
	}
	return list
}

func (c cell) head() string { return fmt.Sprintf("| %s | %g s |", c.part.name, c.price) }

// ratioTable is the main table.
func ratioTable(all []cell) string {
	var b strings.Builder
	b.WriteString("| data set | price | best fixed | **tuned** | tuned, looks again | 60 s, gobreaker | resilience4j | seed advisor |\n|---|---|---|---|---|---|---|---|\n")
	for _, c := range all {
		fmt.Fprintf(&b, "%s %.0f s |", c.head(), c.wait)
		for _, r := range c.ratios[:atLate] {
			fmt.Fprintf(&b, " %v |", r)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// costTable has seconds an outage.
func costTable(all []cell) string {
	var b strings.Builder
	b.WriteString("| data set | price | best fixed | tuned | tuned, looks again | 60 s, gobreaker | resilience4j | seed advisor | tuned after an outage |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, c := range all {
		fmt.Fprintf(&b, "%s %.0f |", c.head(), c.least)
		for _, cost := range c.costs {
			fmt.Fprintf(&b, " %.0f |", cost)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// spaceTable has what other policies could reach: a backoff, and no upper bound.
func spaceTable(all []cell) string {
	var b strings.Builder
	b.WriteString("| data set | price | best backoff up to 10 min | against the best fixed | up to a day | against the best fixed | fixed without bounds | against the best fixed |\n|---|---|---|---|---|---|---|---|\n")
	for _, c := range all {
		fmt.Fprintf(&b, "%s %v | %.2f | %v | %.2f | %.0f s | %.2f |\n", c.head(), c.backoff.best, c.backoff.ratio, c.backoff.long, c.backoff.lower, c.free.wait, c.free.ratio)
	}
	return b.String()
}

// String says where a backoff begins and how it grows.
func (b backoff) String() string { return fmt.Sprintf("%.0f s × %g", b.first, b.multiplier) }

// robustTable has what the ratio of tuned becomes when one choice of the study is
// another.
func robustTable(all []cell, latest map[string][][2]float64) string {
	var b strings.Builder
	b.WriteString("| data set | price | as above | 60 s until the host's first outage is over | good probes free | outages end with the first good sample |\n|---|---|---|---|---|---|\n")
	for i, c := range all {
		fmt.Fprintf(&b, "%s %.2f | %.2f | %.2f | %.2f |\n", c.head(), c.ratios[atTuned].value, c.ratios[atLate].value, c.strict,
			latest[c.part.name][i%len(prices)][0])
	}
	return b.String()
}

// swappedTable has the ratios when the parts change their roles.
func swappedTable(names []string, swapped map[string][][2]float64) string {
	var b strings.Builder
	b.WriteString("| data set | price | tuned | tuned, looks again |\n|---|---|---|---|\n")
	for _, name := range names {
		for i, r := range swapped[name] {
			fmt.Fprintf(&b, "| %s | %g s | %.2f | %.2f |\n", name, prices[i], r[0], r[1])
		}
	}
	return b.String()
}
