package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// config shows this node's configuration, with the policy of the key asked
// about or the defaults.
func (s *Server) config(w http.ResponseWriter, r *http.Request) {
	values, ok := query(w, r, "host", "key")
	if !ok {
		return
	}
	if len(values) > 1 {
		fail(w, http.StatusBadRequest, "host and key say the same thing", "/v1/config?host=api.example.org")
		return
	}
	var k breaker.Key
	for name := range values {
		var err error
		if k, err = parseKey(values.Get(name)); err != nil {
			fail(w, http.StatusBadRequest, name+": "+err.Error(), "/v1/config?host=api.example.org")
			return
		}
	}
	resp := s.opt.Policies.Config(k)
	if resp.Options == nil {
		resp.Options = []api.ConfigValue{} // [] in JSON, not null
	}
	if resp.Values == nil {
		resp.Values = []api.PolicyValue{}
	}
	write(w, http.StatusOK, resp)
}

// reload reads the configuration again. Nothing of a configuration with an
// error comes into force.
func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 && !read(w, r, &struct{}{}) {
		return
	}
	resp, err := s.opt.Policies.Reload(r.Context())
	switch {
	case errors.Is(err, ErrReloading):
		fail(w, http.StatusServiceUnavailable, err.Error(), "fleetfuse-ctl config show")
	case err != nil:
		list := each(err)
		refuse(w, api.Problem{
			Status: http.StatusUnprocessableEntity, Errors: limited(list),
			Detail: fmt.Sprintf("the configuration was not reloaded, the old one stays in force: %s", problems(len(list))),
			Try:    "fleetfuse-ctl config check FILE..., correct it, then reload again",
		})
	default:
		if resp.Changes == nil {
			resp.Changes = []api.ConfigChange{}
		}
		write(w, http.StatusOK, resp)
	}
}

func problems(n int) string {
	if n == 1 {
		return "1 problem"
	}
	return fmt.Sprintf("%d problems", n)
}
