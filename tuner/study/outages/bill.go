package outages

import "sync"

// The ends of all outages of a part are drawn until there are so many lengths, but at least
// leastDraws times.
const (
	lengths    = 4000
	leastDraws = 10
)

// part is a part of a recording: its groups, with the ends of their outages
// drawn often enough.
type part struct {
	name    string
	outages int           // with an end
	groups  [][][]stretch // of each group, for each draw, site after site
	sites   []int         // in each group
}

// newPart draws the ends; it is not ok if nothing ended.
func newPart(name string, groups []group, by ends) (p part, ok bool) {
	p.name = name
	for _, g := range groups {
		p.outages += g.ended()
	}
	if p.outages == 0 {
		return p, false
	}
	draws := max(leastDraws, lengths/p.outages)
	for _, g := range groups {
		p.sites = append(p.sites, len(g))
		var all [][]stretch
		for n := range draws {
			for _, s := range g {
				all = append(all, draw(s, n, by))
			}
		}
		p.groups = append(p.groups, all)
	}
	return p, true
}

// bill is what one policy spent on a part, for each draw and group.
type bill [][]spent

// run replays the part with a fresh rule for each site.
func (p part) run(fresh func() rule) bill {
	var b bill
	for g, all := range p.groups {
		n := p.sites[g]
		for i := 0; i < len(all); i += n {
			if i/n == len(b) {
				b = append(b, make([]spent, len(p.groups)))
			}
			for _, host := range all[i : i+n] {
				b[i/n][g] = b[i/n][g].plus(replay(host, fresh()))
			}
		}
	}
	return b
}

// runAll replays the part with each policy, two at a time.
func (p part) runAll(fresh []func() rule) []bill {
	all := make([]bill, len(fresh))
	var wait sync.WaitGroup
	for half := range 2 {
		wait.Go(func() {
			for i := half; i < len(fresh); i += 2 {
				all[i] = p.run(fresh[i])
			}
		})
	}
	wait.Wait()
	return all
}

// mean is the cost of all outages of the part, averaged over the draws.
func (b bill) mean(p pricing) (sum float64) {
	for _, groups := range b {
		for _, s := range groups {
			sum += p.of(s)
		}
	}
	return sum / float64(len(b))
}

// cheapest is the index of the bill that is least, and what it comes to.
func cheapest(all []bill, p pricing) (best int, cost float64) {
	for i, b := range all {
		if c := b.mean(p); i == 0 || c < cost {
			best, cost = i, c
		}
	}
	return best, cost
}
