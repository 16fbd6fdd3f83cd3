package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

// An operation is what open and close answer, as JSON.
type operation struct {
	Author  string                 `json:"author"`
	Results []api.OperatorResponse `json:"results"`
	Failed  []failedKey            `json:"failed,omitempty"`
}

// operate carries out an operator's word for every key. A table says each
// result as it comes, because the next one may take seconds.
func (s *session) operate(cmd *cobra.Command, keys []breaker.Key, do func(*admin.Client, breaker.Key) (api.OperatorResponse, error)) error {
	o := operation{Author: s.author(), Results: []api.OperatorResponse{}}
	failed, err := s.each(cmd, keys, func(c *admin.Client, key breaker.Key) error {
		r, err := do(c, key)
		if err != nil {
			return err
		}
		o.Results = append(o.Results, r)
		if !s.json() {
			if err := s.print(s.resultLine(r)); err != nil {
				return err
			}
		}
		if !r.Durable {
			s.sayVolatile(r.Key, r.Detail)
		}
		return nil
	})
	// What was done is told even if the command was interrupted afterwards.
	if s.json() && (err == nil || len(failed)+len(o.Results) > 0) {
		o.Failed = failed
		if err := s.printJSON(o); err != nil {
			return err
		}
	}
	return err
}

// resultLine says before -> after, until when, how safely and who.
func (s *session) resultLine(r api.OperatorResponse) string {
	text := printable(r.Key) + "  " + s.paint(printable(r.Before)) + " -> " + s.paint(printable(r.State))
	if r.Until != nil && r.State != breaker.Closed.String() {
		text += fmt.Sprintf(" until %s (%s)", moment(*r.Until), span(r.Until.Sub(s.env.now())))
	}
	return text + ", " + safety(r.Durable, r.Copies) + ", by " + printable(s.author()) + "\n"
}

// safety says how safely something is kept.
func safety(durable bool, copies int) string {
	text := "durable, "
	if !durable {
		text = "not durable, "
	}
	if copies == 1 {
		return text + "1 copy"
	}
	return text + fmt.Sprintf("%d copies", copies)
}

// sayVolatile warns of what no disk has.
func (s *session) sayVolatile(key, detail string) {
	why := ""
	if detail != "" {
		why = " (" + detail + ")"
	}
	s.say("warning: %s: this is in memory only%s; a restart of its node forgets it", key, why)
	s.say("Try: fleetfuse-ctl status")
}
