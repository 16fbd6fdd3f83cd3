package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestIfMatch(t *testing.T) {
	const any, never, bad = "any", "never", "bad"
	for _, x := range []struct{ what, tag, want string }{
		{"a version", `"7"`, "7"},
		{"blanks around it", `  "7" `, "7"},
		{"the first", `"0"`, "0"},
		{"the last", `"18446744073709551615"`, "18446744073709551615"},
		{"whatever", `*`, any},
		{"a weak tag", `W/"7"`, never},
		{"a word", `"abc"`, never},
		{"an empty tag", `""`, never},
		{"another spelling", `"007"`, never},
		{"a comma in it", `"7,8"`, never},
		{"beyond the last", `"18446744073709551616"`, never},
		{"no quotes", `7`, bad},
		{"single quotes", `'7'`, bad},
		{"half of the quotes", `"7`, bad},
		{"text behind it", `"7"8`, bad},
		{"several", `"7", "8"`, bad},
		{"several weak ones", `W/"7",W/"8"`, bad},
		{"whatever and one", `*, "7"`, bad},
		{"nothing", ``, bad},
		{"hostile", `"` + strings.Repeat("\xff", 9000), bad},
	} {
		r := newRig(t)
		resp, text := r.exchange("DELETE", policyPath, "", http.Header{"If-Match": {x.tag}}, nil)
		switch x.want {
		case bad:
			if p := problemIn(t, text); resp.StatusCode != 400 || !strings.Contains(p.Try, `If-Match: "VERSION"`) || len(p.Detail) > 1000 {
				t.Errorf("%s: %d %s, want 400", x.what, resp.StatusCode, text)
			}
		case never:
			if p := problemIn(t, text); resp.StatusCode != 412 || p.Version != "7" || resp.Header.Get("ETag") != `"7"` || !strings.Contains(p.Try, `"7"`) {
				t.Errorf("%s: %d %s, want 412", x.what, resp.StatusCode, text)
			}
		default:
			if resp.StatusCode != 200 || len(r.words.changes) != 1 || x.want == any != (r.words.changes[0].Match == nil) ||
				x.want != any && *r.words.changes[0].Match != x.want {
				t.Errorf("%s: %d %s, %+v, want %s", x.what, resp.StatusCode, text, r.words.changes, x.want)
			}
			continue
		}
		if len(r.words.changes) > 0 {
			t.Errorf("%s: changed something", x.what)
		}
	}
	r := newRig(t)
	if status, text := r.request("DELETE", policyPath, "", http.Header{"If-Match": {`"7"`, `"8"`}}, nil); status != 400 {
		t.Errorf("two headers: %d %s", status, text)
	}
	if status, text := r.request("DELETE", policyPath, "", http.Header{"If-None-Match": {"*"}}, nil); status != 400 || !strings.Contains(text, "If-None-Match") {
		t.Errorf("If-None-Match: %d %s", status, text)
	}
}
