package simulation

import (
	"slices"
	"strings"
	"time"

	"fleetfuse/config"
)

// maxWrites bounds what others write to a shared store.
const maxWrites = 10_000

// shared reads the shared store, and what others write there.
func (r *scenarioReader) shared(part config.Part) {
	if !part.There() {
		return
	}
	f := part.Fields("delay_min", "delay_max", "writes")
	s := &r.plan.Shared
	s.There, s.Least, s.Most = true, defaultLeast, defaultMost
	s.Least, s.Most = delays(f, s.Least, s.Most)
	for _, p := range f["writes"].Items(maxWrites) {
		s.Writes = append(s.Writes, r.write(p))
	}
	slices.SortStableFunc(s.Writes, func(a, b Write) int { return int(a.At - b.At) })
}

// write reads what another program, or another cluster, does.
func (r *scenarioReader) write(part config.Part) Write {
	f := part.Fields("at", "by", "say", "host", "for", "copies", "announces")
	x := Write{At: r.moment(part, f["at"], "a write")}
	by := f["by"].Word("program", "cluster")
	var says []string
	for _, n := range writeNames {
		if n.by == by {
			says = append(says, n.say)
		}
	}
	switch {
	case !f["by"].There():
		part.Fail("a write needs by: program, which knows until_wall and reason only, or cluster, which is another of ours")
	case !f["say"].There():
		part.Fail("a write by a %s needs say: %s", by, strings.Join(says, ", "))
	}
	host := r.hostAbout(part, f["host"], "a write")
	if by == "" {
		return x
	}
	say := f["say"].Word(says...)
	if say == "" {
		return x
	}
	x.Host, x.Kind = host, WriteKind(slices.Index(writeKindNames(), by+"-"+say))
	r.manner(part, f, &x, say)
	return x
}

// manner reads how long a write lasts, and how careful its program is.
func (r *scenarioReader) manner(part config.Part, f map[string]config.Part, x *Write, say string) {
	var takes []string
	if x.Kind.lasts() {
		takes = append(takes, "for")
		if !f["for"].There() {
			part.Fail("for is missing: how long the %s holds", say)
		}
	}
	if x.Kind.byProgram() {
		takes = append(takes, "copies", "announces")
	}
	onlyThese(f, []string{"for", "copies", "announces"}, takes, "say: "+say)
	x.For = f["for"].Duration(time.Second, maxLength)
	x.Copies = f["copies"].Word("true", "false") == "true"
	x.Hints = f["announces"].Word("true", "false") == "true"
}
