package follow

import "fleetfuse/api"

// item is what a member said: an event, a gap, or that its log begins in the ring
// behind a position.
type item struct {
	member string
	at     uint64 // position in the member's log
	begins bool
	gap    *api.EventGap
	event  *api.Event
}

// ring holds the latest items. A reader has the number of the next it wants; what
// is older than the ring it must read elsewhere. Its owner locks it.
type ring struct {
	items []item
	next  uint64        // number of the next item
	bell  chan struct{} // closed when there is something new
}

func newRing(size int) ring { return ring{items: make([]item, size), bell: make(chan struct{})} }

func (r *ring) add(x item) {
	r.items[r.next%uint64(len(r.items))] = x
	r.next++
}

// wake tells everybody who waits.
func (r *ring) wake() {
	close(r.bell)
	r.bell = make(chan struct{})
}

// from copies up to most items from a number on; false if they are gone.
func (r *ring) from(number uint64, most int) ([]item, bool) {
	if number+uint64(len(r.items)) < r.next {
		return nil, false
	}
	n := min(int(r.next-number), most)
	list := make([]item, n)
	for i := range list {
		list[i] = r.items[(number+uint64(i))%uint64(len(r.items))]
	}
	return list, true
}
