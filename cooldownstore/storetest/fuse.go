package storetest

import (
	"context"
	"sync"
	"testing"
)

// A Fuse is a context that is cancelled when it is looked at once more than it
// allows: so a call can be cut off at every point where it would notice.
type Fuse struct {
	context.Context
	Blow context.CancelFunc // cancels it now
	mu   sync.Mutex
	left int
}

// NewFuse returns a fuse that allows so many looks.
func NewFuse(t *testing.T, looks int) *Fuse {
	ctx, cancel := context.WithCancel(t.Context())
	return &Fuse{Context: ctx, Blow: cancel, left: looks}
}

func (f *Fuse) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; f.left < 0 {
		f.Blow()
	}
}

// Done implements context.Context.
func (f *Fuse) Done() <-chan struct{} { f.look(); return f.Context.Done() }

// Err implements context.Context.
func (f *Fuse) Err() error { f.look(); return f.Context.Err() }
