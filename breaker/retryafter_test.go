package breaker_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
)

// The cases of linkerd's vectors (linkerd2-proxy, retry_after.rs) and those
// it does not have: forms of dates, skew, saturation, signs.
func TestParseRetryAfter(t *testing.T) {
	const (
		limit = 300 * time.Second
		date  = "Sun, 06 Nov 2044 08:49:37 GMT"
	)
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name, raw, date string
		want            time.Duration
		ok              bool
	}{
		{"seconds", "120", "", 120 * time.Second, true},
		{"seconds need no date", "120", date, 120 * time.Second, true},
		{"one second", "1", "", time.Second, true},
		{"zero", "0", "", 0, true},
		{"zeros", "000", "", 0, true},
		{"leading zeros", "0000000000000000000000120", "", 120 * time.Second, true},
		{"exactly the limit", "300", "", limit, true},
		{"just above the limit", "301", "", limit, true},
		{"far above the limit", "3600", "", limit, true},
		{"largest int64", "9223372036854775807", "", limit, true},
		{"wraps to a small int64", "18446744073709551617", "", limit, true},
		{"a thousand digits", strings.Repeat("9", 1000), "", limit, true},
		{"blanks around", " \t120\t ", "", 120 * time.Second, true},
		{"blank in front", " 120", "", 120 * time.Second, true},
		{"blank behind", "120 ", "", 120 * time.Second, true},

		{"missing", "", "", 0, false},
		{"blanks only", " \t ", "", 0, false},
		{"words", "not-a-number", "", 0, false},
		{"minus", "-5", "", 0, false},
		{"plus", "+5", "", 0, false},
		{"fraction", "1.5", "", 0, false},
		{"exponent", "1e3", "", 0, false},
		{"hexadecimal", "0x10", "", 0, false},
		{"unit", "120s", "", 0, false},
		{"list", "120, 60", "", 0, false},
		{"blank inside", "1 20", "", 0, false},
		{"newline around is no blank", "120\n", "", 0, false},
		{"other digits", "١٢٠", "", 0, false},
		{"not UTF-8", "\xff", "", 0, false},

		{"IMF-fixdate", "Sun, 06 Nov 2044 08:51:37 GMT", date, 120 * time.Second, true},
		{"RFC 850", "Sunday, 06-Nov-44 08:51:37 GMT", date, 120 * time.Second, true},
		{"asctime", "Sun Nov  6 08:51:37 2044", date, 120 * time.Second, true},
		{"blanks around a date", "\tSun, 06 Nov 2044 08:51:37 GMT ", date + " ", 120 * time.Second, true},
		{"date beyond the limit", "Sun, 06 Nov 2044 09:49:37 GMT", date, limit, true},
		{"date at the end of time", "Fri, 31 Dec 9999 23:59:59 GMT", date, limit, true},
		{"same moment", date, date, 0, true},
		{"past", "Sun, 06 Nov 2044 08:49:36 GMT", date, 0, true},
		{"long past", "Mon, 01 Jan 0001 00:00:00 GMT", date, 0, true},
		{"no Date header", "Tue, 24 Nov 2026 12:01:00 GMT", "", time.Minute, true},
		{"unreadable Date header", "Tue, 24 Nov 2026 12:01:00 GMT", "yesterday", time.Minute, true},
		{"Date header as RFC 850", "Sun, 06 Nov 2044 08:51:37 GMT", "Sunday, 06-Nov-44 08:49:37 GMT", 120 * time.Second, true},
		{"Date header as asctime", "Sun, 06 Nov 2044 08:51:37 GMT", "Sun Nov  6 08:49:37 2044", 120 * time.Second, true},
		{"host's clock stopped in 1970", "Thu, 01 Jan 1970 00:01:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", time.Minute, true},

		{"zone UTC", "Sun, 06 Nov 2044 08:51:37 UTC", date, 0, false},
		{"zone +0000", "Sun, 06 Nov 2044 08:51:37 +0000", date, 0, false},
		{"no zone", "Sun, 06 Nov 2044 08:51:37", date, 0, false},
		{"RFC 3339", "2044-11-06T08:51:37Z", date, 0, false},
		{"no such day", "Sun, 31 Feb 2044 08:51:37 GMT", date, 0, false},
		{"two dates", "Sun, 06 Nov 2044 08:51:37 GMT, Sun, 06 Nov 2044 08:52:37 GMT", date, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := breaker.ParseRetryAfter(tt.raw, tt.date, limit, now)
			if got != tt.want || ok != tt.ok {
				t.Errorf("ParseRetryAfter(%q, %q) = %v, %v; want %v, %v", tt.raw, tt.date, got, ok, tt.want, tt.ok)
			}
		})
	}
}

