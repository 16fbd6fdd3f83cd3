package main

import (
	"fmt"
	"strings"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// effect says what happens to calls now.
func (a *account) effect() string {
	switch {
	case a.is(breaker.Closed) && toothless(a.Breaker):
		return fmt.Sprintf("Calls to it are allowed, and would be in any state: its policy has the mode %s, which never rejects.", a.Mode)
	case a.is(breaker.Closed):
		return "Calls to it are allowed."
	case toothless(a.Breaker):
		return fmt.Sprintf("Calls to it are allowed all the same: its policy has the mode %s, which never rejects.", a.Mode)
	case a.is(breaker.HalfOpen) && a.Local:
		return fmt.Sprintf("Single calls probe it on the nodes whose ring was open: only %s others. For the rest of the fleet it is closed.", rejecting(a.Breaker))
	case a.is(breaker.HalfOpen):
		return "It is being probed: single calls are let through to find out whether it has recovered. All others are rejected."
	case !a.is(breaker.Open):
		return "This version of fleetfuse-ctl does not know that state. Is the node newer?"
	}
	text := fmt.Sprintf("Calls to it are rejected for another %s, until %s.", millis(a.RemainingMS), moment(a.until()))
	if a.Local {
		text += fmt.Sprintf(" Only %s them; for the rest of the fleet it is closed.", rejecting(a.Breaker))
	}
	return text
}

// gaps says what the answer lacks.
func (a *account) gaps() string {
	var text []string
	if a.Note != "" {
		text = append(text, fmt.Sprintf("Careful: %s. What its owner counted, and which permits are out, is not known.", a.Note))
	}
	if len(a.Partial) > 0 {
		text = append(text, fmt.Sprintf("%s did not answer: whether a ring is open there is not known.", list(a.Partial)))
	}
	return strings.Join(text, " ")
}

// rings tells of nodes that reject by what they saw themselves, beside a state
// that holds for the whole fleet.
func (a *account) rings() string {
	if a.Local || len(a.LocalNodes) == 0 {
		return ""
	}
	return fmt.Sprintf("The %s of %s %s open too: calls failed there.",
		verb(len(a.LocalNodes), "ring", "rings"), list(a.LocalNodes), verb(len(a.LocalNodes), "is", "are"))
}

// adopted is the detail of a transition by which an owner took over what others
// knew: when that began it does not say.
const adopted = "adopted"

// since says when it came into its state.
func (a *account) since() string {
	last := a.Last
	if last == nil {
		if a.is(breaker.Closed) || a.Local || a.Note != "" || len(a.Cooldowns) > 0 {
			return "" // a ring has no transitions; a cooldown says itself when it was set; the owner is silent
		}
		return "When that began is not known: its owner took it over afterwards, or was restarted."
	}
	at := fmt.Sprintf("%s (%s)", moment(last.At), ago(last.At, a.now))
	var text string
	switch {
	case last.Detail == adopted && a.Since != nil && !a.is(breaker.Closed):
		text = fmt.Sprintf("It has not been closed since %s (%s). Its owner took it over at %s.", moment(*a.Since), ago(*a.Since, a.now), at)
	case last.Detail == adopted:
		text = fmt.Sprintf("Its owner heard at %s that it is %s.", at, last.To)
	case last.To == breaker.Closed.String() && last.Author != "":
		text = fmt.Sprintf("%s closed it at %s.", last.Author, at)
	case last.To == breaker.Closed.String():
		text = fmt.Sprintf("It recovered at %s: it was %s before.", at, last.From)
	case last.To == breaker.HalfOpen.String():
		text = fmt.Sprintf("The time it was open for ran out at %s.", at)
	case last.From == last.To:
		text = fmt.Sprintf("Its time was extended at %s.", at)
	default:
		text = fmt.Sprintf("It went from %s to %s at %s.", last.From, last.To, at)
	}
	if a.Opens > 1 {
		text += fmt.Sprintf(" It has opened %d times since it was last closed.", a.Opens)
	}
	return text
}

// rule says which rule fired, with its numbers.
func (a *account) rule() string {
	if a.is(breaker.Closed) || a.Reason == "" {
		return ""
	}
	text := "Rule: " + a.Reason + ". " + a.ruleWords()
	if a.Detail != "" && !strings.Contains(text, fmt.Sprintf("%q", a.Detail)) {
		text += fmt.Sprintf(" Detail: %q.", a.Detail)
	}
	return strings.TrimSpace(text)
}

func (a *account) ruleWords() string {
	switch breaker.Reason(a.Reason) {
	case breaker.ReasonRetryAfter:
		return "The host itself asked for this pause; one answer is enough, and no other node has to agree." + a.cooldownWords()
	case breaker.ReasonCLIOpen:
		return "An operator opened it." + a.cooldownWords()
	case breaker.ReasonStore:
		return "A row in the shared cooldown store, written by another program, asks to leave it alone." + a.cooldownWords()
	case breaker.ReasonConsecutive:
		return a.runWords()
	case breaker.ReasonRolling:
		return "Too many calls failed within a short time, over all roles." + theLimit(a.Rolling, "failures")
	case breaker.ReasonFailureRate:
		return "Too large a part of the calls failed." + theLimit(a.Rate, ofTheCalls)
	case breaker.ReasonProbeFailed:
		return "It was probed, the probe failed, and so it opened again."
	case breaker.ReasonProbePending:
		return "All probes that may be out at once are out; other calls wait for what they find."
	case breaker.ReasonLocalEvidence:
		return a.localWords()
	}
	return "This version of fleetfuse-ctl does not know that rule."
}

// localWords tells of rings that opened although the fleet did not agree.
func (a *account) localWords() string {
	where := "the node asked"
	if len(a.LocalNodes) > 0 {
		where = list(a.LocalNodes)
	}
	return fmt.Sprintf("Calls failed on %s, and too few other nodes say the same. The fault may lie there: in the network, in the DNS, or in an address that the host refuses.", where)
}

// cooldownWords tells the cooldown behind the state. The first one is the
// longest, which is the one that counts.
func (a *account) cooldownWords() string {
	if len(a.Cooldowns) == 0 || a.Cooldowns[0].Reason != a.Reason {
		if a.Author != "" {
			return " It was " + a.Author + "."
		}
		return ""
	}
	text := " " + cooldownText(a.Cooldowns[0])
	if p := a.Policy; p != nil && a.Reason == string(breaker.ReasonRetryAfter) && p.RetryAfterCapMS > 0 {
		text += fmt.Sprintf(" No more than %s of a Retry-After are honoured (retry_after_cap).", millis(p.RetryAfterCapMS))
	}
	return text
}

func cooldownText(c api.Cooldown) string {
	who := orNode(c.Author, c.SetBy)
	foreign := c.Reason == string(breaker.ReasonStore) // no node set it
	if foreign {
		who = "Another program"
	}
	text := fmt.Sprintf("%s asked for %s at %s", who, millis(c.LengthMS), moment(c.SetAt))
	if c.Author != "" && c.SetBy != "" && !foreign {
		text += ", on node " + c.SetBy
	}
	if c.Detail != "" {
		text += fmt.Sprintf(": %q", c.Detail)
	}
	return text + "."
}

func orNode(author, node string) string {
	switch {
	case author != "":
		return author
	case node != "":
		return "The answer that node " + node + " got"
	}
	return "Somebody"
}

// runWords tells the run of failures that tripped the circuit.
func (a *account) runWords() string {
	text := "Calls failed one after another"
	if l := a.opened(); l != nil && l.Failures > 0 && l.Reason == a.Reason {
		text = fmt.Sprintf("%s%s failed one after another", count(l.Failures, "call"), ofRole(l.Role))
	}
	if p := a.Policy; p != nil && p.FailMax > 0 {
		text += fmt.Sprintf(" (fail_max is %d)", a.failMax())
	}
	text += "."
	if p := a.Policy; p != nil && p.Witnesses > 1 {
		text += fmt.Sprintf(" In a fleet %d nodes have to see it (witnesses).", p.Witnesses)
	}
	return text
}

// failMax is the limit of the role that tripped it.
func (a *account) failMax() int {
	if l := a.opened(); l != nil {
		if r, ok := a.Policy.Roles[l.Role]; ok && r.FailMax > 0 {
			return r.FailMax
		}
	}
	return a.Policy.FailMax
}

func ofRole(role string) string {
	if role == "" {
		return ""
	}
	return " of role " + role
}

// ofTheCalls is the unit of a threshold that is a ratio.
const ofTheCalls = "of the calls"

func theLimit(w *api.Window, unit string) string {
	if w == nil || w.WindowMS <= 0 {
		return ""
	}
	return " The limit is " + threshold(w, unit) + "."
}

// threshold writes "6 failures within 30s" or "50 % of the calls within 1m".
func threshold(w *api.Window, unit string) string {
	limit := fmt.Sprintf("%g", w.Threshold)
	if unit == ofTheCalls {
		limit = fmt.Sprintf("%.3g %%", w.Threshold*100)
	}
	limit += " " + unit + " within " + millis(w.WindowMS)
	if w.MinCalls > 0 {
		limit += fmt.Sprintf(", of at least %d", w.MinCalls)
	}
	return limit
}
