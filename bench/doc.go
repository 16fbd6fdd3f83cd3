// Package bench measures the gate beside other circuit breakers. It is its own
// module so that the peers stay out of Fleetfuse's dependencies.
//
//	go run ./cmd/table            # one table with ratios and bars, < 90 s
//	go test -bench . -benchmem    # the same cells as Go benchmarks
//
// Work is not equal: the peers decide on the caller's path, the gate defers
// the decision to the key's owner. So the table also gives the process's CPU
// per call with a real owner machine behind the gate, drain and flush included.
package bench