// A two-digit year is the latest one not more than 50 years after the
// reference. The longest duration tells the years apart: 292 of them fit.
func TestParseRetryAfterTwoDigitYears(t *testing.T) {
	tests := []struct {
		name, raw, date string
		future          bool
	}{
		{"this year", "Tuesday, 24-Nov-26 12:00:01 GMT", "Tue, 24 Nov 2026 12:00:00 GMT", true},
		{"70 is 2070 in 2026, not 1970", "Thursday, 06-Nov-70 00:00:00 GMT", "Tue, 24 Nov 2026 12:00:00 GMT", true},
		{"50 years to the second", "Tuesday, 24-Nov-76 12:00:00 GMT", "Tue, 24 Nov 2026 12:00:00 GMT", true},
		{"50 years and a second", "Tuesday, 24-Nov-76 12:00:01 GMT", "Tue, 24 Nov 2026 12:00:00 GMT", false},
		{"94 is 1994 in 2026", "Sunday, 06-Nov-94 08:49:37 GMT", "Tue, 24 Nov 2026 12:00:00 GMT", false},
		{"94 is 1994 in 1994", "Sunday, 06-Nov-94 08:49:38 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", true},
		{"00 is next year in 1999", "Saturday, 01-Jan-00 00:00:00 GMT", "Fri, 31 Dec 1999 23:59:59 GMT", true},
		{"10 is 2110 in 2080", "Monday, 01-Jan-10 00:00:00 GMT", "Mon, 01 Jan 2080 00:00:00 GMT", true},
		{"29 February is 2000, for 2100 has none", "Tuesday, 29-Feb-00 00:00:00 GMT", "Fri, 01 Jan 2088 00:00:00 GMT", false},
		{"29 February 96 is 2096 in 2088", "Wednesday, 29-Feb-96 00:00:00 GMT", "Thu, 01 Jan 2088 00:00:00 GMT", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, ok := breaker.ParseRetryAfter(tt.raw, tt.date, math.MaxInt64, time.Time{})
			if !ok || d > 0 != tt.future {
				t.Errorf("ParseRetryAfter(%q, %q) = %v, %v; want future %v", tt.raw, tt.date, d, ok, tt.future)
			}
		})
	}
}

func TestParseRetryAfterLimits(t *testing.T) {
	tests := []struct {
		raw         string
		limit, want time.Duration
	}{
		{"1", 1500 * time.Millisecond, time.Second},
		{"2", 1500 * time.Millisecond, 1500 * time.Millisecond},
		{"9", 5 * time.Second, 5 * time.Second},
		{"5", 0, 0},
		{"5", -time.Second, 0},
		{"9223372036", math.MaxInt64, 9223372036 * time.Second},
		{"9223372037", math.MaxInt64, math.MaxInt64},
		{"92233720368", math.MaxInt64, math.MaxInt64},
	}
	for _, tt := range tests {
		if got, ok := breaker.ParseRetryAfter(tt.raw, "", tt.limit, time.Time{}); got != tt.want || !ok {
			t.Errorf("ParseRetryAfter(%q) with limit %v = %v, %v; want %v, true", tt.raw, tt.limit, got, ok, tt.want)
		}
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	f.Add("120", "", int64(900e9), int64(1795521600))
	f.Add("Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", int64(1), int64(0))
	f.Add("Tuesday, 29-Feb-00 00:00:00 GMT", "Friday, 01-Jan-88 00:00:00 GMT", int64(math.MaxInt64), int64(3723321600))
	f.Add("99999999999999999999", "x", int64(-1), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, raw, date string, limit, unix int64) {
		d, ok := breaker.ParseRetryAfter(raw, date, time.Duration(limit), time.Unix(unix, 0))
		if d < 0 || d > max(time.Duration(limit), 0) || !ok && d != 0 {
			t.Fatalf("ParseRetryAfter(%q, %q, %d, %d) = %v, %v", raw, date, limit, unix, d, ok)
		}
	})
}
