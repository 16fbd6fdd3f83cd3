package main

import (
	"fmt"
	"strings"
	"testing"

	"fleetfuse/api"
)

func TestConfigShow(t *testing.T) {
	well := api.ConfigResponse{
		Node: "n1", Hash: "1f3a9c22b7d04e55", Files: []string{"/etc/fleetfuse/fleetfuse.yaml", "/etc/fleetfuse/breakers.yaml"},
		Options: []api.ConfigValue{
			{Name: "cluster.label", Value: "", Origin: "default"},
			{Name: "cooldown_store", Value: "redis://fleet:***@r1:6379/0", Origin: "env FLEETFUSE_COOLDOWN_STORE"},
			{Name: "http.listen_address", Value: "127.0.0.1:7140", Origin: "default"},
			{Name: "node.name", Value: "n1", Origin: "flag --node.name"},
		},
		Values: []api.PolicyValue{
			{Field: "fail_max", Value: 3, Origin: "profile conservative"},
			{Field: "reset_timeout", Value: "1m30s", Origin: "breakers.yaml:4:3"},
			{Field: "mode", Value: "enforce", Origin: "default"},
		},
		Hosts: 3, Wildcards: 1, LoadedAt: at(-3600),
	}
	named := well
	named.Key, named.Values = "resolver:Crossref", []api.PolicyValue{{Field: "mode", Value: "enforce", Origin: "default"}}
	failed := well
	failed.NeedsRestart = []string{"log.level"}
	failed.Key, failed.Files = "host:arxiv.org", nil
	failed.Failed = &api.FailedReload{At: at(-65), Errors: []string{
		`/etc/fleetfuse/breakers.yaml:3:5: unknown policy field "fail_mx"; did you mean fail_max?`, "/etc/fleetfuse/breakers.yaml:9:5: fail_max is 0; at least 1"}}
	term := newTerminal(t, node{"GET /v1/config": well, "GET /v1/config?key=resolver%3ACrossref": named, "GET /v1/config?key=host%3Aarxiv.org": failed})
	term.types("config", "show")
	term.types("config", "show", "--all")
	term.types("config", "show", "--host", "resolver:Crossref")
	term.types("config", "show", "--host", "ARXIV.org")
	term.types("config", "show", "--host", "resolver:Crossref", "-o", "json")
	term.golden("config-show")
}

func TestConfigReload(t *testing.T) {
	changed := api.ReloadResponse{
		Node: "n1", Hash: "77ab01cd99", Before: "1f3a9c22b7",
		Changes: []api.ConfigChange{
			{Scope: "defaults", Field: "fail_max", From: "5", To: "3", Origin: "breakers.yaml:2:3"},
			{Scope: "host:*.example.org", Field: "roles.metadata.trial_calls", To: "2", Origin: "breakers.yaml:14:5"},
			{Scope: "resolver:crossref", Field: "mode", From: "shadow"},
		},
		NeedsRestart: []string{"http.listen_address", "cooldown_store"},
	}
	many := api.ReloadResponse{Node: "n1", Hash: "a", Before: "b", More: 20}
	for i := range 130 {
		many.Changes = append(many.Changes, api.ConfigChange{Scope: fmt.Sprintf("host:h%03d.org", i), Field: "fail_max", From: "5", To: "3"})
	}
	refused := &api.Problem{
		Status: 422, Detail: "the configuration was not reloaded, the old one stays in force: 2 problems",
		Errors: []string{`breakers.yaml:3:5: unknown policy field "fail_mx"; did you mean fail_max?`, "breakers.yaml:9:5: fail_max is 0; at least 1"},
		Try:    "fleetfuse-ctl config check FILE..., correct it, then reload again",
	}
	var term *terminal
	for _, answer := range []any{
		changed, api.ReloadResponse{Node: "n1", Hash: "a", Before: "a", Changes: []api.ConfigChange{}},
		refused, &api.Problem{Status: 422, Detail: "not reloaded", Errors: []string{"breakers.yaml: permission denied"}},
		&api.Problem{Status: 503, Detail: "the configuration was not read in time", Try: "fleetfuse-ctl config show"},
	} {
		next := newTerminal(t, node{"POST /v1/config/reload": answer})
		next.types("config", "reload")
		next.types("config", "reload", "-o", "json")
		if term != nil {
			term.log.Write(next.log.Bytes())
		} else {
			term = next
		}
	}
	term.golden("config-reload")

	stdout, _, code := newTerminal(t, node{"POST /v1/config/reload": many}).run(t.Context(), "config", "reload")
	if lines := strings.Count(stdout, "\n"); code != 0 || lines != 103 || !strings.Contains(stdout, ": 150 changes") || !strings.Contains(stdout, "and 50 more") {
		t.Errorf("150 changes: exit %d, %d lines, %s", code, lines, stdout)
	}
}
