package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/tuner"
)

// A Tuner is the fleet's one tuner, here or on another member. Its errors are
// those below; any other says that none answered.
type Tuner interface {
	// Advise looks at the last so much time (0: as configured) of one breaker, or
	// of all with "", and remembers a plan that changes something for ten minutes. It
	// is an *UncalledError of a breaker that nobody called in that time.
	Advise(ctx context.Context, key breaker.Key, window time.Duration) (api.AdviceResponse, error)
	// Enforce does exactly what a plan says. It is ErrUnknownPlan, or a
	// *BlockedError with nothing done.
	Enforce(ctx context.Context, id, author string) (api.EnforceResponse, error)
	// Explain tells what is advised about one breaker, and what the tuner did to
	// it. It is an *UncalledError if there is nothing to tell.
	Explain(ctx context.Context, key breaker.Key) (api.ExplainResponse, error)
}

// ErrUnknownPlan says that the tuner does not remember a plan.
var ErrUnknownPlan = errors.New("it is older than ten minutes, changes nothing now, or the tuner moved")

// ErrBusy says that there was no room for another question in time.
var ErrBusy = errors.New("the tuner is busy with other plans; try again in some seconds")

// A BlockedError says why a plan is not enforced: every reason there is.
type BlockedError struct{ Reasons []string }

func (e *BlockedError) Error() string {
	if len(e.Reasons) == 1 {
		return "nothing is enforced: " + e.Reasons[0]
	}
	return fmt.Sprintf("nothing is enforced, for %d reasons", len(e.Reasons))
}

// An UncalledError says that there is nothing to advise on.
type UncalledError struct {
	Key    breaker.Key
	Window time.Duration
}

func (e *UncalledError) Error() string {
	return fmt.Sprintf("nobody called %s in the last %v; counts are up to a second old", e.Key, e.Window)
}

// Limits of the questions: to the members, and to the owners of all breakers that a plan
// changes.
const (
	adviceLimit  = 20 * time.Second
	enforceLimit = 50 * time.Second
)

// advise answers with a plan.
func (s *Server) advise(w http.ResponseWriter, r *http.Request) {
	const example = "/v1/advice?window=600s&key=api.example.org"
	values, ok := query(w, r, "window", "key")
	if !ok {
		return
	}
	var key breaker.Key
	var window time.Duration
	var problems []error
	if values.Has("key") {
		var err error
		if key, err = parseKey(values.Get("key")); err != nil {
			problems = append(problems, fmt.Errorf("key: %w", err))
		}
	}
	if text := values.Get("window"); values.Has("window") {
		d, err := time.ParseDuration(text)
		if err != nil || d < tuner.LeastWindow || d > tuner.MostWindow {
			problems = append(problems, fmt.Errorf("the window %s is not a duration from %v to %v", quoted(text), tuner.LeastWindow, tuner.MostWindow))
		}
		window = d
	}
	if err := errors.Join(problems...); err != nil {
		list := each(err)
		p := api.Problem{Status: http.StatusBadRequest, Detail: "advice cannot be asked for like this", Errors: list, Try: example}
		if len(list) == 1 {
			p.Detail += ": " + list[0]
		}
		refuse(w, p)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), adviceLimit)
	defer cancel()
	resp, err := s.opt.Tuner.Advise(ctx, key, window)
	if err != nil {
		failTuner(w, err)
		return
	}
	fillAdvice(&resp)
	write(w, http.StatusOK, resp)
}

// enforce does what a plan says.
func (s *Server) enforce(w http.ResponseWriter, r *http.Request) {
	var req api.EnforceRequest
	if !read(w, r, &req) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), enforceLimit)
	defer cancel()
	id := r.PathValue("id")
	resp, err := s.opt.Tuner.Enforce(ctx, id, breaker.Cut(req.Author))
	switch {
	case errors.Is(err, ErrUnknownPlan):
		fail(w, http.StatusNotFound, fmt.Sprintf("plan %s is not known: %v; ask for advice again", breaker.Cut(id), ErrUnknownPlan), "fleetfuse-ctl breaker advise")
	case err != nil:
		failTuner(w, err)
	default:
		fillList(&resp.Applied)
		write(w, http.StatusOK, resp)
	}
}

// explain tells what is advised about one breaker, and what was done to it.
func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	values, ok := query(w, r, "key")
	if !ok {
		return
	}
	key, err := parseKey(values.Get("key"))
	if err != nil {
		fail(w, http.StatusBadRequest, "key: "+err.Error(), "/v1/advice/explain?key=api.example.org")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), adviceLimit)
	defer cancel()
	resp, err := s.opt.Tuner.Explain(ctx, key)
	if err != nil {
		failTuner(w, err)
		return
	}
	fillAdvice(&resp.Advice)
	fillList(&resp.Records)
	for i := range resp.Records {
		fillChanges(resp.Records[i].Changes)
	}
	slices.Sort(resp.Partial)
	write(w, http.StatusOK, resp)
}

// failTuner answers with what came of asking the tuner.
func failTuner(w http.ResponseWriter, err error) {
	var blocked *BlockedError
	var uncalled *UncalledError
	switch {
	case errors.As(err, &blocked):
		refuse(w, api.Problem{
			Status: http.StatusConflict, Detail: blocked.Error(), Errors: limited(blocked.Reasons),
			Try: "fleetfuse-ctl status; with that in order, fleetfuse-ctl breaker advise again",
		})
	case errors.As(err, &uncalled):
		fail(w, http.StatusNotFound, uncalled.Error(), "fleetfuse-ctl breaker summary lists what is called")
	case errors.Is(err, ErrBusy):
		fail(w, http.StatusServiceUnavailable, ErrBusy.Error(), "the same again")
	default:
		fail(w, http.StatusServiceUnavailable, "no tuner answered: "+err.Error(), "fleetfuse-ctl status")
	}
}

// fillAdvice makes lists that are always there [] in JSON, not null.
func fillAdvice(a *api.AdviceResponse) {
	fillList(&a.Nodes)
	fillList(&a.Breakers)
	slices.Sort(a.Nodes)
	slices.Sort(a.Missing)
	for i := range a.Breakers {
		fillList(&a.Breakers[i].Changes)
		fillChanges(a.Breakers[i].Changes)
	}
	for i := range a.Trials {
		fillList(&a.Trials[i].Changes)
		fillChanges(a.Trials[i].Changes)
	}
}

func fillChanges(changes []api.SuggestedChange) {
	for i := range changes {
		fillList(&changes[i].Evidence)
	}
}

func fillList[T any](list *[]T) {
	if *list == nil {
		*list = []T{}
	}
}
