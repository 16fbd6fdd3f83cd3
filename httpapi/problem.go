package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"fleetfuse/api"
)

// maxProblemErrors bounds how many errors a problem lists.
const maxProblemErrors = 100

// fail answers with a problem: what and where, and what to do next.
func fail(w http.ResponseWriter, code int, detail, try string) {
	refuse(w, api.Problem{Status: code, Detail: detail, Try: try})
}

// refuse answers with a problem whose type and title follow from its status.
func refuse(w http.ResponseWriter, p api.Problem) {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller is gone: nobody to tell
}

// each lists the errors that err joins. What was said before a join is said
// before each of them; ErrBadPolicy is left out, which the answer says once.
func each(err error) []string {
	var parts []error
	switch x := err.(type) {
	case interface{ Unwrap() []error }:
		parts = x.Unwrap()
	case interface{ Unwrap() error }:
		parts = []error{x.Unwrap()}
	}
	var list, texts []string
	for _, part := range parts {
		if part == nil || part == ErrBadPolicy {
			continue
		}
		list, texts = append(list, each(part)...), append(texts, part.Error())
	}
	before, ok := strings.CutSuffix(err.Error(), strings.Join(texts, "\n"))
	if len(list) == 0 || !ok { // not a join: the parts alone would not say what it says
		text := strings.TrimPrefix(err.Error(), ErrBadPolicy.Error()+": ")
		return []string{strings.TrimSuffix(text, ": "+ErrBadPolicy.Error())}
	}
	before = strings.TrimLeft(strings.TrimPrefix(before, ErrBadPolicy.Error()), ":\n ")
	for i := range list {
		list[i] = before + list[i]
	}
	return list
}

// limited is a list cut to what a problem may hold, with a word about the rest.
func limited(list []string) []string {
	if len(list) <= maxProblemErrors {
		return list
	}
	rest := len(list) - maxProblemErrors + 1
	return append(list[:maxProblemErrors-1:maxProblemErrors-1], fmt.Sprintf("and %d more", rest))
}
