package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// valueAt is what stands in a place of a policy, in the form that parseValue
// returns and storeValue takes.
func valueAt(place any) any {
	switch p := place.(type) {
	case *int:
		return *p
	case *float64:
		return *p
	case *bool:
		return *p
	case *time.Duration:
		return *p
	case *[]int:
		return *p
	case *breaker.Mode:
		return *p
	case *breaker.RetryAfterScope:
		return *p
	}
	return nil
}

// isZero reports whether a value of a role means "as the breaker".
func isZero(value any) bool {
	switch value {
	case 0, 0.0, time.Duration(0):
		return true
	}
	return false
}

// valueText writes a value as parseValue reads it.
func valueText(value any) string {
	switch v := value.(type) {
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []int:
		if len(v) == 0 {
			return "none"
		}
		texts := make([]string, 0, len(v))
		for _, status := range v {
			texts = append(texts, strconv.Itoa(status))
		}
		return strings.Join(texts, ",")
	}
	return fmt.Sprint(value) // a duration as 1m0s
}

// valueJSON is a value as JSON shows it.
func valueJSON(value any) any {
	switch v := value.(type) {
	case time.Duration, breaker.Mode, breaker.RetryAfterScope:
		return valueText(v)
	case []int:
		if len(v) == 0 {
			return []int{} // and not null
		}
		return slices.Clone(v)
	}
	return value
}
