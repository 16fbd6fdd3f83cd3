package bubbles

import (
	"strings"
	"testing"
)

// A forgery is a history that was doctored; want is part of the violation, ""
// for none.
type forgery struct {
	name string
	want string
	do   []func(*History)
}

func call(node int, host string, from float64) func(*History) {
	return func(h *History) {
		h.Calls = append(h.Calls, Call{Asked: span(from, from+.01), Node: node, Host: host})
	}
}

func permit(name string, from float64) func(*History) {
	return func(h *History) {
		h.Calls = append(h.Calls, Call{Asked: span(from, from+.1), Node: 2, Host: "p", Permit: name})
	}
}

func reject(host, reason string, from float64) func(*History) {
	return func(h *History) {
		h.Rejections = append(h.Rejections, Rejection{Asked: span(from, from+.01), Host: host, State: "open", Reason: reason})
	}
}

func failure(host string, from float64) func(*History) {
	return func(h *History) {
		h.Reports = append(h.Reports, Report{Span: span(from, from+.1), Host: host, OK: true, Failed: true})
	}
}

func fault(k FaultKind, from, to float64, nodes ...int) func(*History) {
	return func(h *History) { h.Faults = append(h.Faults, Fault{span(from, to), k, nodes}) }
}

var forgeries = []forgery{
	{"another node calls", "before a deadline", []func(*History){call(2, "a", 15)}},
	{"the node that was told calls", "before a deadline", []func(*History){call(0, "a", 10.1)}},
	{"it is cut off before it hears", "", []func(*History){fault(Parted, 9, 30, 2), call(2, "a", 15)}},
	{"it was cut off, and heals", "before a deadline", []func(*History){fault(Parted, 9, 12, 2), call(2, "a", 30)}},
	{"the one that was told is cut off", "before a deadline", []func(*History){fault(Parted, 9, 30, 0), call(0, "a", 15)}},
	{"the one that was told is killed at once", "", []func(*History){fault(Killed, 10.1, 12, 0), call(1, "a", 30)}},
	{"the one that was told is killed later", "before a deadline", []func(*History){fault(Killed, 13, 14, 0), call(0, "a", 33)}},
	{"another is killed", "before a deadline", []func(*History){fault(Killed, 11, 12, 1), call(2, "a", 15)}},
	{"a full disk excuses nothing", "before a deadline", []func(*History){fault(DiskFull, 5, 50, 2), call(2, "a", 15)}},
	{"messages are lost", "", []func(*History){fault(Lossy, 5, 50), call(2, "a", 12)}},
	{"messages are lost, long after", "before a deadline", []func(*History){fault(Lossy, 5, 50), call(2, "a", 25)}},
	{"an open is ignored", "before a deadline", []func(*History){call(2, "b", 60)}},
	{"an open is closed", "", []func(*History){call(2, "b", 70.05)}},
	{"an open outlives a kill", "before a deadline", []func(*History){fault(Killed, 50.2, 51, 1), call(1, "b", 67)}},
	{"a close is undone", "stays closed", []func(*History){reject("b", "cli-open", 75)}},
	{"a trip is undone", "stays closed", []func(*History){failure("b", 60), reject("b", "consecutive-failures", 75)}},
	{"it trips again", "", []func(*History){failure("b", 72), reject("b", "consecutive-failures", 75)}},
	{"nobody asked", "has a reason", []func(*History){reject("c", "cli-open", 75)}},
	{"nobody failed", "has a reason", []func(*History){reject("c", "failure-rate", 75)}},
	{"it is long over", "has a reason", []func(*History){reject("a", "retry-after", 75)}},
	{"two permits", "probe budget", []func(*History){permit("p3", 110), permit("p4", 111)}},
	{"a permit ran out", "", []func(*History){permit("p3", 110), permit("p4", 145)}},
	{"the owner changed", "", []func(*History){fault(Killed, 109, 112, 1), permit("p3", 110), permit("p4", 111)}},
	{"a policy is lost", "policy is lost", []func(*History){func(h *History) {
		h.Reads = append(h.Reads, Read{Asked: span(90, 90.1), Node: 1, Host: "a", Version: 4})
	}}},
	{"they do not agree", "agree after healing", []func(*History){func(h *History) { h.Agreements[0].To = 216 * sec }}},
}

// Every check catches a history that was doctored, and lets pass what a fault
// excuses.
func TestDoctoredHistories(t *testing.T) {
	for _, x := range forgeries {
		h := honest()
		for _, do := range x.do {
			do(h)
		}
		found := Check(h, Usual)
		switch {
		case x.want == "" && len(found) > 0:
			t.Errorf("%s: %v; want nothing", x.name, found)
		case x.want != "" && len(found) == 0:
			t.Errorf("%s: nothing was found; want one of %q", x.name, x.want)
		case x.want != "" && !strings.Contains(found[0].Check, x.want):
			t.Errorf("%s: %v; want one of %q", x.name, found, x.want)
		}
	}
}
