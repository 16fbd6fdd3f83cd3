package breaker

import (
	"strings"
	"time"
)

// ParseRetryAfter reads a Retry-After header (RFC 9110 section 10.2.3): a
// number of seconds, or one of the three HTTP dates. A date is relative to the
// response's own Date header, so that a skewed clock there or here does not
// matter; now, a wall time, stands in where that is absent or unreadable.
//
// d is between 0 and limit; 0 (zero, or the past) is no cooldown. ok is false
// for a malformed value, which is to be ignored: signs, fractions, lists.
// Digits too many to count are the limit.
func ParseRetryAfter(raw, date string, limit time.Duration, now time.Time) (d time.Duration, ok bool) {
	raw, limit = trimBlanks(raw), max(limit, 0)
	if raw == "" {
		return 0, false
	}
	if strings.Trim(raw, "0123456789") == "" {
		return seconds(raw, limit), true
	}
	ref, ok := parseHTTPDate(trimBlanks(date), now)
	if !ok {
		ref = now
	}
	t, ok := parseHTTPDate(raw, ref)
	if !ok {
		return 0, false
	}
	return min(max(t.Sub(ref), 0), limit), true // Sub saturates
}

// trimBlanks cuts what RFC 9110 calls optional whitespace.
func trimBlanks(s string) string { return strings.Trim(s, " \t") }

// seconds reads digits, saturating at the limit.
func seconds(digits string, limit time.Duration) time.Duration {
	whole := int64(limit / time.Second) // at most 2^63/10^9, so n cannot overflow
	var n int64
	for _, c := range digits {
		n = n*10 + int64(c-'0')
		if n > whole {
			return limit
		}
	}
	return time.Duration(n) * time.Second
}

// The three forms of RFC 9110 section 5.6.7, the preferred one first. They
// are net/http's; its ParseTime is not used because it resolves two-digit
// years by the Unix epoch, and to keep this package free of the network.
const (
	imfFixdate = "Mon, 02 Jan 2006 15:04:05 GMT"
	rfc850Date = "Monday, 02-Jan-06 15:04:05 GMT"
	asctime    = time.ANSIC
)

// parseHTTPDate reads a date; ref settles the century of a two-digit year.
func parseHTTPDate(s string, ref time.Time) (t time.Time, ok bool) {
	for _, layout := range []string{imfFixdate, asctime} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	t, err := time.Parse(rfc850Date, s)
	if err != nil {
		return time.Time{}, false
	}
	return inCentury(t, ref), true
}

// inCentury moves t, of which only the last two digits of the year are known,
// to the latest year that is not more than 50 years after ref (RFC 9110
// section 5.6.7: what seems further in the future means the past).
func inCentury(t, ref time.Time) time.Time {
	latest := ref.UTC().AddDate(50, 0, 0)
	year := latest.Year()/100*100 + t.Year()%100
	for ; ; year -= 100 {
		u := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
		// 29 February exists in only one of four years that end in 00.
		if u.Day() == t.Day() && !u.After(latest) {
			return u
		}
	}
}
