package simulation

import (
	"fmt"
	"html"
	"io"
	"strings"
	"time"
	"unicode"
)

// maxPageHosts bounds the hosts of a page: it must open on a telephone.
const maxPageHosts = 100

// WriteHTML writes one self-contained page: no script, nothing is loaded. Runs
// under several policies are side by side where the window is wide.
func WriteHTML(out io.Writer, runs []Report) error {
	var b strings.Builder
	if len(runs) == 0 {
		return nil
	}
	first := &runs[0]
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n",
		escaped(first.Scenario), style)
	fmt.Fprintf(&b, "<h1>%s</h1>\n", escaped(first.Scenario))
	if first.Description != "" {
		fmt.Fprintf(&b, "<p class=\"prose\">%s</p>\n", escaped(first.Description))
	}
	fmt.Fprintf(&b, "<p>%d %s, %v and %v of quiet, seed %d</p>\n", first.Nodes, plural(first.Nodes, "node"), time.Duration(first.Length), time.Duration(first.Quiet), first.Seed)
	for i := range runs {
		pageVerdict(&b, &runs[i])
	}
	pageFigures(&b, runs)
	b.WriteString("<div class=\"runs\">\n")
	for i := range runs {
		fmt.Fprintf(&b, "<section>\n<h2>Policy %s</h2>\n", escaped(runs[i].Policy))
		drawing(&b, &runs[i])
		if s := runs[i].Store; s != nil {
			b.WriteString("<p>")
			s.sum(&b)
			b.WriteString("</p>\n")
		}
		pageOutages(&b, &runs[i])
		b.WriteString("</section>\n")
	}
	b.WriteString("</div>\n")
	pageKey(&b)
	pageEvents(&b, first)
	b.WriteString("</body>\n</html>\n")
	_, err := io.WriteString(out, b.String())
	return err
}

// escaped is text as a page may hold it.
func escaped(text string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text))
}

func pageVerdict(b *strings.Builder, r *Report) {
	if len(r.Violations) == 0 {
		fmt.Fprintf(b, "<p>%s: no violation. <code>hash: %s</code></p>\n", escaped(r.Policy), r.Hash)
		return
	}
	fmt.Fprintf(b, "<div class=\"wrong\"><p>%s: %d %s of a promise, a defect of fleetfuse. <code>hash: %s</code></p><ul>\n",
		escaped(r.Policy), len(r.Violations), plural(len(r.Violations), "violation"), r.Hash)
	for _, v := range r.Violations {
		fmt.Fprintf(b, "<li>%s</li>\n", escaped(v))
	}
	b.WriteString("</ul></div>\n")
}

