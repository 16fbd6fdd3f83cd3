package cooldownstore

import (
	"fmt"
	"sync"
)

// PassedOver remembers what a listing of a place could not read, for its
// operator. It is safe for concurrent use; the zero value is ready.
type PassedOver struct {
	mu    sync.Mutex
	count int
	first string
}

// Reset begins a listing.
func (p *PassedOver) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count, p.first = 0, ""
}

// Note says that what stands under a name was passed over, and why.
func (p *PassedOver) Note(name string, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 {
		p.first = fmt.Sprintf("%.80q: %v", name, why)
	}
	p.count++
}

// Warning is about all of them, "" if there are none.
func (p *PassedOver) Warning(what string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s are passed over, the first is %s; delete them", p.count, what, p.first)
}
