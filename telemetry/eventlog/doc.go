// Package eventlog keeps the events of one node: in memory for those who follow
// them live, in the file telemetry.db for those who ask later.
//
// Append gives an event a position (Seq) and puts it into the tail, the latest
// events in memory, from where followers have it within microseconds. One
// goroutine writes what is in the tail behind to the file. A Reader has a
// position of its own and pulls: from the tail if its position is there, else
// from the file. So a reader that is slow or gone costs nothing, and what no
// reader can be shown any more is told to it as a Gap.
//
// Append and Follow do not notice when the disk fails: the log goes on in memory,
// Health says so, and what the tail had to let go unwritten is a Gap too.
package eventlog
