package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"fleetfuse/api"
	"fleetfuse/telemetry/rollup"
)

func TestDecisionsOfWorkersAreCounted(t *testing.T) {
	r := newRig(t)
	many := make([]string, 33)
	for i := range many {
		many[i] = fmt.Sprintf(`"r%d":1`, i)
	}
	for _, x := range []struct {
		decisions string
		want      int
	}{
		{`{"allowed":5,"probes":2,"stale":1,"rejected":{"retry-after":3,"\u001b[31m":4}}`, http.StatusAccepted},
		{`{}`, http.StatusAccepted},
		{`null`, http.StatusAccepted},
		{`{"allowed":-1}`, http.StatusBadRequest},
		{`{"allowed":1000000001}`, http.StatusBadRequest},
		{`{"rejected":{"retry-after":1000000001}}`, http.StatusBadRequest},
		{`{"rejected":{` + strings.Join(many, ",") + `}}`, http.StatusBadRequest},
		{`{"hosts":5}`, http.StatusBadRequest},
		{`{"keys":[{"key":"host:A.example","role":"metadata","rejected_by_circuit":7,"neutral":2},{"key":"host:a..b"}]}`, http.StatusAccepted},
		{`{"keys":[{"key":"host:a.example","from_cache":1000000001}]}`, http.StatusBadRequest},
		{`{"keys":[` + strings.Repeat(`{"key":"host:a"},`, api.MaxUsedKeys) + `{"key":"host:a"}]}`, http.StatusBadRequest},
	} {
		status, text := r.request("POST", "/v1/report", `{"outcomes":[],"decisions":`+x.decisions+`}`, asJSON, nil)
		if status != x.want {
			t.Errorf("%.80s: %d, want %d: %s", x.decisions, status, x.want, text)
		}
	}
	if got := r.used[rollup.Series{Key: "host:a.example", Role: "metadata"}]; got.Rejected[rollup.ByCircuit] != 7 || got.Neutral != 2 || len(r.used) != 1 {
		t.Errorf("counted %+v of workers' keys, want 7 rejected and 2 neutral calls of a.example", r.used)
	}
	resp, text := r.exchange("GET", "/metrics", "", nil, nil)
	for _, line := range []string{
		`fleetfuse_decisions_total{decision="allow",reason="none",via="sdk"} 5`, `fleetfuse_decisions_total{decision="probe",reason="none",via="sdk"} 2`,
		`fleetfuse_decisions_total{decision="reject",reason="retry-after",via="sdk"} 3`, `fleetfuse_decisions_total{decision="reject",reason="other",via="sdk"} 4`,
		`fleetfuse_sdk_stale_decisions_total 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("/metrics has no line %s", line)
		}
	}
	if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/plain") || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("served as %s, %s: a browser may take it for a page", kind, resp.Header.Get("X-Content-Type-Options"))
	}
}
