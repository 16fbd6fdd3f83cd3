package storetest

import (
	"errors"
	"sync"
	"testing"

	"fleetfuse/cooldownstore"
)

// CloseBesideWriters closes a handle that others are using: write is called by
// several writers, each with its number and the numbers of its words, from 1,
// until it says that the handle is closed. It returns the last word of each
// writer that was acknowledged.
func CloseBesideWriters(t *testing.T, close func(), write func(writer, word int) error) (acknowledged []int) {
	const writers, before = 4, 5
	var group, started sync.WaitGroup
	started.Add(writers)
	acknowledged = make([]int, writers)
	for w := range writers {
		group.Go(func() {
			var once sync.Once
			defer once.Do(started.Done)
			for i := 1; ; i++ {
				if err := write(w, i); err != nil {
					if !errors.Is(err, cooldownstore.ErrClosed) {
						t.Errorf("a write beside Close: %v, want ErrClosed", err)
					}
					return
				}
				acknowledged[w] = i
				if i == before {
					once.Do(started.Done)
				}
			}
		})
	}
	started.Wait()
	close()
	group.Wait()
	return acknowledged
}
