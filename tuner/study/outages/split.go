package outages

import (
	"cmp"
	"math"
	"slices"
)

// Sites that go down together are one host behind several names: near begins of
// two sites' outages lie within together seconds of each other.
const together = 150

// group is the sites of a recording that go down together; they stay in one
// part of the split, and are drawn together by the bootstrap.
type group []site

func (g group) ended() (n int) {
	for _, s := range g {
		n += s.ended()
	}
	return n
}

// groups joins sites when at least half of one's outages, and at least two,
// begin together with outages of the other. The one with the most outages is first.
func (r recording) groups() []group {
	of := make([]int, len(r.sites))
	for i := range of {
		of[i] = i
	}
	for i := range r.sites {
		for j := range i {
			if n := shared(r.sites[i], r.sites[j]); n >= 2 && 2*n >= min(len(r.sites[i].outages), len(r.sites[j].outages)) {
				from, to := of[i], of[j]
				for k := range of {
					if of[k] == from {
						of[k] = to
					}
				}
			}
		}
	}
	members := map[int]group{}
	for i, s := range r.sites {
		members[of[i]] = append(members[of[i]], s)
	}
	var list []group
	for _, g := range members {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b group) int {
		return cmp.Or(b.ended()-a.ended(), cmp.Compare(a[0].name, b[0].name))
	})
	return list
}

// shared counts the outages of the site with fewer that begin together with
// one of the other.
func shared(a, b site) (n int) {
	if len(a.outages) > len(b.outages) {
		a, b = b, a
	}
	for _, x := range a.outages {
		if slices.ContainsFunc(b.outages, func(y episode) bool { return math.Abs(x.begin-y.begin) < together }) {
			n++
		}
	}
	return n
}

// split deals the groups of a recording out: the one with the most outages to the
// table, the next to the tuning, and so on in turn. Lengths play no part.
func (r recording) split() (table, tuning []group) {
	for i, g := range r.groups() {
		if i%2 == 0 {
			table = append(table, g)
		} else {
			tuning = append(tuning, g)
		}
	}
	return table, tuning
}
