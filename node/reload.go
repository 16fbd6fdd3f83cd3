package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/config"
	"fleetfuse/cooldownstore"
	"fleetfuse/httpapi"
	"fleetfuse/telemetry"
)

// reloads is what is known of reading the configuration again.
type reloads struct {
	one chan struct{} // a token: none is under way

	mu     sync.Mutex
	loaded time.Time // when what is in force was read
	unmet  []string  // options that were changed and need a restart
	failed *api.FailedReload
	done   uint64
	wrong  uint64
}

// maxShownChanges bounds what the answer to a reload lists, of changes or problems.
const maxShownChanges = 100

// errNoReload says that this node was started without a way to read it again.
var errNoReload = errors.New("this node cannot read its configuration again; restart it")

// Reload reads the configuration again: its policies, and the tuner's options, are in
// force when it returns. On an error, which joins all that is wrong, nothing was changed.
// Breakers forget nothing.
func (n *Node) Reload(ctx context.Context) (api.ReloadResponse, error) {
	select {
	case <-n.reloads.one:
	default:
		return api.ReloadResponse{}, httpapi.ErrReloading
	}
	type outcome struct {
		answer api.ReloadResponse
		err    error
	}
	done := make(chan outcome, 1)
	go func() { // a file on a disk that hangs must not keep anybody waiting
		a, err := n.reloaded()
		n.reloads.one <- struct{}{}
		done <- outcome{a, err}
	}()
	select {
	case o := <-done:
		return o.answer, o.err
	case <-ctx.Done():
		return api.ReloadResponse{}, fmt.Errorf("%w: %w", httpapi.ErrReloading, context.Cause(ctx))
	}
}

// reloaded reloads and remembers how that went.
func (n *Node) reloaded() (api.ReloadResponse, error) {
	a, err := n.reload()
	at := time.Now().UTC()
	n.reloads.mu.Lock()
	defer n.reloads.mu.Unlock()
	if err != nil {
		texts := textsOf(err)
		if more := len(texts) - maxShownChanges; more > 0 {
			texts = append(texts[:maxShownChanges:maxShownChanges], fmt.Sprintf("and %d more problems", more))
		}
		n.reloads.failed = &api.FailedReload{At: at, Errors: texts}
		n.reloads.wrong++
		n.part(partReload, false, texts[0])
		n.opt.Logger.Error("the configuration was not reloaded; what was in force stays so", slog.String("err", strings.Join(texts, "; ")))
		return a, err
	}
	n.reloads.failed, n.reloads.loaded, n.reloads.unmet = nil, at, a.NeedsRestart
	n.reloads.done++
	n.part(partReload, true, "")
	n.opt.Logger.Info("the configuration was reloaded", slog.Int("changes", len(a.Changes)+a.More), slog.String("hash", a.Hash),
		slog.Any("needs_restart", a.NeedsRestart))
	return a, nil
}

func (n *Node) reload() (api.ReloadResponse, error) {
	a := api.ReloadResponse{Node: n.opt.Name, Before: n.configHash(), Changes: []api.ConfigChange{}}
	if n.opt.Reload == nil {
		return a, errNoReload
	}
	read, err := n.opt.Reload()
	if err != nil {
		return a, err
	}
	old := n.policies.current()
	next := old.Reloaded(&read)
	now := n.clock.Now()
	for _, c := range config.DiffReloaded(old, &next) {
		if len(a.Changes) == maxShownChanges {
			a.More++
			continue
		}
		a.Changes = append(a.Changes, api.ConfigChange{Scope: c.Scope, Field: c.Field, From: c.From, To: c.To, Origin: c.Origin.String()})
	}
	a.NeedsRestart = read.Restart(old)
	if err := n.policies.replace(&next, now); err != nil {
		return a, err
	}
	n.gate.Replace()
	n.board.policiesReplaced()
	n.cluster.SetConfigHash(n.policies.hash())
	n.tellStanding()
	a.Hash = n.configHash()
	return a, nil
}

func (n *Node) configHash() string { return fmt.Sprintf("%016x", n.policies.hash()) }

// policiesReplaced tells the streams that any policy may be another one.
func (b *board) policiesReplaced() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tellWatchers("")
}

// Config implements httpapi.Policies.
func (n *Node) Config(key breaker.Key) api.ConfigResponse {
	c := n.policies.current()
	a := api.ConfigResponse{
		Node: n.opt.Name, Hash: n.configHash(), Files: c.Files, Key: string(key),
		Hosts: len(c.Breakers.Hosts), Wildcards: len(c.Breakers.Wildcards()), Resolvers: len(c.Breakers.Resolvers), Values: shownValues(c.Breakers.Values(key)),
	}
	for _, o := range c.Options() {
		a.Options = append(a.Options, api.ConfigValue{Name: o.Name, Value: o.Value, Origin: o.Origin.String()})
	}
	n.reloads.mu.Lock()
	defer n.reloads.mu.Unlock()
	a.LoadedAt, a.Failed, a.NeedsRestart = n.reloads.loaded.UTC(), n.reloads.failed, n.reloads.unmet
	return a
}

// needsRestart names the options that were changed and that this node does not run with.
func (n *Node) needsRestart() []string {
	n.reloads.mu.Lock()
	defer n.reloads.mu.Unlock()
	return n.reloads.unmet
}

// policyProblems says what is not normal about the policies.
func (n *Node) policyProblems(problem func(string, ...any)) {
	n.reloads.mu.Lock()
	failed := n.reloads.failed
	n.reloads.mu.Unlock()
	if failed != nil {
		problem("the configuration was not reloaded at %s: %s; what was in force stays so", failed.At.Format(time.RFC3339), failed.Errors[0])
	}
	if keys := n.policies.invalid(); len(keys) > 0 {
		problem("the policy overlays of %d breakers do not fit this node's configuration and are not obeyed, %s among them", len(keys), keys[0])
	}
}

func (n *Node) samplePolicies(s *telemetry.Sample) {
	s.Set("policy_overlays", float64(n.policies.overlaid(n.clock.Now())))
	s.Set("policy_overlays_invalid", float64(len(n.policies.invalid())))
	r := &n.reloads
	r.mu.Lock()
	done, wrong, failed, loaded := r.done, r.wrong, r.failed != nil, r.loaded
	r.mu.Unlock()
	s.Count("config_reloads_total", done)
	s.Count("config_reload_failures_total", wrong)
	s.Truth("config_last_reload_successful", !failed)
	s.Set("config_loaded_timestamp_seconds", cooldownstore.EpochSeconds(loaded))
}
