package telemetry

import (
	"fmt"
	"strconv"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// API is the event as the HTTP API shows it, and as the log keeps it.
func (e *Event) API() api.Event {
	a := api.Event{
		ID: e.ID().String(), Seq: e.Seq, Time: e.Time.UTC(), Kind: string(e.Kind), Key: string(e.Key), Node: e.Node, Role: e.Role,
		From: e.From, To: e.To, Reason: string(e.Reason), Detail: e.Detail, Author: e.Author, LengthMS: e.Length.Milliseconds(),
		PolicyVersion: stampText(e.PolicyVersion), Owner: e.Owner, Stamp: stampText(e.Stamp),
	}
	if v := e.Evidence; v.Failures != 0 || v.Status != 0 || v.Error != "" || v.RetryAfter != "" || len(v.Witnesses) > 0 {
		shown := api.EventEvidence(v)
		a.Evidence = &shown
	}
	return a
}

// EventFromAPI reads what API wrote. It does not look at the ID, which follows
// from the rest.
func EventFromAPI(a api.Event) (Event, error) {
	version, err := parseStamp(a.PolicyVersion)
	if err != nil {
		return Event{}, fmt.Errorf("policy_version of event %s: %w", a.ID, err)
	}
	stamp, err := parseStamp(a.Stamp)
	if err != nil {
		return Event{}, fmt.Errorf("stamp of event %s: %w", a.ID, err)
	}
	e := Event{
		Seq: a.Seq, Time: a.Time.UTC(), Kind: Kind(a.Kind), Key: breaker.Key(a.Key), Node: a.Node, Role: a.Role, From: a.From, To: a.To,
		Reason: breaker.Reason(a.Reason), Detail: a.Detail, Author: a.Author, Length: time.Duration(a.LengthMS) * time.Millisecond,
		PolicyVersion: version, Owner: a.Owner, Stamp: stamp,
	}
	if a.Evidence != nil {
		e.Evidence = Evidence(*a.Evidence)
	}
	return e, nil
}

// stampText is a stamp as text: as a number it would lose its last bits in
// JavaScript.
func stampText(s breaker.Stamp) string {
	if s == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(s), 10)
}

func parseStamp(s string) (breaker.Stamp, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return breaker.Stamp(n), err
}
