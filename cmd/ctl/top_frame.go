package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// A frame is a picture with the room there is for it.
type frame struct {
	session *session
	picture picture
	now     time.Time
	live    bool // on a screen
	held    bool
	columns int // 0: as many as it takes
	rows    int
}

// ranked sorts breakers for top: open, half-open, then what only rings reject.
func ranked(list []api.Breaker) []api.Breaker {
	list = slices.Clone(list)
	if list == nil {
		list = []api.Breaker{}
	}
	rank := func(b api.Breaker) int {
		if b.Local {
			return -1
		}
		return severity(b.State)
	}
	slices.SortFunc(list, func(a, b api.Breaker) int {
		return cmp.Or(cmp.Compare(rank(b), rank(a)), cmp.Compare(a.Key, b.Key))
	})
	return list
}

// endless is more lines than there can be.
const endless = 1 << 30

// lines are the frame, as many as there is room for, none longer than it. Events
// have what the breakers leave, and a third of the room if they need it.
func (f frame) lines() []string {
	rows := f.rows
	if rows <= 0 {
		rows = endless
	}
	lines := f.head()
	room := max(rows-len(lines), 0)
	below := min(len(f.picture.events)+2, max(room/3, room-f.needed()))
	lines = slices.Concat(lines, f.breakers(room-below), f.events(below))
	return lines[:min(len(lines), rows)]
}

// head says how the fleet is.
func (f frame) head() []string {
	p, st := f.picture, f.picture.status
	at := p.at
	if f.live && p.err == nil && !f.held {
		at = f.now
	}
	first := fmt.Sprintf("node %s, %s", st.Node, moment(at))
	if f.held {
		first += "  HELD, space goes on"
	} else if f.live {
		first += "  q quits, space holds"
	}
	lines := []string{f.cut(first)}
	if p.err != nil {
		lines = append(lines, f.cut(fmt.Sprintf("NODE DOES NOT ANSWER since %s (%s); this is its last picture. %v", moment(p.since), ago(p.since, f.now), p.err)))
	}
	lines = append(lines, f.cut(memberWords(st.Members)), f.cut(f.counts()))
	store := "store: " + st.Store.Kind + " " + condition(st.Store, "NOT OK", f.now)
	if h := st.Shared; h != nil {
		store += "; shared: " + h.Where + " " + condition(h.StoreHealth, "DEGRADED", f.now)
	}
	lines = append(lines, f.cut(store))
	for _, text := range problemsOf(st, f.now) {
		lines = append(lines, f.cut("PROBLEM: "+text))
	}
	if silent := union(p.breakers.Partial, p.missing); len(silent) > 0 {
		lines = append(lines, f.cut(list(silent)+" did not answer: rings and events there are missing"))
	}
	for _, g := range p.gaps[max(0, len(p.gaps)-1):] {
		lines = append(lines, f.cut(gapText(g)))
	}
	return lines
}

// counts are those of the table: a node's status counts its own rings alone.
func (f frame) counts() string {
	n := map[string]int{}
	for _, b := range f.picture.breakers.Breakers {
		if b.Local {
			n["local"]++
		} else {
			n[b.State]++
		}
	}
	return fmt.Sprintf("breakers: %d open, %d half-open, %d local ring; %s known here",
		n[breaker.Open.String()], n[breaker.HalfOpen.String()], n["local"], count(f.picture.status.Hosts, "key"))
}

// memberWords counts the members by their states, and names those that are not
// well.
func memberWords(members []api.Member) string {
	alive := 0
	var others []string
	for _, m := range members {
		switch m.State {
		case api.MemberAlive:
			alive++
		case api.MemberLeft:
		default:
			others = append(others, m.Name+" "+m.State)
		}
	}
	text := "members: " + fmt.Sprint(alive) + " alive"
	if len(others) > 0 {
		text += "; NOT WELL: " + list(others)
	}
	return text
}

