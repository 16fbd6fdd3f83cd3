package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// A precondition is what If-Match says. The zero precondition always holds.
type precondition struct {
	version *string // the version it must be made from
	never   string  // a tag that no version has, so that it cannot hold
}

const tryMatch = `If-Match: "VERSION", with the version that GET answers`

// preconditionOf reads If-Match (RFC 9110, 13.1.1). A policy always has a
// version, "0" at first, so "*" always holds. Weak tags never match.
func preconditionOf(h http.Header) (precondition, error) {
	if len(h.Values("If-None-Match")) > 0 {
		return precondition{}, fmt.Errorf(`If-None-Match is not taken here; If-Match: "0" holds while nothing was replaced`)
	}
	lines := h.Values("If-Match")
	if len(lines) == 0 {
		return precondition{}, nil
	}
	text := strings.TrimSpace(strings.Join(lines, ","))
	if text == "*" {
		return precondition{}, nil
	}
	strong, weak := strings.CutPrefix(text, "W/")
	tag, rest, ok := cutTag(strong)
	switch {
	case !ok:
		return precondition{}, fmt.Errorf("If-Match %s is no version in double quotes", asSent(text))
	case strings.HasPrefix(rest, ","):
		return precondition{}, fmt.Errorf("If-Match has several versions; a policy is made from one")
	case rest != "":
		return precondition{}, fmt.Errorf("If-Match %s has text after the version", asSent(text))
	case weak || !isVersion(tag):
		return precondition{never: text}, nil
	}
	return precondition{version: &tag}, nil
}

// cutTag cuts what is between double quotes off the text's beginning.
func cutTag(text string) (tag, rest string, ok bool) {
	text, ok = strings.CutPrefix(text, `"`)
	if !ok {
		return "", "", false
	}
	tag, rest, ok = strings.Cut(text, `"`)
	return tag, strings.TrimSpace(rest), ok
}

// isVersion reports whether text is a number in the one spelling versions have.
func isVersion(text string) bool {
	n, err := strconv.ParseUint(text, 10, 64)
	return err == nil && strconv.FormatUint(n, 10) == text
}

// quoted shows what a caller sent, cut to a length that fits a message.
func quoted(text string) string { return strconv.Quote(breaker.Cut(text)) }

// asSent shows a tag, which has quotes of its own.
func asSent(tag string) string {
	if tag = breaker.Cut(tag); tag != "" && strconv.CanBackquote(tag) {
		return tag
	}
	return strconv.Quote(tag)
}

// setTag puts a version into the answer's header.
func setTag(w http.ResponseWriter, version string) {
	if version != "" {
		w.Header().Set("ETag", `"`+version+`"`)
	}
}

// conflict answers that the policy is of another version than expected.
func conflict(w http.ResponseWriter, err *ConflictError) {
	setTag(w, err.Have)
	refuse(w, api.Problem{
		Status: http.StatusPreconditionFailed, Detail: err.Error(), Version: err.Have,
		Try: fmt.Sprintf("GET the policy, then the same change with If-Match: %q", err.Have),
	})
}

// query reads the parameters of a call that takes only those named, each at
// most once: a misspelt dry_run must not become a change. It answers the
// request itself if it returns false.
func query(w http.ResponseWriter, r *http.Request, names ...string) (url.Values, bool) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		fail(w, http.StatusBadRequest, "the query cannot be read: "+err.Error(), "GET /openapi.json shows the parameters")
		return nil, false
	}
	for name, list := range values {
		switch {
		case !slices.Contains(names, name):
			has := "has none"
			if len(names) > 0 {
				has = "has " + strings.Join(names, " ")
			}
			fail(w, http.StatusBadRequest, fmt.Sprintf("%s is no parameter of this call, which %s", quoted(name), has),
				"GET /openapi.json shows the parameters")
			return nil, false
		case len(list) > 1:
			fail(w, http.StatusBadRequest, name+" is given twice", "?"+name+"= once")
			return nil, false
		}
	}
	return values, true
}

// bare is a call that takes no parameters.
func bare(call http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, ok := query(w, r); ok {
			call(w, r)
		}
	}
}
