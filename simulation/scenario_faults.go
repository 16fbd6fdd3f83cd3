package simulation

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"fleetfuse/config"
)

// faultKinds are the faults as a scenario has them, and what each takes beside
// at and for.
var faultKinds = []struct {
	name  string
	takes []string
}{
	Kill: {"kill", []string{"node"}}, PowerLoss: {"power-loss", []string{"node"}}, Wipe: {"wipe", []string{"node"}},
	Pause: {"pause", []string{"node"}}, Suspend: {"suspend", []string{"node"}}, Split: {"split", []string{"nodes"}},
	OneWay: {"one-way", []string{"node", "other"}}, Cut: {"cut", []string{"node", "other"}}, Lossy: {"lossy", []string{"part"}},
	Sick: {"sick", []string{"node"}}, DiskFails: {"disk-fails", []string{"node"}}, DiskSlow: {"disk-slow", []string{"node"}},
	DiskLies: {"disk-lies", []string{"node", "part"}}, ClockSteps: {"clock-steps", []string{"node", "step"}},
	StoreFails: {"store-fails", nil}, StoreSlow: {"store-slow", nil}, StoreHangs: {"store-hangs", nil},
	StoreLies: {"store-lies", []string{"part"}}, StoreCut: {"store-cut", []string{"nodes"}},
	StoreLosesTail: {"store-loses-tail", []string{"tail"}}, StoreEmptied: {"store-emptied", nil},
}

func kindNames() []string {
	var names []string
	for _, k := range faultKinds {
		names = append(names, k.name)
	}
	return names
}

// onlyThese refuses values, among the optional ones, that are not taken here.
func onlyThese(f map[string]config.Part, optional, takes []string, what string) {
	for _, key := range optional {
		if f[key].There() && !slices.Contains(takes, key) {
			f[key].Fail("%s takes no %s", what, key)
		}
	}
}

func (r *scenarioReader) faults(part config.Part) {
	var list []placedFault
	for _, p := range part.Items(maxFaults) {
		before := r.form.Problems()
		fault := r.fault(p)
		r.plan.Faults = append(r.plan.Faults, fault)
		if r.form.Problems() == before {
			list = append(list, placedFault{fault, p})
		}
	}
	apartFaults(list)
}

func (r *scenarioReader) fault(part config.Part) Fault {
	f := part.Fields("at", "for", "kind", "node", "other", "nodes", "part", "step", "tail")
	fault := Fault{At: r.moment(part, f["at"], "a fault")}
	name := f["kind"].Word(kindNames()...)
	kind := slices.Index(kindNames(), name)
	if !f["kind"].There() {
		part.Fail("a fault needs a kind: %s", strings.Join(kindNames(), ", "))
	}
	if kind < 0 {
		return fault
	}
	fault.Kind = FaultKind(kind)
	takes := faultKinds[kind].takes
	onlyThese(f, []string{"node", "other", "nodes", "part", "step", "tail"}, takes, "a "+name)
	if fault.Kind.ofPlace() && !r.plan.Shared.There {
		f["kind"].Fail("there is no shared store in this scenario: add shared-store, if only as shared-store: {}")
	}
	for _, key := range takes {
		if !f[key].There() && fault.Kind != StoreCut { // without nodes all are cut off
			part.Fail("a %s needs %s", name, key)
			return fault
		}
	}
	r.forHowLong(part, f, &fault, name)
	r.victims(f, &fault, takes)
	return fault
}

// forHowLong reads when a fault is put right: a clock that stepped is not.
func (r *scenarioReader) forHowLong(part config.Part, f map[string]config.Part, fault *Fault, name string) {
	switch {
	case fault.Kind.atOnce() && fault.Kind != ClockSteps:
		onlyThese(f, []string{"for"}, nil, "a "+name)
	case fault.Kind == ClockSteps:
		onlyThese(f, []string{"for"}, nil, "a "+name)
		fault.Step = f["step"].Duration(-maxLength, maxLength)
		if fault.Step == 0 {
			f["step"].Fail("step moves the wall clock, as in 30s or -1h; not by zero")
		}
	case !f["for"].There():
		part.Fail("for is missing: how long the %s lasts", name)
	default:
		fault.For = f["for"].Duration(time.Millisecond, maxLength)
		if end := fault.At + fault.For; end > r.plan.Length {
			f["for"].Fail("the fault would last until %v, after the length of %v, when everything is put right", end, r.plan.Length)
		}
	}
}

