package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// printable makes text from elsewhere safe to show: what could move the cursor,
// colour the screen or turn the writing around is escaped. A host's Retry-After
// header and an operator's reason end up in a terminal.
func printable(s string) string {
	clean := func(r rune) bool { return unicode.IsPrint(r) && r != utf8.RuneError }
	if strings.IndexFunc(s, func(r rune) bool { return !clean(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case clean(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
		s = s[n:]
	}
	return b.String()
}

// shellWord quotes s for a command an operator will paste.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:-", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// span writes a duration in its two largest units, "1m20s". What is left of a
// second counts as one: a wait must not look over before it is.
func span(d time.Duration) string {
	if d <= 0 {
		return "0s"
	}
	seconds := int64((d + time.Second - 1) / time.Second)
	units := []struct {
		name string
		size int64
	}{{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}}
	for i, u := range units {
		if seconds < u.size {
			continue
		}
		s := fmt.Sprintf("%d%s", seconds/u.size, u.name)
		if rest := seconds % u.size; i+1 < len(units) && rest/units[i+1].size > 0 {
			s += fmt.Sprintf("%d%s", rest/units[i+1].size, units[i+1].name)
		}
		return s
	}
	return "0s"
}

func millis(ms int64) string { return span(time.Duration(ms) * time.Millisecond) }

// moment writes a point in time.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// ago is how long before now t was. Another machine's clock may be ahead.
func ago(t, now time.Time) string {
	if d := now.Sub(t).Truncate(time.Second); d > 0 {
		return span(d) + " ago"
	}
	return "just now"
}

// count writes "1 breaker", "2 breakers".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// list writes "n1", "n1 and n2", "n1, n2 and n3".
func list(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// verb is the form of a verb that fits so many subjects.
func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// wrap breaks a paragraph into lines of at most width runes where its words
// allow it.
func wrap(paragraph string, width int) string {
	var b strings.Builder
	used := 0
	for i, word := range strings.Fields(paragraph) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+n > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return b.String()
}
