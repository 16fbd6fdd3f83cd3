package simulation

import (
	"fmt"
	"strings"
	"time"
)

// Sizes of a drawing, in its own units.
const (
	drawingWidth = 720
	labelWidth   = 150
	plotWidth    = drawingWidth - labelWidth - 10
	plotHeight   = 130
	rowHeight    = 26
	bandHeight   = 9
	eventHeight  = 10
	maxEventRows = 40
	maxBands     = 2000 // of one host
)

// drawing draws what became of the calls, and below, on the same axis, how each
// host was, what its breaker made of it, and what happened to the fleet.
func drawing(b *strings.Builder, r *Report) {
	end := time.Duration(r.Length + r.Quiet)
	x := func(at Span) float64 { return labelWidth + plotWidth*float64(at)/float64(max(end, 1)) }
	shown := r.shownHosts()
	events := r.Events[:min(len(r.Events), maxEventRows)]
	height := plotHeight + 34 + len(shown)*rowHeight + len(events)*eventHeight
	fmt.Fprintf(b, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"timeline of calls, hosts and breakers\">\n", drawingWidth, height)
	areas(b, r)
	axis(b, end, x, height)
	fmt.Fprintf(b, "<line class=\"end\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\"><title>%s: all faults are put right</title></line>\n", x(r.Length), x(r.Length), height, clockOf(time.Duration(r.Length)))
	y := plotHeight + 26
	for _, h := range shown {
		h.draw(b, y, x, Span(end))
		y += rowHeight
	}
	for _, e := range events {
		width := max(x(min(e.At+e.For, Span(end)))-x(e.At), 3)
		fmt.Fprintf(b, "<text class=\"what\" x=\"0\" y=\"%d\">%s</text>\n", y+eventHeight-4, escaped(short(e.Text, 36)))
		fmt.Fprintf(b, "<rect class=\"event\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>%s %s</title></rect>\n", x(e.At), y, width, eventHeight-3, clockOf(time.Duration(e.At)), escaped(e.Text))
		y += eventHeight
	}
	b.WriteString("</svg>\n")
	if rest := len(r.Hosts) - len(shown); rest > 0 {
		fmt.Fprintf(b, "<p>%d other %s: nothing happened to them, or there are too many to show</p>\n", rest, plural(rest, "host"))
	}
}

// shownHosts are those to which something happened.
func (r *Report) shownHosts() (shown []*HostReport) {
	for i := range r.Hosts {
		if r.Hosts[i].eventful() > 0 && len(shown) < maxPageHosts {
			shown = append(shown, &r.Hosts[i])
		}
	}
	return shown
}

// areas stacks what became of the calls: succeeded, failed, neutral, not sent.
func areas(b *strings.Builder, r *Report) {
	most := uint64(1)
	for _, t := range r.Timeline {
		most = max(most, t.Succeeded+t.Failed+t.Neutral+t.Rejected)
	}
	width := float64(plotWidth) / float64(len(r.Timeline))
	for i, t := range r.Timeline {
		at, below := labelWidth+float64(i)*width, uint64(0)
		for _, part := range []struct {
			class string
			n     uint64
		}{{"ok", t.Succeeded}, {"bad", t.Failed}, {"neutral", t.Neutral}, {"no", t.Rejected}} {
			if part.n == 0 {
				continue
			}
			tall := float64(part.n) / float64(most) * plotHeight
			fmt.Fprintf(b, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"><title>%s: %d succeeded, %d failed, %d neutral, %d not sent</title></rect>\n",
				part.class, at, plotHeight-float64(below)/float64(most)*plotHeight-tall, width*0.92, tall, clockOf(time.Duration(i)*time.Duration(r.Bucket)), t.Succeeded, t.Failed, t.Neutral, t.Rejected)
			below += part.n
		}
	}
	fmt.Fprintf(b, "<text x=\"0\" y=\"12\">calls a second</text>\n<text class=\"dim\" x=\"%d\" y=\"12\" text-anchor=\"end\">%.0f</text>\n", labelWidth-6, float64(most)/time.Duration(r.Bucket).Seconds())
}

// axis draws the time.
func axis(b *strings.Builder, end time.Duration, x func(Span) float64, height int) {
	for i := range 7 {
		at := Span(int64(end) * int64(i) / 6)
		fmt.Fprintf(b, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/><text class=\"dim\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			x(at), x(at), plotHeight, height, min(x(at), drawingWidth-18), plotHeight+16, clockOf(time.Duration(at)))
	}
}

// draw draws how a host was, and its breaker.
func (h *HostReport) draw(b *strings.Builder, y int, x func(Span) float64, end Span) {
	fmt.Fprintf(b, "<text x=\"0\" y=\"%d\">%s<title>%s</title></text>\n", y+bandHeight+4, escaped(short(h.Name, 24)), escaped(h.Name))
	bar := func(class string, y int, from, until Span, what string) {
		fmt.Fprintf(b, "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>%s %s, %s to %s</title></rect>\n", class, x(from), y, max(x(min(until, end))-x(from), 0.6), bandHeight,
			escaped(h.Name), what, clockOf(time.Duration(from)), clockOf(time.Duration(until)))
	}
	last := Span(0)
	for i, p := range h.Phases {
		if i < maxBands {
			bar(fmt.Sprintf("m%d", p.mode), y, p.From, p.Until, p.Mode)
		}
		last = p.Until
	}
	bar("m0", y, last, end, "healthy")
	for i, band := range h.Bands {
		if i < maxBands {
			bar(fmt.Sprintf("s%d", band.state), y+bandHeight+1, band.From, band.Until, "breaker "+band.State)
		}
	}
}
