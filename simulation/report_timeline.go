package simulation

import (
	"fmt"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// textColumns are the columns of a timeline as text: two buckets each.
const textColumns = 60

// letters of the modes and the states.
const modeLetters = ".DLBFSP"

func stateLetter(s breaker.State) byte {
	switch s {
	case breaker.Open:
		return 'O'
	case breaker.HalfOpen:
		return 'h'
	}
	return '.'
}

func timeline(b *strings.Builder, r *Report) {
	end := time.Duration(r.Length + r.Quiet)
	column := end / textColumns
	fmt.Fprintf(b, "\nTIMELINE, %v a column; at | all faults are put right\n", column.Round(100*time.Millisecond))
	fmt.Fprintf(b, "%-17s %s\n", "", marks(r, column))
	fmt.Fprintf(b, "%-17s %s\n", "sent, succeeded", bars(r.Timeline, func(t Tally) uint64 { return t.Succeeded }))
	fmt.Fprintf(b, "%-17s %s\n", "sent, failed", bars(r.Timeline, func(t Tally) uint64 { return t.Failed }))
	if r.Figures.Neutral > 0 {
		fmt.Fprintf(b, "%-17s %s\n", "sent, neutral", bars(r.Timeline, func(t Tally) uint64 { return t.Neutral }))
	}
	fmt.Fprintf(b, "%-17s %s\n", "not sent", bars(r.Timeline, func(t Tally) uint64 { return t.Rejected }))
	r.Store.lanes(b, column)
	calm, hidden := 0, 0
	for i := range r.Hosts {
		h := &r.Hosts[i]
		switch {
		case h.eventful() == 0:
			calm++
		case i >= maxTextHosts:
			hidden++
		default:
			fmt.Fprintf(b, "%s\n", short(h.Name, 78))
			fmt.Fprintf(b, "  %-15s %s\n", "host", h.modes(column))
			fmt.Fprintf(b, "  %-15s %s\n", "breaker", h.states(column))
		}
	}
	if calm > 0 {
		fmt.Fprintf(b, "nothing happened to %d other %s\n", calm, plural(calm, "host"))
	}
	if hidden > 0 {
		fmt.Fprintf(b, "and %d more %s: -o json has them\n", hidden, plural(hidden, "host"))
	}
}

// legend explains the letters of a timeline.
const legend = `calls: 1-9 tenths of those wanted, # nearly all
host: . healthy  D down  L limiting (429)  B brown-out  F flapping  S slow
      P portal (404 for all)
breaker: . closed  O open  h half-open
`

// marks shows where the quiet part begins.
func marks(r *Report, column time.Duration) string {
	line := []byte(strings.Repeat(" ", textColumns))
	line[min(int(time.Duration(r.Length)/column), textColumns-1)] = '|'
	return strings.TrimRight(string(line), " ")
}

// bars shows a part of the wanted calls, in tenths.
func bars(list []Tally, of func(Tally) uint64) string {
	line := make([]byte, textColumns)
	for i := range line {
		var t Tally
		for k := i * len(list) / textColumns; k < (i+1)*len(list)/textColumns; k++ {
			t.add(list[k])
		}
		part := float64(of(t)) / float64(max(t.Wanted, 1))
		switch {
		case of(t) == 0:
			line[i] = ' '
		case part > 0.95:
			line[i] = '#'
		default:
			line[i] = byte('0' + min(max(int(part*10+0.5), 1), 9))
		}
	}
	return string(line)
}

// modes shows the worst that a host was in each column.
func (h *HostReport) modes(column time.Duration) string {
	line := []byte(strings.Repeat(".", textColumns))
	for _, p := range h.Phases {
		if p.mode != Healthy {
			fill(line, column, p.From, p.Until, modeLetters[p.mode], nil)
		}
	}
	return string(line)
}

// states shows the strictest that a breaker was in each column.
func (h *HostReport) states(column time.Duration) string {
	line := []byte(strings.Repeat(".", textColumns))
	for _, band := range h.Bands {
		if band.state != breaker.Closed {
			fill(line, column, band.From, band.Until, stateLetter(band.state), func(was byte) bool { return was == 'O' })
		}
	}
	return string(line)
}

func fill(line []byte, column time.Duration, from, until Span, letter byte, keep func(byte) bool) {
	for i := max(int(time.Duration(from)/column), 0); i < len(line) && time.Duration(i)*column < time.Duration(until); i++ {
		if keep == nil || !keep(line[i]) {
			line[i] = letter
		}
	}
}
