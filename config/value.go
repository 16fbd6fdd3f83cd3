package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// maxStatuses bounds a list of HTTP statuses; there are only 500 of them.
const maxStatuses = 500

// parseValue reads text as the kind of value place points to: *int, *float64,
// *bool, *time.Duration, *[]int (HTTP statuses) or one of the word types of
// breaker. unit is what a bare number means where a duration is wanted.
// Whether the value is within its limits is for breaker.Policy.Validate.
func parseValue(place any, text string, unit time.Duration) (any, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, errors.New("has no value")
	}
	switch place.(type) {
	case *int:
		return parseWhole(text)
	case *float64:
		return parseNumber(text)
	case *bool:
		return parseBool(text)
	case *time.Duration:
		return parseDuration(text, unit)
	case *[]int:
		return parseStatuses(text)
	case *breaker.Mode:
		return breaker.Mode(strings.ToLower(text)), nil
	case *breaker.RetryAfterScope:
		return breaker.RetryAfterScope(strings.ToLower(text)), nil
	}
	return nil, fmt.Errorf("is of a kind the field table does not know: %T", place)
}

// storeValue puts a value parseValue returned into the place it was read for.
func storeValue(place, value any) {
	switch p := place.(type) {
	case *int:
		*p = value.(int)
	case *float64:
		*p = value.(float64)
	case *bool:
		*p = value.(bool)
	case *time.Duration:
		*p = value.(time.Duration)
	case *[]int:
		*p = value.([]int)
	case *breaker.Mode:
		*p = value.(breaker.Mode)
	case *breaker.RetryAfterScope:
		*p = value.(breaker.RetryAfterScope)
	}
}

// clearValue empties a place of a role policy, where zero means "as the
// breaker".
func clearValue(place any) {
	switch p := place.(type) {
	case *int:
		*p = 0
	case *float64:
		*p = 0
	case *time.Duration:
		*p = 0
	}
}

// parseWhole reads a whole number; 1_000 is 1000. A leading zero is refused
// because YAML readers disagree whether it makes the number octal.
func parseWhole(text string) (int, error) {
	plain, err := withoutUnderscores(text)
	if err != nil {
		return 0, err
	}
	if digits := strings.TrimLeft(plain, "+-"); len(digits) > 1 && digits[0] == '0' && allDigits(digits) {
		return 0, fmt.Errorf("is %s: write a number without leading zeros", quote(text))
	}
	n, err := strconv.Atoi(plain)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("is %s: that number is too large", quote(text))
	}
	if err != nil {
		return 0, fmt.Errorf("is %s: want a whole number", quote(text))
	}
	return n, nil
}

// parseNumber reads a finite decimal number.
func parseNumber(text string) (float64, error) {
	plain, err := withoutUnderscores(text)
	if err != nil {
		return 0, err
	}
	x, err := strconv.ParseFloat(plain, 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("is %s: that number is too large", quote(text))
	}
	// ParseFloat also reads hexadecimal, "inf" and "nan", which nobody means.
	if err != nil || strings.Trim(plain, "0123456789.eE+-") != "" || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("is %s: want a number", quote(text))
	}
	return x, nil
}

// parseBool reads true or false in the spellings of YAML 1.1.
func parseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, fmt.Errorf("is %s: want true or false", quote(text))
}

// parseDuration reads a number of units (decimals allowed), or a Go duration
// like 90s or 1h30m.
func parseDuration(text string, unit time.Duration) (time.Duration, error) {
	x, err := parseNumber(text)
	if err != nil {
		d, goErr := time.ParseDuration(text)
		if goErr == nil && d < 0 {
			return 0, fmt.Errorf("is %s: a duration cannot be negative", quote(text))
		}
		if goErr == nil {
			return d, nil
		}
		if strings.Trim(text, numberLetters) == "" { // a number after all, only a bad one
			return 0, err
		}
		return 0, fmt.Errorf("is %s: want a duration: %s as a number, or 90s, 10m, 1h30m", quote(text), unitName(unit))
	}
	if x < 0 {
		return 0, fmt.Errorf("is %s: a duration cannot be negative", quote(text))
	}
	d := math.Round(x * float64(unit))
	if d >= math.MaxInt64 { // MaxInt64 as a float64 is 2^63, the first that overflows
		return 0, fmt.Errorf("is %s: that duration is too long", quote(text))
	}
	return time.Duration(d), nil
}

func unitName(unit time.Duration) string {
	if unit == time.Millisecond {
		return "milliseconds"
	}
	return "seconds"
}

// parseStatuses reads HTTP statuses separated by commas or blanks; none is
// the empty list.
func parseStatuses(text string) ([]int, error) {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' })
	if len(words) == 1 && strings.EqualFold(words[0], "none") {
		return []int{}, nil
	}
	if len(words) == 0 {
		return nil, errors.New("has no value; none is the empty list")
	}
	if len(words) > maxStatuses {
		return nil, fmt.Errorf("has %d statuses; at most %d make sense", len(words), maxStatuses)
	}
	statuses := make([]int, 0, len(words))
	for _, w := range words {
		n, err := parseWhole(w)
		if err != nil {
			return nil, fmt.Errorf("%w, an HTTP status", err)
		}
		statuses = append(statuses, n)
	}
	return statuses, nil
}

// numberLetters are what the text of a number is made of.
const numberLetters = "0123456789._eE+-"

// withoutUnderscores removes the underscores that group digits. What is no
// number anyway comes back as it is.
func withoutUnderscores(text string) (string, error) {
	if !strings.Contains(text, "_") || strings.Trim(text, numberLetters) != "" {
		return text, nil
	}
	for i := range len(text) {
		if text[i] == '_' && (i == 0 || i == len(text)-1 || !isDigit(text[i-1]) || !isDigit(text[i+1])) {
			return "", fmt.Errorf("is %s: an underscore may only stand between two digits", quote(text))
		}
	}
	return strings.ReplaceAll(text, "_", ""), nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// maxQuoted bounds, in bytes, how much of an input an error repeats.
const maxQuoted = 80

// quote repeats an input in an error, cut if it is long.
func quote(s string) string {
	if len(s) > maxQuoted {
		return strconv.Quote(strings.ToValidUTF8(s[:maxQuoted], "")) + "…"
	}
	return strconv.Quote(s)
}
