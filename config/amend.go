package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// An Amendment is what is to change in a register of a policy.
type Amendment struct {
	Register breaker.Register
	Whole    bool          // the register becomes Set; else Set is laid over it
	Set      Overlay       // the fields to replace
	Unset    []string      // the names of those to replace no more
	Length   time.Duration // Set is in force for so long; 0: until it is replaced
	Author   string
	Reason   string
}

// apply returns what a register says after the amendment, for good and for a
// while, and whether the latter was set anew and starts its time. Fields that
// are set for good are temporary no more. Temporary fields have one end: where
// some are in force, others join them only if all are named again.
func (a Amendment) apply(lasting, temporary Overlay) (newLasting, newTemporary Overlay, restarts bool, err error) {
	if a.Whole {
		if len(a.Unset) > 0 {
			return lasting, temporary, false, errors.New("the overlay becomes what is set: there is nothing to unset")
		}
		lasting, temporary = Overlay{}, Overlay{}
	}
	lasting, temporary, err = without(lasting, temporary, a.Unset)
	switch {
	case err != nil || a.Set.Empty():
	case a.Length == 0:
		temporary = temporary.minus(a.Set)
		lasting, err = lasting.With(a.Set)
	default:
		if rest := temporary.minus(a.Set); !rest.Empty() {
			err = fmt.Errorf("replaced for a while are already %s; set them too, to give all one end, or unset them", strings.Join(rest.names(), ", "))
		}
		temporary, restarts = a.Set, true
	}
	return lasting, temporary, restarts, err
}

// without removes fields by name, wherever they are.
func without(lasting, temporary Overlay, names []string) (Overlay, Overlay, error) {
	if len(names) == 0 {
		return lasting, temporary, nil
	}
	both := Overlay{append(lasting.minus(temporary).list, temporary.list...)}
	left, err := both.Without(names)
	if err != nil {
		return lasting, temporary, err
	}
	gone := both.minus(left)
	return lasting.minus(gone), temporary.minus(gone), nil
}

// minus is o without the fields of others.
func (o Overlay) minus(others Overlay) Overlay {
	var list []setting
	for _, s := range o.list {
		if others.index(s.role, s.field) < 0 {
			list = append(list, s)
		}
	}
	return Overlay{list}
}

// names are the fields in full.
func (o Overlay) names() []string {
	names := make([]string, len(o.list))
	for i, s := range o.list {
		names[i] = s.name()
	}
	return names
}
