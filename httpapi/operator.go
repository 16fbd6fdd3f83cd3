package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

func (s *Server) open(w http.ResponseWriter, r *http.Request) {
	k, ok := keyOf(w, r)
	var req api.OpenRequest
	if !ok || !read(w, r, &req) {
		return
	}
	d, err := openLength(req)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error(), `{"for":"10m","reason":"maintenance"}`)
		return
	}
	result, err := s.opt.Breakers.Open(r.Context(), k, d, breaker.Cut(req.Author), breaker.Cut(req.Reason))
	s.answer(w, k, result, err)
}

func openLength(req api.OpenRequest) (time.Duration, error) {
	var d time.Duration
	var err error
	switch {
	case (req.For == "") == (req.Seconds == 0):
		return 0, fmt.Errorf("give either for or seconds")
	case req.For != "":
		if d, err = time.ParseDuration(req.For); err != nil {
			return 0, fmt.Errorf("for %s is no length of time such as 10m", quoted(req.For))
		}
	case math.Abs(req.Seconds) > breaker.MaxOpen.Seconds():
		return 0, fmt.Errorf("%g seconds; at most 30 days", req.Seconds)
	default:
		d = time.Duration(req.Seconds * float64(time.Second))
	}
	if d <= 0 || d > breaker.MaxOpen {
		return 0, fmt.Errorf("an open lasts more than nothing and at most 30 days")
	}
	return d, nil
}

func (s *Server) close(w http.ResponseWriter, r *http.Request) {
	k, ok := keyOf(w, r)
	var req api.CloseRequest
	if !ok || !read(w, r, &req) {
		return
	}
	result, err := s.opt.Breakers.Close(r.Context(), k, breaker.Cut(req.Author), breaker.Cut(req.Reason))
	s.answer(w, k, result, err)
}

func (s *Server) answer(w http.ResponseWriter, k breaker.Key, result spread.OperatorResult, err error) {
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err.Error(), "fleetfuse-ctl status")
		return
	}
	resp := api.OperatorResponse{
		Key: string(k), Before: result.Before.State.String(), State: result.After.State.String(),
		Durable: result.Durable, Copies: result.Copies,
	}
	if result.Err != nil {
		resp.Detail = result.Err.Error()
	}
	if result.After.State == breaker.Open {
		until := s.opt.Clock.Wall(result.After.Until).UTC()
		resp.Until = &until
	}
	write(w, http.StatusOK, resp)
}
