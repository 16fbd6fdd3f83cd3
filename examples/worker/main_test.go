package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"fleetfuse/client"
)

// Without a node the worker goes on, and leaves a host alone that asks for it.
func TestWorkerWithoutANode(t *testing.T) {
	asked := make(chan struct{}, 100)
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
		asked <- struct{}{}
	}))
	defer host.Close()
	t.Setenv("FLEETFUSE_ADDR", "unix://"+t.TempDir()+"/nobody")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	done := make(chan error)
	go func() { done <- work(ctx, []string{host.URL, host.URL}) }()
	select {
	case <-asked:
		cancel()
	case <-ctx.Done():
		t.Error("the host was not asked")
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestClassify(t *testing.T) {
	for header, want := range map[string]string{"": "", "1": "other"} {
		r := client.Result{Status: http.StatusOK}
		classify(nil, &http.Response{StatusCode: http.StatusOK, Header: http.Header{"X-Robot-Check": {header}}}, nil, &r)
		if r.Error != want {
			t.Errorf("X-Robot-Check %q: error %q, want %q", header, r.Error, want)
		}
	}
	if got := role("/10.1/x.pdf") + role("/works"); got != "artifactmetadata" {
		t.Errorf("roles: %s", got)
	}
}
