package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a report that a person reads: the rest is in the JSON.
const (
	maxTextHosts   = 12
	maxTextEvents  = 20
	maxTextOutages = 20
)

// whole is a number with its thousands apart.
func whole(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Round(time.Millisecond).Seconds(), 'f', -1, 64)
}

// clockOf is a moment as min:sec.
func clockOf(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// String is how long something took.
func (w Wait) String() string {
	switch w {
	case unended:
		return "never"
	case unseen:
		return "too few calls"
	}
	return strconv.FormatFloat(time.Duration(w).Seconds(), 'f', 1, 64) + " s"
}

// Text is what runs of one scenario, under one policy each, came to, in 80
// columns.
func Text(runs []Report) string {
	var b strings.Builder
	if len(runs) == 0 {
		return ""
	}
	first := &runs[0]
	heading(&b, first)
	figureTable(&b, runs)
	for i := range runs {
		if len(runs) > 1 {
			fmt.Fprintf(&b, "\nPOLICY %s\n", short(runs[i].Policy, 70))
		}
		runs[i].Store.sum(&b)
		outageTable(&b, &runs[i])
		timeline(&b, &runs[i])
	}
	b.WriteString("\n" + legend)
	if first.Store != nil {
		b.WriteString(storeLegend)
	}
	eventList(&b, first)
	b.WriteString("\n")
	for i := range runs {
		verdict(&b, &runs[i], len(runs) > 1)
	}
	return b.String()
}

func heading(b *strings.Builder, r *Report) {
	fmt.Fprintf(b, "%s: %d %s, %v and %v of quiet, seed %d\n", short(r.Scenario, 40), r.Nodes, plural(r.Nodes, "node"), time.Duration(r.Length), time.Duration(r.Quiet), r.Seed)
	if r.Description != "" {
		b.WriteString("\n" + wrapped(r.Description, 78))
	}
	b.WriteString("\n")
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// wrapped breaks prose into lines.
func wrapped(text string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		if column > 0 && column+1+len(word) > width {
			b.WriteString("\n")
			column = 0
		}
		if column > 0 {
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String() + "\n"
}

// short cuts a text to a width.
func short(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	return string(runes[:width-1]) + "~"
}

func figureTable(b *strings.Builder, runs []Report) {
	fmt.Fprintf(b, "%-30s", "")
	for i := range runs {
		fmt.Fprintf(b, " %22s", short(runs[i].Policy, 22))
	}
	b.WriteString("\n")
	for _, f := range figures {
		fmt.Fprintf(b, "%-30s", f.name)
		for i := range runs {
			fmt.Fprintf(b, " %22s", f.of(&runs[i].Figures))
		}
		b.WriteString("\n")
	}
	for i := range runs {
		if names := runs[i].someNodes(); names != "" {
			fmt.Fprintf(b, "wrongly rejected by no other node than %s (%s)\n", names, short(runs[i].Policy, 22))
		}
	}
}

// someNodes are the nodes that rejected calls wrongly, if they are few: then it
// is they that something is wrong with.
func (r *Report) someNodes() string {
	if len(r.WronglyBy) == 0 || len(r.WronglyBy) > 3 || 2*len(r.WronglyBy) > r.Nodes {
		return ""
	}
	return strings.Join(slices.Sorted(maps.Keys(r.WronglyBy)), ", ")
}

func outageTable(b *strings.Builder, r *Report) {
	lines, more := 0, 0
	for i := range r.Hosts {
		for _, o := range r.Hosts[i].Outages {
			if lines == 0 {
				fmt.Fprintf(b, "\n%-22s %-8s %7s %7s %9s %13s %8s\n", "OUTAGE OF", "MODE", "FROM", "UNTIL", "OVERSHOOT", "RECOVERED", "CLOSED")
			}
			if lines++; lines > maxTextOutages {
				more++
				continue
			}
			fmt.Fprintf(b, "%-22s %-8s %7s %7s %9s %13s %8s\n", short(r.Hosts[i].Name, 22), o.Mode, clockOf(time.Duration(o.From)), clockOf(time.Duration(o.Until)), whole(o.Overshoot), o.Recovery, o.Closed)
			if changes := o.changes(); changes != "" {
				fmt.Fprintf(b, "  %s\n", changes)
			}
		}
	}
	if more > 0 {
		fmt.Fprintf(b, "and %d more outages: -o json has them\n", more)
	}
}

// maxModeChanges bounds those that are named: two fit into a line.
const maxModeChanges = 2

// changes are the modes in which an outage went on, "" if there are none.
func (o *Outage) changes() string {
	var texts []string
	for i, t := range o.Then {
		if i == maxModeChanges {
			texts = append(texts, fmt.Sprintf("and %d more", len(o.Then)-i))
			break
		}
		texts = append(texts, fmt.Sprintf("then %s from %s", t.Mode, clockOf(time.Duration(t.From))))
	}
	return strings.Join(texts, ", ")
}

func eventList(b *strings.Builder, r *Report) {
	if len(r.Events) == 0 {
		return
	}
	b.WriteString("\nWHAT HAPPENED TO THE FLEET\n")
	for i, e := range r.Events {
		if i == maxTextEvents {
			fmt.Fprintf(b, "and %d more: -o json has them\n", len(r.Events)-i)
			break
		}
		fmt.Fprintf(b, "%8s  %s\n", clockOf(time.Duration(e.At)), short(e.Text, 68))
	}
}

// verdict says whether the promises were kept.
func verdict(b *strings.Builder, r *Report, named bool) {
	name := ""
	if named {
		name = short(r.Policy, 40) + ": "
	}
	if len(r.Violations) == 0 {
		fmt.Fprintf(b, "%sno violation; hash: %s\n", name, r.Hash)
		return
	}
	fmt.Fprintf(b, "%s%d %s of a promise, a defect of fleetfuse; hash: %s\n", name, len(r.Violations), plural(len(r.Violations), "violation"), r.Hash)
	for _, v := range r.Violations {
		b.WriteString("  " + v + "\n")
	}
}
