package httpapi

import (
	"cmp"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"time"

	"fleetfuse/api"
)

// pageMost bounds the breakers on the page; pageEvery is how often a browser asks
// for it again.
const (
	pageMost  = 200
	pageEvery = 5 * time.Second
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"left":  func(ms int64) time.Duration { return (time.Duration(ms) * time.Millisecond).Round(time.Second) },
	"clock": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
}).Parse(pageText))

// pageData is what the page shows.
type pageData struct {
	api.StatusResponse
	At       time.Time
	Every    int // seconds
	Breakers []api.Breaker
	Partial  []string // members that did not say which rings are open
	More     int      // breakers that are not shown
}

// page shows people what ctl status and ctl breaker show do, without a program: the
// node's health, the members, and what is not closed. It changes nothing.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	if _, ok := query(w, r); !ok {
		return
	}
	list := s.list(r.Context(), "")
	d := pageData{
		StatusResponse: s.opt.Status(), At: s.now(), Every: int(pageEvery.Seconds()), Breakers: list.Breakers, Partial: list.Partial,
	}
	d.Members = slices.Clone(d.Members)
	slices.SortFunc(d.Members, byName)
	// What is not open has nothing left, so it comes last.
	slices.SortStableFunc(d.Breakers, func(a, b api.Breaker) int { return cmp.Compare(b.RemainingMS, a.RemainingMS) })
	shown := min(len(d.Breakers), pageMost)
	d.Breakers, d.More = d.Breakers[:shown], len(d.Breakers)-shown
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_ = pageTemplate.Execute(w, d) // the caller is gone: nobody to tell
}
