package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

// findings are what was found out about one breaker. Only the breaker itself is
// needed to explain it.
type findings struct {
	api.Breaker
	values     []api.PolicyValue
	beliefs    *api.BeliefsResponse
	events     []api.Event
	silent     []string // members whose events are missing
	unanswered []string
}

// lastEvents is how many events are told.
const lastEvents = 5

// find asks for all of it at once.
func (s *session) find(cmd *cobra.Command, arg string) (f findings, err error) {
	keys, err := parseKeys(cmd, []string{arg})
	if err != nil {
		return f, err
	}
	client, err := s.client()
	if err != nil {
		return f, err
	}
	f.events = []api.Event{}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	var asked sync.WaitGroup
	ask := func(what string, put func() error) (missing func() string) {
		var err error
		asked.Go(func() { err = put() })
		return func() string {
			if err == nil {
				return ""
			}
			return what + " " + err.Error()
		}
	}
	extras := []func() string{
		ask("the values of its policy are not known:", func() error { return f.askValues(ctx, client, keys[0]) }),
		ask("what each node believes is not known:", func() error { return f.askBeliefs(ctx, client, keys[0]) }),
		ask("what happened to it last is not known:", func() error { return f.askEvents(ctx, client, keys[0]) }),
	}
	f.Breaker, err = client.Breaker(ctx, keys[0])
	if err != nil {
		cancel() // the rest is of no use
	}
	asked.Wait()
	if len(f.silent) > 0 {
		f.unanswered = append(f.unanswered, fmt.Sprintf("what happened to it last may be incomplete: %s did not answer", list(f.silent)))
	}
	for _, missing := range extras {
		if text := missing(); text != "" {
			f.unanswered = append(f.unanswered, text)
		}
	}
	return f, err
}

func (f *findings) askValues(ctx context.Context, client *admin.Client, key breaker.Key) error {
	r, err := client.Policy(ctx, key)
	f.values = r.Values
	return err
}

func (f *findings) askBeliefs(ctx context.Context, client *admin.Client, key breaker.Key) error {
	r, err := client.Beliefs(ctx, key)
	if err == nil {
		f.beliefs = &r
	}
	return err
}

func (f *findings) askEvents(ctx context.Context, client *admin.Client, key breaker.Key) error {
	r, err := client.Events(ctx, admin.EventsQuery{Key: key, Limit: lastEvents})
	if err != nil {
		return err
	}
	if r.Events != nil {
		f.events = r.Events
	}
	f.silent = r.Missing
	return nil
}
