// Package history keeps rollups on disk for days, in rollups.db of the data
// directory. It never stands in anybody's way: what is added waits in memory and
// is written about once a minute; while the disk fails it goes on waiting there,
// as far as its bound allows, and Status says so.
//
// The file is its own, not the event log's: a damaged one is set aside, a full
// one is pruned and a locked one is waited for without harm to the other.
package history
