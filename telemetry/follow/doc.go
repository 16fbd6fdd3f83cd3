// Package follow makes one stream of events out of the logs of all members.
//
// Each member keeps a log of what it wrote (package eventlog). While anybody
// follows the fleet, a Hub asks every member for what comes next and holds the
// latest of it in one ring, so that a thousand followers on one node cost each
// member one question. A Stream is one follower with one position for each
// member: it reads what it has missed from the members' logs, then the ring.
//
// Its position also has the time since when it tells, for members that are not in
// it yet: those that join, or do not answer at first, are told from there on.
//
// While all members answer a stream tells every event once. A member that does
// not answer is Missing; what it wrote meanwhile is told when it answers again.
// Two members that wrote down the same thing, as two owners of a breaker may, tell
// it once; over two streams of one follower that is for him to see, by the ID.
package follow
