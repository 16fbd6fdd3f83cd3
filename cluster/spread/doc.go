// Package spread decides what a node sends and does on each message, tick and
// timer: pushes and their repeats, batches of outcomes and gaps, permits,
// witness rounds, digests, requests (DESIGN 1, 4, 5). It is pure: it is handed
// the time and returns Effects, so that a simulation runs the real thing.
// Package cluster carries the messages, package node carries out the rest.
//
// A Node holds the view, because every rule here reads or changes it:
//
//   - An exception is pushed to every member, and repeated until acknowledged.
//     A push names keys; what it says of them is read when it is sent, so a
//     repeat never says what is no longer believed.
//   - Outcomes go to the owner of their key, one batch in flight for each
//     owner. A batch that is not acknowledged is dropped, and the next report
//     of its keys is marked as a gap: counted evidence is never resent. The
//     end of a permit is, because owners take it once.
//   - Digests find what pushes missed. Two nodes whose digests differ push
//     each other the entries of the buckets that do.
//   - A witness round asks every member and ends when all have answered or the
//     time is up.
package spread
