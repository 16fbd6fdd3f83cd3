//go:build cgo

package eventlog

import (
	"errors"
	"fmt"

	"fleetfuse/internal/sqlitefile"
)

// explain adds where an error happened and what to do about it.
func explain(err error, file string) error {
	if err == nil {
		return nil
	}
	if advice := advise(err); advice != "" {
		return fmt.Errorf("event log %s: %w: %s", file, err, advice)
	}
	return fmt.Errorf("event log %s: %w", file, err)
}

func advise(err error) string {
	switch {
	case errors.Is(err, ErrNewerSchema):
		return "run the newer fleetfuse-node again, or move this file away: a new one is made then"
	case sqlitefile.IsCorrupt(err):
		return "it is set aside, and a new one made"
	case sqlitefile.IsFull(err):
		return "free space on this disk; events are kept in memory meanwhile, as many as fit"
	}
	return sqlitefile.Advice(err, "--data-dir")
}
