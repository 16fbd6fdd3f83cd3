// Package decisions keeps on disk what the tuner did, in tuner.db of the data
// directory: who asks later why a policy is as it is finds the answer here, with
// what it was decided from.
//
// It never stands in anybody's way: what is added is in memory at once and on disk
// a moment later. While the disk fails it stays in memory, as far as its bound
// allows, and Status says so. The file is its own: what happens to it does no harm
// to events and counts.
package decisions
