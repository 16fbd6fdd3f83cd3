// Package fleets holds real fleets to the promises: node processes, workers and
// upstreams, and faults from a seed. What happens is recorded as a history,
// which package bubbles checks afterwards. FLEET_SEED and FLEET_SOAK ("10m") say
// what is run for how long.
package fleets
