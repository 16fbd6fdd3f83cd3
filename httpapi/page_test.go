package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
)

// page is what a browser is shown.
func (r *rig) page() string {
	r.t.Helper()
	resp, text := r.exchange("GET", "/", "", http.Header{}, nil)
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		r.t.Fatalf("%d, %q: %s", resp.StatusCode, resp.Header.Get("Content-Type"), text)
	}
	return text
}

func (r *rig) says(text string, want ...string) {
	r.t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			r.t.Errorf("the page lacks %q:\n%s", w, text)
		}
	}
}

func (r *rig) cool(host string, left time.Duration, detail string) {
	r.board[breaker.HostKey(host)] = breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
		Setter: "id1", Stamp: 1, Until: r.in(left), Length: left, Reason: breaker.ReasonCLIOpen, Author: "zoë", Detail: detail,
	}}}
}

func TestPageOfAFleetThatIsWell(t *testing.T) {
	r := newRig(t)
	r.says(r.page(), "No problems.", "All are closed.", "n1 (this one)", "10.0.0.2:7140", `<meta http-equiv="refresh" content="5">`)
}

func TestPageShowsWhatIsOpen(t *testing.T) {
	r := newRig(t)
	r.cool("over.example", -time.Minute, "")
	r.cool("short.example", time.Minute, "")
	r.cool("long.example", time.Hour, "<script>alert(1)</script>")
	r.status.Problems = []string{"member n3 is lost"}
	text := r.page()
	r.says(text, "<b>Problem:</b> member n3 is lost", "host:long.example", "&lt;script&gt;", "(zoë)", ">1h0m0s<", ">half_open<")
	if strings.Contains(text, "<script") {
		t.Error("a text of an operator is taken for markup")
	}
	long, short, over := strings.Index(text, "long.example"), strings.Index(text, "short.example"), strings.Index(text, "over.example")
	if long > short || short > over {
		t.Errorf("they come at %d, %d and %d; want what is open longest first, half-open ones last", long, short, over)
	}
}

func TestPageIsBounded(t *testing.T) {
	r := newRig(t)
	for i := range 250 {
		r.cool(fmt.Sprintf("h%d.example", i), time.Hour, "")
	}
	text := r.page()
	if got := strings.Count(text, `class="key"`); got != 200 {
		t.Errorf("%d breakers are shown, want 200", got)
	}
	r.says(text, "And 50 more")
}

func TestPageMayNotBeFramedNorRunAnything(t *testing.T) {
	r := newRig(t)
	resp, _ := r.exchange("GET", "/", "", http.Header{}, nil)
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if resp, _ := r.exchange("POST", "/", "{}", asJSON, nil); resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET" {
		t.Errorf("POST is answered %d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
	}
	if resp, _ := r.exchange("GET", "/", "", http.Header{"Host": {"evil.example"}}, nil); resp.StatusCode != http.StatusForbidden {
		t.Errorf("under a foreign Host it is answered %d, want 403", resp.StatusCode)
	}
}
