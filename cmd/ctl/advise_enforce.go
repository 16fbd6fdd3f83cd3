package main

import (
	"errors"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// An enforcement is what advise --enforce answers, as JSON.
type enforcement struct {
	Plan     *api.AdviceResponse  `json:"plan,omitempty"` // not with --plan
	Enforced *api.EnforceResponse `json:"enforced,omitempty"`
}

// enforcePlan does what a plan says. The plan is nil if only its ID is known.
func (s *session) enforcePlan(cmd *cobra.Command, plan *api.AdviceResponse, id string) error {
	done := enforcement{Plan: plan}
	if plan != nil && !hasWork(*plan) {
		if s.json() {
			return s.printJSON(done)
		}
		return s.print("\nThere is nothing to enforce.\n")
	}
	client, err := s.client()
	if err != nil {
		return err
	}
	r, err := client.Enforce(cmd.Context(), id, s.author())
	if err == nil {
		done.Enforced = &r
	}
	if s.json() && (plan != nil || err == nil) { // the plan was not told yet
		if err := s.printJSON(done); err != nil {
			return err
		}
	}
	var blocked *api.Problem
	if errors.As(err, &blocked) && blocked.Status == http.StatusConflict {
		s.complain(cmd, "", err)
		return failure(exitRefused)
	}
	if err != nil {
		return err
	}
	if !s.json() {
		if err := s.print(s.enforcedText(r)); err != nil {
			return err
		}
	}
	for _, b := range r.Applied {
		if !b.Durable {
			s.sayVolatile(b.Key, b.Error)
		}
	}
	if len(r.Failed) > 0 {
		return errNo
	}
	return nil
}

// hasWork reports whether a plan changes anything.
func hasWork(plan api.AdviceResponse) bool {
	for _, b := range plan.Breakers {
		for _, c := range b.Changes {
			if c.Verdict != api.VerdictRefused {
				return true
			}
		}
	}
	return false
}

// enforcedText says what was applied, what waits, what failed, and how long it
// stays.
func (s *session) enforcedText(r api.EnforceResponse) string {
	var t strings.Builder
	t.WriteString("\n" + printable("Plan "+r.ID+" was enforced by "+s.author()+": "+count(len(r.Applied), "breaker")+" changed") + "\n")
	for _, b := range r.Applied {
		t.WriteString("\n" + printable(b.Key+"  "+safety(b.Durable, b.Copies)) + "\n" + changesText(b.Changes))
	}
	t.WriteString(entries("Waiting, until the change has done well where it is tried first:", hostArgs(r.Waiting)))
	failed := make([]string, len(r.Failed))
	for i, b := range r.Failed {
		failed[i] = hostArg(breaker.Key(b.Key)) + "  " + orDash(b.Error)
	}
	t.WriteString(entries("Failed:", failed))
	t.WriteString("\n")
	if r.Note != "" {
		t.WriteString(wrap(printable(r.Note), textWidth) + "\n")
	}
	host, subject := "HOST", "Each change stays until: "
	if len(r.Applied) == 1 && len(r.Waiting) == 0 {
		host, subject = hostArg(breaker.Key(r.Applied[0].Key)), "The change stays until: "
	}
	t.WriteString(printable(subject+"fleetfuse-ctl policy reset "+host) + "\n")
	return t.String()
}

// hostArgs are keys as an operator types them.
func hostArgs(keys []string) []string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = hostArg(breaker.Key(k))
	}
	return list
}
