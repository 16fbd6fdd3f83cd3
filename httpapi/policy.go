package httpapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// policy shows what applies to one key, field by field.
func (s *Server) policy(w http.ResponseWriter, r *http.Request) {
	k, ok := keyOf(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), inspectLimit)
	defer cancel()
	resp, err := s.opt.Policies.Policy(ctx, k)
	if err != nil {
		failPolicy(w, k, err)
		return
	}
	if resp.Values == nil {
		resp.Values = []api.PolicyValue{} // [] in JSON, not null
	}
	setTag(w, resp.Version)
	write(w, http.StatusOK, resp)
}

// policyHistory lists the overlays that the fleet remembers of one key.
func (s *Server) policyHistory(w http.ResponseWriter, r *http.Request) {
	k, ok := keyOf(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), inspectLimit)
	defer cancel()
	resp, err := s.opt.Policies.History(ctx, k)
	if err != nil {
		failPolicy(w, k, err)
		return
	}
	if resp.Entries == nil {
		resp.Entries = []api.PolicyOverlay{}
	}
	slices.Sort(resp.Partial)
	write(w, http.StatusOK, resp)
}

// changePolicy merges the body into the operator's overlay (PATCH), puts it in
// its place (PUT), or removes that overlay and the tuner's (DELETE).
func (s *Server) changePolicy(w http.ResponseWriter, r *http.Request) {
	k, ok := keyOf(w, r)
	if !ok {
		return
	}
	dry, ok := dryRun(w, r)
	if !ok {
		return
	}
	req := PolicyRequest{Whole: r.Method != http.MethodPatch, Reset: r.Method == http.MethodDelete, DryRun: dry}
	if (r.Method != http.MethodDelete || r.ContentLength != 0) && !read(w, r, &req.PolicyChange) {
		return
	}
	if err := checkChange(r.Method, &req.PolicyChange); err != nil {
		fail(w, http.StatusBadRequest, err.Error(), tryChange(r.Method))
		return
	}
	req.Author, req.Reason = breaker.Cut(req.Author), breaker.Cut(req.Reason)
	match, err := preconditionOf(r.Header)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error(), tryMatch)
		return
	}
	req.Match = match.version
	if match.never != "" {
		s.neverMatches(w, r, k, match.never)
		return
	}
	resp, err := s.opt.Policies.Change(r.Context(), k, req)
	if err != nil {
		failPolicy(w, k, err)
		return
	}
	if resp.Changes == nil {
		resp.Changes = []api.PolicyDifferent{}
	}
	setTag(w, resp.Version)
	write(w, http.StatusOK, resp)
}

// dryRun reads ?dry_run=. It answers the request itself if ok is false.
func dryRun(w http.ResponseWriter, r *http.Request) (dry, ok bool) {
	values, ok := query(w, r, "dry_run")
	if !ok {
		return false, false
	}
	switch text := values.Get("dry_run"); {
	case !values.Has("dry_run"), text == "false":
		return false, true
	case text == "true":
		return true, true
	default:
		fail(w, http.StatusBadRequest, "dry_run="+quoted(text)+" is neither true nor false", "?dry_run=true")
		return false, false
	}
}

// checkChange returns what is wrong with a change as such. Whether its fields
// and values are any is for Policies.
func checkChange(method string, c *api.PolicyChange) error {
	switch {
	case method == http.MethodDelete && (c.Set != nil || c.Unset != nil || c.For != ""):
		return fmt.Errorf("a DELETE resets the whole overlay: it takes author and reason, not set, unset or for")
	case method == http.MethodDelete:
		return nil
	case method == http.MethodPut && c.Unset != nil:
		return fmt.Errorf("a PUT says all that the overlay has: it takes set and no unset, which is for PATCH")
	case method == http.MethodPut && c.Set == nil:
		return fmt.Errorf("a PUT needs set: the fields that the overlay becomes (to reset it: DELETE)")
	case method == http.MethodPatch && len(c.Set) == 0 && len(c.Unset) == 0:
		return fmt.Errorf("nothing is to be changed: a PATCH names fields in set, in unset or in both")
	case len(c.Set) > api.MaxPolicyFields || len(c.Unset) > 2*api.MaxPolicyFields:
		return fmt.Errorf("%d fields are set and %d unset; at most %d and %d are taken", len(c.Set), len(c.Unset), api.MaxPolicyFields, 2*api.MaxPolicyFields)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Set)) {
		if c.Set[name] == nil {
			return fmt.Errorf("set %s: null is no value (to remove a field from the overlay, PATCH with it in unset)", quoted(name))
		}
		if slices.Contains(c.Unset, name) {
			return fmt.Errorf("%s is in set and in unset: which of them?", quoted(name))
		}
	}
	return checkFor(c)
}

// checkFor returns what is wrong with the time that a change is in force.
func checkFor(c *api.PolicyChange) error {
	if c.For == "" {
		return nil
	}
	d, err := time.ParseDuration(c.For)
	switch {
	case err != nil:
		return fmt.Errorf("for %s is no length of time such as 30m", quoted(c.For))
	case d < api.MinTemporary || d > api.MaxTemporary:
		return fmt.Errorf("for %s: a temporary change lasts from a second to 30 days", quoted(c.For))
	case len(c.Set) == 0:
		return fmt.Errorf("for %s: there is no field in set that it could be about", quoted(c.For))
	}
	return nil
}

func tryChange(method string) string {
	if method == http.MethodDelete {
		return `{"reason":"no longer needed"}, or no body at all`
	}
	return `{"set":{"fail_max":3},"for":"30m","reason":"maintenance"}`
}

// neverMatches answers a tag that no version has with the version there is.
func (s *Server) neverMatches(w http.ResponseWriter, r *http.Request, k breaker.Key, tag string) {
	ctx, cancel := context.WithTimeout(r.Context(), inspectLimit)
	defer cancel()
	resp, err := s.opt.Policies.Policy(ctx, k)
	if err != nil {
		failPolicy(w, k, err)
		return
	}
	setTag(w, resp.Version)
	refuse(w, api.Problem{
		Status: http.StatusPreconditionFailed, Version: resp.Version,
		Detail: fmt.Sprintf("the policy is at version %s; If-Match %s can match no version: they are numbers in double quotes, not weak",
			resp.Version, asSent(tag)),
		Try: fmt.Sprintf("GET the policy, then the same change with If-Match: %q", resp.Version),
	})
}

// failPolicy answers with what came of asking Policies.
func failPolicy(w http.ResponseWriter, k breaker.Key, err error) {
	var differs *ConflictError
	switch {
	case errors.As(err, &differs):
		conflict(w, differs)
	case errors.Is(err, ErrBadPolicy):
		list := each(err)
		p := api.Problem{
			Status: http.StatusBadRequest, Errors: limited(list), Detail: ErrBadPolicy.Error(),
			Try: fmt.Sprintf("fleetfuse-ctl policy show %s --all lists the fields and their values", k),
		}
		switch {
		case len(list) > 1:
			p.Detail += ": " + problems(len(list))
		case list[0] != p.Detail:
			p.Detail += ": " + list[0]
		}
		refuse(w, p)
	default:
		fail(w, http.StatusServiceUnavailable, err.Error(), "fleetfuse-ctl status")
	}
}