func union(a, b []string) []string {
	both := slices.Concat(a, b)
	slices.Sort(both)
	return slices.Compact(both)
}

var topHeader = []string{"KEY", "STATE", "LEFT", "REASON", "OWNER", "SINCE"}

// needed is how many lines the breakers take.
func (f frame) needed() int { return len(f.picture.breakers.Breakers) + 2 }

// breakers is the table, in so many lines at most.
func (f frame) breakers(room int) []string {
	list := ranked(f.picture.breakers.Breakers)
	if len(list) == 0 {
		return []string{"", f.cut("no breaker is open or half-open")}
	}
	hidden := 0
	if fits := room - 2; len(list) > fits {
		fits = max(fits-1, 0) // a line says how many there are more
		hidden = len(list) - fits
		list = list[:fits]
	}
	rows := make([][]string, len(list))
	for i, b := range list {
		rows[i] = f.row(b)
	}
	lines := append([]string{""}, f.columned(topHeader, rows)...)
	if hidden > 0 {
		lines = append(lines, f.cut(fmt.Sprintf("... and %d more: fleetfuse-ctl breaker show", hidden)))
	}
	return lines
}

func (f frame) row(b api.Breaker) []string {
	left, since, reason := "-", "-", orDash(b.Reason)
	if b.State == breaker.Open.String() {
		left = span(time.Duration(b.RemainingMS)*time.Millisecond - f.now.Sub(f.picture.at))
	}
	if b.Since != nil {
		since = strings.TrimSuffix(ago(*b.Since, f.now), " ago")
	}
	if b.Local {
		reason = "ring of " + list(b.LocalNodes)
	}
	if toothless(b) {
		reason += ", mode " + b.Mode
	}
	return []string{b.Key, b.State, left, reason, orDash(b.Owner), since}
}

// columned writes rows in columns. Where they do not fit the key gives way, then
// the reason; the state is coloured when the widths are known.
func (f frame) columned(header []string, rows [][]string) []string {
	widths := make([]int, len(header))
	total := 2 * (len(header) - 1)
	for i := range header {
		for _, row := range append([][]string{header}, rows...) {
			row[i] = printable(row[i])
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
		total += widths[i]
	}
	const key, state, reason = 0, 1, 3
	for _, i := range []int{key, reason} {
		if over := total - f.columns; f.columns > 0 && over > 0 {
			give := min(over, max(widths[i]-16, 0))
			widths[i] -= give
			total -= give
		}
	}
	var lines []string
	for _, row := range append([][]string{header}, rows...) {
		var b strings.Builder
		used := 0
		for i, cell := range row {
			cell = shortened(cell, widths[i])
			if f.columns > 0 && used+utf8.RuneCountInString(cell) > f.columns {
				break
			}
			used += widths[i] + 2
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
			if i == state {
				cell = f.session.paint(cell)
			}
			b.WriteString(cell + pad)
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return lines
}

// events are the latest, the last at the end, in so many lines at most.
func (f frame) events(room int) []string {
	list := f.picture.events
	lines := []string{"", f.cut("LATEST EVENTS (UTC)")}
	if len(list) == 0 {
		lines[1] = f.cut("nothing happened yet")
	}
	for _, e := range list[max(0, len(list)-max(room-2, 0)):] {
		row := eventRow(e)
		lines = append(lines, f.cut(fmt.Sprintf("%s  %s  %s  %s", e.Time.UTC().Format("15:04:05"), row[1], row[2], row[3])))
	}
	return lines[:min(len(lines), max(room, 0))]
}

// cut makes a line printable and lets it end where the room does.
func (f frame) cut(line string) string {
	line = strings.TrimRight(printable(line), " ")
	if f.columns <= 0 {
		return line
	}
	return shortened(line, f.columns)
}

// shortened is a text in at most so many columns; "~" says that there is more.
func shortened(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	runes := []rune(text)
	if width <= 1 {
		return string(runes[:max(width, 0)])
	}
	return string(runes[:width-1]) + "~"
}
