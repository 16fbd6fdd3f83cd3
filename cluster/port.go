package cluster

import (
	"fmt"
	"strings"
)

// CannotListen is the error of an address that a node cannot listen on: which flag
// says so, why, and what to do. Libraries hand on texts only.
func CannotListen(flag, addr string, why any) error {
	text := fmt.Sprint(why)
	advice := "choose another " + flag
	switch {
	case strings.Contains(text, "address already in use"):
		advice = "another node may run here: stop it, or choose another port"
	case strings.Contains(text, "cannot assign requested address"):
		advice = "want an address of this machine"
	case strings.Contains(text, "permission denied"):
		advice = "choose a port above 1023"
	}
	return fmt.Errorf("%s %s: %s; %s", flag, addr, text, advice)
}
