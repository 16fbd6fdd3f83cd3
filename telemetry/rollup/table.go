package rollup

import (
	"maps"
	"time"

	"fleetfuse/breaker"
)

// Limits of a Table. Zero fields have their defaults.
type Limits struct {
	// Hosts is how many keys are told apart; the rest is OtherName. Default 2,000.
	Hosts int
	// Keep is how far back the table remembers. Default 1 h.
	Keep time.Duration
	// Fine is how far back it remembers in buckets; older ones are joined to
	// minutes. Default 600 s, the tuner's window.
	Fine time.Duration
}

// maxRoles bounds the roles of one key: those of a gate.
const maxRoles = 9

// A Table keeps the counts of one node for the last hour. It is not safe for
// concurrent use.
type Table struct {
	limits Limits
	last   Bucket // the latest that was closed
	open   map[Series]*Counts
	keys   map[breaker.Key]*remembered
}

// remembered is what a table keeps of one key.
type remembered struct {
	roles   map[string]*line
	traffic uint64 // of all its lines
}

// NewTable returns an empty table.
func NewTable(l Limits) *Table {
	if l.Hosts <= 0 {
		l.Hosts = 2000
	}
	if l.Keep <= 0 {
		l.Keep = time.Hour
	}
	if l.Fine <= 0 {
		l.Fine = 600 * time.Second
	}
	return &Table{limits: l, open: map[Series]*Counts{}, keys: map[breaker.Key]*remembered{}}
}

// Add counts something in the open bucket. Keys that the table does not know
// yet are bounded here already: where four times as many as it can hold came
// in one bucket the least busy of them become OtherName.
func (t *Table) Add(s Series, c *Counts) {
	if have := t.open[s]; have != nil {
		have.Add(c)
		return
	}
	fresh := *c
	t.open[s] = &fresh
	if len(t.open) > 4*maxRoles*t.limits.Hosts || len(t.open) > 4*t.limits.Hosts && len(t.open)%t.limits.Hosts == 0 {
		t.thin()
	}
}

// thin makes the least busy new keys of the open bucket OtherName, so that as
// many new ones stay as the table can hold.
func (t *Table) thin() {
	traffic := map[breaker.Key]uint64{}
	for s, c := range t.open {
		if t.keys[s.Key] == nil && !s.IsOther() {
			traffic[s.Key] += c.Traffic()
		}
	}
	kept := busiest(traffic, t.limits.Hosts)
	for s, c := range maps.Clone(t.open) {
		if _, fresh := traffic[s.Key]; fresh && !kept[s.Key] {
			delete(t.open, s)
			t.put(s.Other(), c)
		}
	}
}

// Open is how many series the open bucket has.
func (t *Table) Open() int { return len(t.open) }

// put adds to the open bucket without a look at its bound.
func (t *Table) put(s Series, c *Counts) {
	if have := t.open[s]; have != nil {
		have.Add(c)
	} else {
		t.open[s] = c
	}
}

// Close ends the open bucket, which lay before the bucket next, and returns what
// was counted in it, the busiest first: the rows for the disk, with the bucket
// they are of. A clock that went back makes it the same bucket again, unless it went
// back by all that is remembered: it stood ahead before, and what was counted then is
// forgotten, for nobody could tell what is new beside it.
func (t *Table) Close(next Bucket) (Bucket, []Row) {
	if next-1 <= t.last-Bucket(t.limits.Keep/Width) {
		t.last, t.keys = next-1, map[breaker.Key]*remembered{}
	}
	t.last = max(t.last, next-1)
	for s, c := range t.open {
		if !c.Empty() {
			t.remember(s, c)
		}
	}
	t.forget()
	t.bound()
	rows := t.closed()
	t.open = map[Series]*Counts{}
	byTraffic(rows)
	return t.last, rows
}

// closed lists the open bucket, as far as its keys are told apart.
func (t *Table) closed() []Row {
	sums := map[Series]*Counts{}
	for s, c := range t.open {
		if c.Empty() {
			continue
		}
		key := t.keys[s.Key]
		switch {
		case key == nil:
			s = s.Other()
		case key.roles[s.Role] == nil:
			s.Role = ""
		}
		if sums[s] == nil {
			sums[s] = &Counts{}
		}
		sums[s].Add(c)
	}
	return rowsOf(sums)
}

func rowsOf(sums map[Series]*Counts) []Row {
	rows := make([]Row, 0, len(sums))
	for s, c := range sums {
		rows = append(rows, Row{s, *c})
	}
	return rows
}

// remember adds counts of the last bucket to a series.
func (t *Table) remember(s Series, c *Counts) {
	key := t.key(s.Key)
	l := key.line(s.Role)
	l.add(stamped{at: t.last, minute: false}, c)
	key.traffic += c.Traffic()
}

func (t *Table) key(k breaker.Key) *remembered {
	key := t.keys[k]
	if key == nil {
		key = &remembered{roles: map[string]*line{}}
		t.keys[k] = key
	}
	return key
}

// line is that of a role, of the nameless one where there are too many.
func (r *remembered) line(role string) *line {
	if l := r.roles[role]; l != nil {
		return l
	}
	if len(r.roles) >= maxRoles && role != "" {
		return r.line("")
	}
	l := &line{}
	r.roles[role] = l
	return l
}

// forget drops what is too old and joins what is not young to minutes.
func (t *Table) forget() {
	oldest, fine := t.last-Bucket(t.limits.Keep/Width), t.last-Bucket(t.limits.Fine/Width)
	for name, key := range t.keys {
		for role, l := range key.roles {
			key.traffic -= l.forget(oldest)
			l.join(fine)
			if len(l.list) == 0 {
				delete(key.roles, role)
			}
		}
		if len(key.roles) == 0 {
			delete(t.keys, name)
		}
	}
}

// bound makes OtherName of the keys with the least traffic beyond the limit.
func (t *Table) bound() {
	traffic := make(map[breaker.Key]uint64, len(t.keys))
	for name, key := range t.keys {
		if !(Series{Key: name}).IsOther() {
			traffic[name] = key.traffic
		}
	}
	if len(traffic) <= t.limits.Hosts {
		return
	}
	kept := busiest(traffic, t.limits.Hosts)
	for name := range traffic {
		if kept[name] {
			continue
		}
		gone := t.keys[name]
		delete(t.keys, name)
		for role, l := range gone.roles {
			into := Series{name, role}.Other()
			key := t.key(into.Key)
			key.line(into.Role).merge(l)
		}
		t.key(Series{Key: name}.Other().Key).traffic += gone.traffic
	}
}
