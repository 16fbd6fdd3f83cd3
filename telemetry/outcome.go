package telemetry

import (
	"strconv"

	"fleetfuse/breaker"
)

// What an outcome counts as, and how calls end.
var (
	outcomeWords = []string{"success", "slow", "failure", "neutral"}
	classes      = append([]string{"1xx", "2xx", "3xx", "4xx", "429", "5xx", "cache", "cancelled", "no-route", "proxy"}, breaker.TransportErrors...)
)

func outcomeOf(kind breaker.Kind, slow bool) string {
	switch {
	case kind == breaker.Failure:
		return "failure"
	case kind == breaker.Neutral:
		return "neutral"
	case slow:
		return "slow"
	}
	return "success"
}

// classOf is the class of a status or the error of a call; the errors end with
// "other".
func classOf(e breaker.Evidence, fromCache bool) string {
	switch {
	case fromCache:
		return "cache"
	case e.Error != "":
		return e.Error
	case e.Status == 429:
		return "429"
	case e.Status >= 100 && e.Status <= 599:
		return strconv.Itoa(e.Status/100) + "xx"
	}
	return other
}