// victims reads whom a fault hits.
func (r *scenarioReader) victims(f map[string]config.Part, fault *Fault, takes []string) {
	for _, key := range takes {
		switch key {
		case "node":
			fault.Node = r.node(f[key])
		case "other":
			fault.Other = r.node(f[key])
			if fault.Other == fault.Node {
				f[key].Fail("node and other are the same")
			}
		case "part":
			fault.Part = f[key].Number(0, 1)
		case "tail":
			fault.Step = f[key].Duration(time.Millisecond, longestTail)
		case "nodes":
			fault.Nodes = r.cutOff(f[key], fault.Kind)
		}
	}
}

// cutOff reads the nodes that a fault cuts off: from each other some, from the
// shared store all, if none are named.
func (r *scenarioReader) cutOff(part config.Part, kind FaultKind) (nodes []int) {
	if !part.There() {
		for i := range r.plan.Nodes {
			nodes = append(nodes, i)
		}
		return nodes
	}
	before := r.form.Problems()
	for _, n := range part.Items(maxNodes) {
		nodes = append(nodes, r.node(n))
	}
	slices.Sort(nodes)
	nodes = slices.Compact(nodes)
	switch {
	case r.form.Problems() > before: // said already
	case kind == StoreCut && len(nodes) == 0:
		part.Fail("nodes names nobody: list those that do not reach the shared store, or leave nodes out if all do not")
	case kind != StoreCut && (len(nodes) == 0 || len(nodes) >= r.plan.Nodes):
		part.Fail("nodes are those that are cut off from the others: some, but not all of the %d", r.plan.Nodes)
	}
	return nodes
}

// moment reads when something happens.
func (r *scenarioReader) moment(whole, part config.Part, what string) time.Duration {
	if !part.There() {
		whole.Fail("%s needs at, when it happens", what)
		return 0
	}
	at := part.Duration(0, maxLength)
	if at >= r.plan.Length {
		part.Fail("at is %v, but the length is %v: nothing happens after it", at, r.plan.Length)
	}
	return at
}

// node reads a node, n1 for the first.
func (r *scenarioReader) node(part config.Part) int {
	text := part.Value(maxNameBytes)
	number, isNode := strings.CutPrefix(text, "n")
	i, err := strconv.Atoi(number)
	if !isNode || err != nil || i < 1 || i > r.plan.Nodes {
		if text != "" {
			part.Fail("%q is no node; this fleet has n1 to n%d", text, r.plan.Nodes)
		}
		return 0
	}
	return i - 1
}

// wordNames are what operators say, as a scenario has it.
var wordNames = []string{"open", "close", "replace"}

func (r *scenarioReader) words(part config.Part) {
	for _, p := range part.Items(maxWords) {
		r.plan.Words = append(r.plan.Words, r.word(p))
	}
}

func (r *scenarioReader) word(part config.Part) Word {
	f := part.Fields("at", "say", "node", "host", "for", "fields")
	word := Word{At: r.moment(part, f["at"], "a word"), Node: r.node(f["node"])}
	say := f["say"].Word(wordNames...)
	if !f["say"].There() {
		part.Fail("a word needs say: %s", strings.Join(wordNames, ", "))
	}
	host := r.hostAbout(part, f["host"], "a word")
	if say == "" {
		return word
	}
	word.Kind, word.Host = WordKind(slices.Index(wordNames, say)), host
	word.For = f["for"].Duration(time.Second, 30*24*time.Hour)
	word.Fields = f["fields"].Text(maxProseBytes)
	takes := map[WordKind][]string{Open: {"for"}, Replace: {"for", "fields"}}[word.Kind]
	onlyThese(f, []string{"for", "fields"}, takes, "say: "+say)
	switch {
	case word.Kind == Open && !f["for"].There():
		part.Fail("for is missing: how long the open holds")
	case word.Kind == Replace && word.Fields == "":
		part.Fail("say: replace needs fields, as in fail_max:3,reset:30")
	case word.Kind == Replace:
		if _, err := config.ParseOverlay(word.Fields); err != nil {
			f["fields"].Fail("%w", err)
		}
	}
	return word
}

// hostAbout reads which host something is about.
func (r *scenarioReader) hostAbout(whole, part config.Part, what string) int {
	if !part.There() {
		whole.Fail("%s is about a host: name it in host", what)
		return 0
	}
	name := part.Host()
	host, known := r.hosts[name]
	if !known && name != "" {
		part.Fail("there is no such host in this scenario")
	}
	return host
}
