package telemetry

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner"
)

// HostMetrics is what the tuner is told of a window that ends now: of each key the
// sums of all nodes, and the times that its breaker opened. The busiest key comes
// first. What is beyond a bound of the rollups (rollup.OtherName) is no host and is
// left out.
//
// Of the events those of the kinds transition, operator and probe are looked at, in
// any order; one that is there twice, or was logged by two owners, counts once. An
// open counts if any of it lies in the window. Where its begin is not among the events
// it is one of Earlier: how long an outage lasted is not known without that, so hand
// in events from well before the window.
func HostMetrics(f rollup.Fleet, events []api.Event, window time.Duration, now time.Time) []tuner.HostMetrics {
	by := map[breaker.Key]*tuner.HostMetrics{}
	sums := map[breaker.Key]*rollup.Counts{}
	of := func(key breaker.Key) *tuner.HostMetrics {
		if by[key] == nil {
			by[key] = &tuner.HostMetrics{Key: key, Window: max(window, 0), Missing: slices.Clone(f.Missing), Members: len(f.Nodes) + len(f.Missing)}
			sums[key] = &rollup.Counts{}
		}
		return by[key]
	}
	for i := range f.Rows {
		row := &f.Rows[i]
		if row.IsOther() {
			continue
		}
		m := of(row.Key)
		m.Roles = append(m.Roles, tuner.RoleMetrics{Role: row.Role, Counts: observed(&row.Counts)})
		sums[row.Key].Add(&row.Counts)
	}
	for i := range f.Reports {
		byNode(&f.Reports[i], by)
	}
	found, earlier := opensOf(events, now.Add(-max(window, 0)), now)
	for key, opens := range found {
		of(key).Opens = opens
	}
	for key, opens := range earlier {
		if m := by[key]; m != nil { // else nobody called it in the window
			m.Earlier = opens
		}
	}
	list := make([]tuner.HostMetrics, 0, len(by))
	for key, m := range by {
		m.All, m.RetryAfter = observed(sums[key]), waitsOf(&sums[key].RetryAfter)
		m.Roles = toldApart(m.Roles)
		list = append(list, *m)
	}
	slices.SortFunc(list, func(a, b tuner.HostMetrics) int {
		return cmp.Or(cmp.Compare(sums[b.Key].Traffic(), sums[a.Key].Traffic()), cmp.Compare(a.Key, b.Key))
	})
	return list
}

// byNode adds what one node reported to the hosts it is of. One that only rejected
// calls, or answered them from a cache, saw nothing of the host.
func byNode(r *rollup.Report, by map[breaker.Key]*tuner.HostMetrics) {
	sums := map[breaker.Key]*rollup.Counts{}
	for i := range r.Rows {
		row := &r.Rows[i]
		if sums[row.Key] == nil {
			sums[row.Key] = &rollup.Counts{}
		}
		sums[row.Key].Add(&row.Counts)
	}
	for key, c := range sums {
		m := by[key]
		if m == nil {
			continue
		}
		counts := observed(c)
		m.ByNode = append(m.ByNode, tuner.NodeCounts{Node: r.Node, Counts: counts})
		if counts.Net() > 0 {
			m.Nodes = append(m.Nodes, r.Node)
		}
	}
}

// toldApart sorts roles. Those of a key that is called without a role only are
// none.
func toldApart(roles []tuner.RoleMetrics) []tuner.RoleMetrics {
	if !slices.ContainsFunc(roles, func(r tuner.RoleMetrics) bool { return r.Role != "" }) {
		return nil
	}
	slices.SortFunc(roles, func(a, b tuner.RoleMetrics) int { return cmp.Compare(a.Role, b.Role) })
	return roles
}

// observed are the counts in the tuner's words.
func observed(c *rollup.Counts) tuner.Counts {
	t := tuner.Counts{
		Successes: c.Successes, Neutral: c.Neutral, FromCache: c.FromCache,
		Limited: c.Failures[rollup.Status429], Server: c.Failures[rollup.Status5xx], Timeouts: c.Failures[rollup.Timeout],
		ProbesOK: c.ProbesOK, ProbesFailed: c.ProbesFailed, Rejected: c.RejectedAll(), LongestRun: c.LongestRun,
	}
	t.Unavailable = min(c.Unavailable, t.Server)
	t.Other = c.Failed() - t.Limited - t.Server - t.Timeouts
	return t
}

// waitsOf lists what a host asked for, the shortest first.
func waitsOf(r *rollup.RetryAfters) (list []tuner.Wait) {
	for _, w := range r {
		if w.Count > 0 {
			list = append(list, tuner.Wait{Length: time.Duration(w.Seconds) * time.Second, Count: w.Count})
		}
	}
	return list
}
