package simulation

import "time"

// An event is something that happens at a moment of the world. Calls, of which
// there are very many, need no closure: they have a kind.
type event struct {
	at   time.Duration // since the world began
	seq  uint64        // events of one moment happen in the order they were made
	kind kind
	node int32
	call int32 // of the world's calls
	do   func()
}

type kind uint8

const (
	doIt       kind = iota
	callStarts      // a worker of the node wants to make its next call
	callEnds
)

// queue is a heap of events, four children to a node: half as deep as one of
// two, and its comparisons are next to each other in memory.
type queue struct {
	heap []event
	seq  uint64
}

func (q *queue) push(e event) {
	q.seq++
	e.seq = q.seq
	q.heap = append(q.heap, e)
	i := len(q.heap) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !e.before(&q.heap[up]) {
			break
		}
		q.heap[i] = q.heap[up]
		i = up
	}
	q.heap[i] = e
}

func (q *queue) pop() event {
	first := q.heap[0]
	last := len(q.heap) - 1
	e := q.heap[last]
	q.heap[last] = event{}
	q.heap = q.heap[:last]
	if last == 0 {
		return first
	}
	i := 0
	for {
		child := 4*i + 1
		if child >= last {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, last); c++ {
			if q.heap[c].before(&q.heap[least]) {
				least = c
			}
		}
		if !q.heap[least].before(&e) {
			break
		}
		q.heap[i] = q.heap[least]
		i = least
	}
	q.heap[i] = e
	return first
}

func (e *event) before(f *event) bool { return e.at < f.at || e.at == f.at && e.seq < f.seq }
