package changepoint

import (
	"fmt"
	"strings"
)

// mark is a value in the plot.
type mark struct {
	value float64
	class string // of the style sheet below
	title string
}

const plotHead = `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
<style>
svg { background: #fff } text { fill: #222 } .grid { stroke: #ddd } .zero { stroke: #999; stroke-dasharray: 4 3 }
.one { fill: #fff; stroke: #0a5 ; stroke-width: 2 } .left { fill: #0a5 } .best { fill: none; stroke: #888; stroke-width: 2 }
.peer { fill: #fff; stroke: #06c; stroke-width: 2 }
</style>
`

// Sizes of the plot in pixels.
const (
	plotLeft, plotWidth = 200, 480 // the axis runs from 0.3 to 0.95
	plotTop, plotLine   = 72, 22
)

func across(f1 float64) float64 { return plotLeft + plotWidth*(max(f1, 0.3)-0.3)/0.65 }

// plot draws F1 of each row: with one setting, left out, and best each. The
// dashed line is what reporting no change at all gets.
func plot(ours, theirs []row, zero float64) string {
	rows := append(append([]row{}, ours...), theirs...)
	width, height := plotLeft+plotWidth+40, plotTop+plotLine*len(rows)+30
	var b strings.Builder
	fmt.Fprintf(&b, plotHead, width, height, width, height)
	b.WriteString(`<text x="10" y="18" font-size="14">F1 on 25 series of the Turing change-point benchmark</text>` + "\n")
	legend := []mark{{class: "left", title: "setting chosen without the series"}, {class: "one", title: "one setting for all"},
		{class: "peer", title: "published default"}, {class: "best", title: "best setting each"}}
	for i, m := range legend {
		x, y := 16+260*(i%2), 36+20*(i/2)
		fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="5" class="%s"/><text x="%d" y="%d">%s</text>`+"\n", x, y, m.class, x+12, y+4, m.title)
	}
	bottom := plotTop + plotLine*len(rows)
	for tenth := 3; tenth <= 9; tenth++ {
		x := across(float64(tenth) / 10)
		fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" class="grid"/><text x="%.1f" y="%d" text-anchor="middle">%s0.%d</text>`+"\n",
			x, x, plotTop, bottom, x, bottom+16, map[bool]string{true: "≤ "}[tenth == 3], tenth)
	}
	fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" class="zero"><title>no change: %.3f</title></line>`+"\n",
		across(zero), across(zero), plotTop, bottom, zero)
	for i, r := range rows {
		y := plotTop + plotLine*i + plotLine/2
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", plotLeft-14, y+4, r.name)
		for _, m := range r.marks() {
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%d" r="5" class="%s"><title>%s: %s, %.3f</title></circle>`+"\n",
				across(m.value), y, m.class, r.name, m.title, m.value)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (r row) marks() []mark {
	list := []mark{{r.oracle.F1, "best", "best setting each"}}
	if r.settings == 0 {
		return append(list, mark{r.one.F1, "peer", "published default"})
	}
	return append(list, mark{r.one.F1, "one", "one setting for all"}, mark{r.leftOut.F1, "left", "setting chosen without the series"})
}
