package telemetry

import (
	"strings"
	"time"

	"fleetfuse/breaker"
)

// EventOf is the event of a transition, given the snapshot it led to. Nodes are
// named by their ids; Time and Owner are for the caller to fill in. Its stamp is
// that of the cooldown, circuit or clear that brought the breaker there, which is
// the same on every node: an owner that adopts what another counted, or reads it
// from its disk, writes down the same event.
func EventOf(key breaker.Key, t breaker.Transition, s breaker.Snapshot) Event {
	w := wordOf(t, s)
	e := Event{
		Kind: KindTransition, Key: key, Node: w.setter, Role: t.Role, From: t.From.String(), To: t.To.String(),
		Reason: t.Reason, Detail: t.Detail, Author: t.Author, Length: w.length, Stamp: w.stamp,
		PolicyVersion: s.Overlay(breaker.RegisterOperator).Stamp,
		Evidence: Evidence{
			Failures: t.Failures, Status: t.Evidence.Status, Error: t.Evidence.Error, RetryAfter: t.Evidence.RetryAfter, Witnesses: t.Nodes,
		},
	}
	switch {
	case t.To == breaker.Open && t.Reason == breaker.ReasonCLIOpen, t.To == breaker.Closed && s.Clear != 0 && w.stamp == s.Clear && t.Stamp != 0:
		e.Kind = KindOperator
	case t.To == breaker.Open && (t.Reason == breaker.ReasonRetryAfter || t.Reason == breaker.ReasonStore):
		e.Kind = KindCooldown
		raw, found := strings.CutPrefix(t.Detail, "Retry-After: ")
		if found && e.Evidence.RetryAfter == "" {
			e.Evidence.RetryAfter = raw
		}
	}
	return e
}

// word is the part of a snapshot that brought a breaker into its state.
type word struct {
	stamp  breaker.Stamp
	setter string
	length time.Duration
}

func wordOf(t breaker.Transition, s breaker.Snapshot) word {
	switch {
	case t.Of != 0: // time alone did it
		return word{stamp: t.Of}
	case t.To == breaker.Closed:
		if c := s.LastClose(); c.Stamp != 0 {
			return word{stamp: c.Stamp}
		}
		return word{stamp: t.Stamp}
	}
	var w word
	for _, c := range s.Cooldowns { // the latest of that reason is the news
		if c.Reason == t.Reason && c.Stamp > w.stamp {
			w = word{c.Stamp, c.Setter, c.Length}
		}
	}
	if w.stamp != 0 {
		return w
	}
	c := s.Circuit
	if t.Stamp == c.Stamp {
		w.length = c.Until.Sub(t.At)
	}
	w.stamp = c.Stamp
	return w
}
