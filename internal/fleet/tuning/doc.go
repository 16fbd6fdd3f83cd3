// Package tuning tests the tuner with real node processes. It takes minutes of
// calls before anything may be changed, nearly all of them waiting: beside the
// other tests of the fleet it would hold them up.
package tuning
