package httpapi

import (
	"context"
	"errors"
	"fmt"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// Policies are the policies in force, and what replaces them.
type Policies interface {
	// Policy is the policy of a key.
	Policy(ctx context.Context, key breaker.Key) (api.PolicyResponse, error)
	// Change replaces what r names in the operator's overlay, or resets both.
	Change(ctx context.Context, key breaker.Key, r PolicyRequest) (api.PolicyChanged, error)
	// History lists what the fleet remembers.
	History(ctx context.Context, key breaker.Key) (api.PolicyHistory, error)
	// Config is this node's configuration; key may be "", for the defaults.
	Config(key breaker.Key) api.ConfigResponse
	// Reload reads the configuration again. The error joins all that is wrong
	// with it; then nothing was changed.
	Reload(ctx context.Context) (api.ReloadResponse, error)
}

// A PolicyRequest is a PolicyChange and what stood beside it.
type PolicyRequest struct {
	api.PolicyChange
	Whole  bool    // the overlay becomes this, instead of being merged with it
	Reset  bool    // what the tuner replaced goes, too
	Match  *string // the version it must be made from; nil: any
	DryRun bool    // say what would change, and change nothing
}

// A ConflictError says that a policy is of another version than was expected.
type ConflictError struct{ Want, Have string }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("the policy is at version %s, not %s: somebody changed it meanwhile", e.Have, e.Want)
}

// ErrReloading says that the configuration is being read.
var ErrReloading = errors.New("the configuration is being read; see fleetfuse-ctl config show before long")

// ErrBadPolicy is wrapped by what is wrong with a change.
var ErrBadPolicy = errors.New("the policy cannot be changed like this")
