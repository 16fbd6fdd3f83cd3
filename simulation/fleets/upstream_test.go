package fleets

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"
)

// A mood is how an upstream answers until a moment.
type mood struct {
	until  time.Duration
	status int // 0: it resets connections
	pause  time.Duration
	slow   time.Duration
}

// moods are an upstream's until a time; after it all is well.
func moods(random *rand.Rand, end time.Duration) (all []mood) {
	for at := time.Duration(0); at < end; {
		m := mood{status: http.StatusOK}
		switch random.IntN(6) {
		case 0:
			m.status = http.StatusServiceUnavailable
		case 1:
			m.status = 0
		case 2, 3:
			m.status, m.pause = http.StatusTooManyRequests, time.Duration(3+random.IntN(10))*time.Second
		case 4:
			m.slow = 300 * time.Millisecond
		}
		at += time.Duration(3+random.IntN(8)) * time.Second
		m.until = at
		all = append(all, m)
	}
	return all
}

// upstreams are real servers, one a host.
type upstreams struct {
	urls   map[string]string
	client *http.Client
}

// startUpstreams starts a server for each host; now is the time in their moods.
func startUpstreams(t *testing.T, hosts []string, script map[string][]mood, now func() time.Duration) *upstreams {
	t.Helper()
	u := &upstreams{urls: map[string]string{}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 2 * time.Second}}
	for _, host := range hosts {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			m := mood{status: http.StatusOK}
			for _, next := range script[host] {
				if now() < next.until {
					m = next
					break
				}
			}
			m.answer(w)
		}))
		t.Cleanup(s.Close)
		u.urls[host] = s.URL
	}
	t.Cleanup(u.client.CloseIdleConnections)
	return u
}

func (m mood) answer(w http.ResponseWriter) {
	time.Sleep(m.slow)
	if m.status == 0 {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
		return
	}
	if m.pause > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(m.pause.Seconds())))
	}
	w.WriteHeader(m.status)
}

// call is a bubbles.Upstream.
func (u *upstreams) call(ctx context.Context, host string) (int, time.Duration) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.urls[host], nil)
	if err != nil {
		return 0, 0
	}
	resp, err := u.client.Do(req)
	if err != nil {
		return 0, 0
	}
	resp.Body.Close()
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return resp.StatusCode, time.Duration(seconds) * time.Second
}