func pageFigures(b *strings.Builder, runs []Report) {
	b.WriteString("<table class=\"figures\">\n<tr><th></th>")
	for i := range runs {
		fmt.Fprintf(b, "<th>%s</th>", escaped(runs[i].Policy))
	}
	b.WriteString("</tr>\n")
	for _, f := range figures {
		name := strings.TrimLeft(f.name, " ")
		fmt.Fprintf(b, "<tr><td class=\"in%d\">%s</td>", (len(f.name)-len(name))/2, name)
		for i := range runs {
			fmt.Fprintf(b, "<td>%s</td>", f.of(&runs[i].Figures))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</table>\n")
}

func pageOutages(b *strings.Builder, r *Report) {
	b.WriteString("<table>\n<tr><th>outage of</th><th>mode</th><th>from</th><th>until</th><th>overshoot</th><th>recovered</th><th>closed</th></tr>\n")
	rows := 0
	for i := range r.Hosts {
		for _, o := range r.Hosts[i].Outages {
			if rows++; rows > maxPageHosts {
				continue
			}
			fmt.Fprintf(b, "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n", escaped(r.Hosts[i].Name), o.modes(),
				clockOf(time.Duration(o.From)), clockOf(time.Duration(o.Until)), whole(o.Overshoot), o.Recovery, o.Closed)
		}
	}
	b.WriteString("</table>\n")
	if rows > maxPageHosts {
		fmt.Fprintf(b, "<p>and %d more outages: -o json has them</p>\n", rows-maxPageHosts)
	}
}

// modes are all modes of an outage.
func (o *Outage) modes() string {
	if changes := o.changes(); changes != "" {
		return o.Mode + ", " + changes
	}
	return o.Mode
}

func pageKey(b *strings.Builder) {
	b.WriteString(`<p class="key"><b>Calls:</b> <i class="ok"></i>succeeded <i class="bad"></i>failed <i class="neutral"></i>neutral <i class="no"></i>not sent.
<b>Upper band, the host:</b> <i class="m0"></i>healthy <i class="m1"></i>down <i class="m2"></i>limiting (429) <i class="m3"></i>brown-out <i class="m4"></i>flapping <i class="m5"></i>slow <i class="m6"></i>portal.
<b>Lower band, its breaker:</b> <i class="s0"></i>closed <i class="s1"></i>half-open <i class="s2"></i>open.
Point at a band to read it. <a href="#words">What the words mean</a>.</p>
`)
}

func pageEvents(b *strings.Builder, r *Report) {
	if len(r.Events) > 0 {
		b.WriteString("<h2>What happened to the fleet</h2>\n<ol class=\"events\">\n")
		for i, e := range r.Events {
			if i == maxPageHosts {
				fmt.Fprintf(b, "<li>and %d more: -o json has them</li>\n", len(r.Events)-i)
				break
			}
			fmt.Fprintf(b, "<li><b>%s</b> %s</li>\n", clockOf(time.Duration(e.At)), escaped(e.Text))
		}
		b.WriteString("</ol>\n")
	}
	b.WriteString(`<h2 id="words">What the words mean</h2>
<dl>
<dt>neutral</dt><dd>calls that were answered by a 4xx other than 429: neither success nor failure</dd>
<dt>spared</dt><dd>calls that were not sent while their host was not well, or by a machine that reached nobody: what breakers are for</dd>
<dt>a pause was asked for</dt><dd>calls of a host that was healthy again, not sent because its own Retry-After, an operator's open, or another program's deadline in the shared store still ran</dd>
<dt>wrongly rejected</dt><dd>the other calls of healthy hosts that were not sent: what breakers cost. Those waiting for a probe came after an outage, before the host was called again</dd>
<dt>overshoot</dt><dd>calls sent in an outage by nodes that had not rejected one yet</dd>
<dt>recovered</dt><dd>from when the host was well until 19 of 20 calls in a row were allowed; at once, if none was rejected. Fewer calls than 20, of which some were rejected, are too few to tell</dd>
<dt>closed</dt><dd>from when the host was well until its breaker was closed where its owner is</dd>
</dl>
`)
}

// style is the page's. Colours never stand alone: bands have titles, figures are
// in the tables.
const style = `
:root{color-scheme:light dark;--ink:#1c2126;--dim:#68727d;--line:#d5dade;--ok:#2f8f5b;--bad:#c8372d;--no:#9aa5b1;--half:#d99a1c;--slow:#8a6fc0;--paper:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ec;--dim:#98a2ad;--line:#3a424a;--ok:#4fb57d;--bad:#e8604f;--no:#66717c;--half:#e2b04a;--slow:#a991db;--paper:#14181c}}
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:1.5rem auto;max-width:110rem;padding:0 1rem}
h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:1.4rem 0 .4rem}
.prose{max-width:46rem}.runs{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(38rem,100%),1fr));gap:1.5rem}
table{border-collapse:collapse;margin:.6rem 0;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.1rem .8rem .1rem 0;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left}th{color:var(--dim);font-weight:600}
.in1{padding-left:1.2rem}.in2{padding-left:2.4rem}.in3{padding-left:3.6rem}
.wrong{border-left:4px solid var(--bad);padding-left:.8rem}
svg{width:100%;height:auto;display:block}svg text{font:11px system-ui,sans-serif;fill:var(--ink)}svg .dim{fill:var(--dim)}svg .what{font-size:7.5px;fill:var(--dim)}
.key i{display:inline-block;width:.9em;height:.9em;margin:0 .25em 0 .6em;vertical-align:-.1em;background:currentColor}
.ok,.m0,.s0{fill:var(--ok);color:var(--ok)}.bad,.m1,.s2{fill:var(--bad);color:var(--bad)}.no{fill:var(--no);color:var(--no)}
.m2,.m3,.s1{fill:var(--half);color:var(--half)}.m4,.m5,.m6,.neutral{fill:var(--slow);color:var(--slow)}.m0,.s0{opacity:.35}.m3,.m5{opacity:.75}
.grid{stroke:var(--line);stroke-width:1}.end{stroke:var(--dim);stroke-dasharray:3 3}
.event{fill:var(--dim);opacity:.5}dt{font-weight:600}dd{margin:0 0 .3rem 1.2rem}.events{list-style:none;padding:0}
`
