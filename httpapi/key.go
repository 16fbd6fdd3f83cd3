package httpapi

import (
	"net/http"

	"fleetfuse/breaker"
	"fleetfuse/hostname"
)

// keyOf reads {scope} and {name}. It answers the request itself on an error.
func keyOf(w http.ResponseWriter, r *http.Request) (breaker.Key, bool) {
	k, err := hostname.KeyIn(r.PathValue("scope"), r.PathValue("name"))
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error(), "/v1/breakers/host/api.example.org")
	}
	return k, err == nil
}

// parseKey reads a key as people write it in a query.
func parseKey(text string) (breaker.Key, error) { return hostname.Key(text) }
