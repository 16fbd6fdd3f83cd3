package breaker

import (
	"strings"
	"time"
)

// ParseRetryAfter reads a Retry-After header (RFC 9110 section 10.2.3): a
// number of seconds, or one of the three HTTP dates, which is relative to the
// response's own Date header, or to now where that is absent. Surrounding
// blanks are trimmed. A malformed value is ignored (ok is false); a number too
// large to read is the cap; zero and the past are no cooldown (d is 0).
func ParseRetryAfter(raw, date string, limit time.Duration, now time.Time) (d time.Duration, ok bool) {
	raw = strings.Trim(raw, " \t")
	if raw == "" {
		return 0, false
	}
	if strings.Trim(raw, "0123456789") == "" {
		return seconds(raw, limit), true
	}
	ref := now
	if t, ok := parseHTTPDate(strings.Trim(date, " \t"), now); ok {
		ref = t
	}
	t, ok := parseHTTPDate(raw, ref)
	if !ok {
		return 0, false
	}
	return min(max(t.Sub(ref), 0), limit), true
}

// seconds reads digits, saturating at the limit.
func seconds(digits string, limit time.Duration) time.Duration {
	var d time.Duration
	for _, c := range digits {
		if d > limit/10 {
			return limit
		}
		d = d*10 + time.Duration(c-'0')*time.Second
	}
	return min(d, limit)
}

// The three forms of RFC 9110 section 5.6.7, preferred first.
const (
	imfFixdate = "Mon, 02 Jan 2006 15:04:05 GMT"
	rfc850Date = "Monday, 02-Jan-06 15:04:05 GMT"
	asctime    = time.ANSIC
)

func parseHTTPDate(s string, ref time.Time) (time.Time, bool) {
	if t, err := time.Parse(imfFixdate, s); err == nil {
		return t, true
	}
	if t, err := time.Parse(asctime, s); err == nil {
		return t, true
	}
	t, err := time.Parse(rfc850Date, s)
	if err != nil {
		return time.Time{}, false
	}
	return nearestCentury(t, ref), true
}

// nearestCentury resolves a two-digit year: a date that seems more than 50
// years in the future means the past one (RFC 9110 section 5.6.7).
func nearestCentury(t, ref time.Time) time.Time {
	t = t.AddDate((ref.Year()/100-t.Year()/100)*100, 0, 0)
	switch {
	case t.After(ref.AddDate(50, 0, 0)):
		return t.AddDate(-100, 0, 0)
	case t.Before(ref.AddDate(-50, 0, 0)):
		return t.AddDate(100, 0, 0)
	}
	return t
}
