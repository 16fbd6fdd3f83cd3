package rollup

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// Window is the sum of the buckets of the last so much time before the latest
// close, by series, the busiest key first. Beyond Limits.Fine it is exact to
// the minute.
func (t *Table) Window(length time.Duration) []Row {
	var rows []Row
	for key := range t.keys {
		rows = append(rows, t.windowOf(key, length)...)
	}
	byTraffic(rows)
	return rows
}

// WindowOf is Window for one key.
func (t *Table) WindowOf(key breaker.Key, length time.Duration) []Row {
	rows := t.windowOf(key, length)
	byTraffic(rows)
	return rows
}

func (t *Table) windowOf(key breaker.Key, length time.Duration) (rows []Row) {
	known := t.keys[key]
	if known == nil {
		return nil
	}
	after := t.last - Bucket((length+Width-1)/Width)
	for role, l := range known.roles {
		row := Row{Series: Series{key, role}}
		if l.sum(after, &row.Counts); !row.Empty() {
			rows = append(rows, row)
		}
	}
	return rows
}

// A Span is the counts of one series in a bucket or, where it is old, in the
// minute that begins with the bucket.
type Span struct {
	Row
	At    Bucket
	Width time.Duration
}

// Spans lists what the table remembers of a key, the oldest first.
func (t *Table) Spans(key breaker.Key) (list []Span) {
	known := t.keys[key]
	if known == nil {
		return nil
	}
	for role, l := range known.roles {
		for i := range l.list {
			s := Span{Row: Row{Series: Series{key, role}}, At: l.list[i].at, Width: Width}
			if l.list[i].minute {
				s.Width = BucketsPerMinute * Width
			}
			s.addText(l.list[i].counts)
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b Span) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Role, b.Role)) })
	return list
}

// A Report is one node's window.
type Report struct {
	Node string
	Rows []Row
}

// A Fleet is the sum of several nodes' windows.
type Fleet struct {
	Rows    []Row    // the busiest key first
	Nodes   []string // whose counts are in it, sorted
	Missing []string // the members that did not report, sorted
	Reports []Report // as they came, of Nodes
}

// Merge adds the windows of the members of a fleet, told apart as in a table
// for so many hosts (0: its default). A second report of one node is not
// counted, nor is one of a node that is no member.
func Merge(reports []Report, members []string, hosts int) Fleet {
	var f Fleet
	sums, traffic := map[Series]*Counts{}, map[breaker.Key]uint64{}
	for i := range reports {
		if r := &reports[i]; slices.Contains(members, r.Node) && !slices.Contains(f.Nodes, r.Node) {
			f.Nodes, f.Reports = append(f.Nodes, r.Node), append(f.Reports, *r)
			for k := range r.Rows {
				addTo(sums, r.Rows[k].Series, &r.Rows[k].Counts)
				traffic[r.Rows[k].Key] += r.Rows[k].Traffic()
			}
		}
	}
	for _, m := range members {
		if !slices.Contains(f.Nodes, m) && !slices.Contains(f.Missing, m) {
			f.Missing = append(f.Missing, m)
		}
	}
	slices.Sort(f.Nodes)
	slices.Sort(f.Missing)
	f.Rows = rowsOf(told(sums, traffic, NewTable(Limits{Hosts: hosts}).limits.Hosts))
	byTraffic(f.Rows)
	return f
}

// told keeps the busiest keys apart and makes OtherName of the rest.
func told(sums map[Series]*Counts, traffic map[breaker.Key]uint64, hosts int) map[Series]*Counts {
	for key := range traffic {
		if (Series{Key: key}).IsOther() {
			delete(traffic, key)
		}
	}
	kept := busiest(traffic, hosts)
	result := make(map[Series]*Counts, len(sums))
	for s, c := range sums {
		if !kept[s.Key] && !s.IsOther() {
			s = s.Other()
		}
		addTo(result, s, c)
	}
	return result
}

func addTo(sums map[Series]*Counts, s Series, c *Counts) {
	if sums[s] == nil {
		sums[s] = &Counts{}
	}
	sums[s].Add(c)
}
