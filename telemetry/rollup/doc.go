// Package rollup holds what was seen of each key and role: counts in buckets
// of 10 s, their sums over a window and over the nodes of a fleet, and for
// keys that failed a log of outcomes that can be replayed.
//
// It is pure: who uses it hands in the time and keeps two goroutines out of
// one Table or Log.
//
//	gate.DrainUsage -> Table.Add, every 10 s
//	Table.Close     -> rows for the disk (package telemetry/history)
//	Table.Window    -> the tuner, and Merge of all nodes' for the fleet
//	Table.Since     -> the tuner's detectors, and MergeBuckets of all nodes'
package rollup
