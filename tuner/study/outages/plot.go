package outages

import (
	"fmt"
	"math"
	"strings"
)

const plotHead = `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
<style>
svg { background: #fff } text { fill: #222 } .grid { stroke: #ddd } .bar { stroke: #c33; stroke-dasharray: 4 3 }
.tuned { fill: #0a5 } .again { fill: #fff; stroke: #0a5; stroke-width: 2 } .sixty { fill: none; stroke: #888; stroke-width: 2 }
.seed { fill: #06c } .span { stroke: #0a5; stroke-width: 2 }
</style>
`

// Sizes of the plot in pixels.
const (
	plotLeft, plotWidth = 350, 460 // the axis runs from 0.5 to 10
	plotTop, plotLine   = 76, 22
)

// marks are the policies in the plot, with their class in the style sheet.
var marks = []struct {
	policy      int
	class, name string
}{
	{atSixty, "sixty", "60 s (gobreaker's and our default)"}, {atMedian, "seed", "seed advisor"},
	{atInside, "again", "tuned, looks again"}, {atTuned, "tuned", "tuned, with the interval"},
}

// across is where a ratio lies on the axis, which is logarithmic.
func across(ratio float64) float64 {
	return plotLeft + plotWidth*math.Log(min(max(ratio, 0.5), 10)/0.5)/math.Log(20)
}

// plot draws what each policy costs against the best fixed one. The dashed line is the bar.
func plot(all []cell) string {
	width, height := plotLeft+plotWidth+40, plotTop+plotLine*len(all)+30
	var b strings.Builder
	fmt.Fprintf(&b, plotHead, width, height, width, height)
	b.WriteString(`<text x="10" y="18" font-size="14">Cost of recorded outages, as a multiple of the best fixed reset_timeout</text>` + "\n")
	for i, m := range marks {
		x, y := 16+300*(i%2), 36+20*(i/2)
		fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="5" class="%s"/><text x="%d" y="%d">%s</text>`+"\n", x, y, m.class, x+12, y+4, m.name)
	}
	bottom := plotTop + plotLine*len(all)
	for _, at := range []float64{0.5, 0.75, 1, 1.5, 2, 3, 5, 10} {
		x := across(at)
		fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" class="grid"/><text x="%.1f" y="%d" text-anchor="middle">%g</text>`+"\n",
			x, x, plotTop, bottom, x, bottom+16, at)
	}
	fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" class="bar"><title>the bar: %g</title></line>`+"\n", across(bar), across(bar), plotTop, bottom, bar)
	for i, c := range all {
		y := plotTop + plotLine*i + plotLine/2
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s, probe %g s</text>`+"\n", plotLeft-14, y+4, c.part.name, c.price)
		tuned := c.ratios[atTuned]
		fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" class="span"/>`+"\n", across(tuned.low), across(tuned.high), y, y)
		for _, m := range marks {
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%d" r="5" class="%s"><title>%s: %v</title></circle>`+"\n",
				across(c.ratios[m.policy].value), y, m.class, m.name, c.ratios[m.policy])
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}
