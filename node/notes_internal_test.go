package node

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"
)

// Who puts a note does not wait for a disk that hangs, the latest of each name is
// written, and what was put is written before the end.
func TestNotesDoNotWaitForTheDisk(t *testing.T) {
	var written []string // by one goroutine, read when that is over
	began, hang := make(chan struct{}, 1), make(chan struct{})
	n := newNotes(func(_ context.Context, name, value string) error {
		poke(began)
		<-hang
		written = append(written, name+"="+value)
		return nil
	}, slog.New(slog.DiscardHandler))
	n.put("seeds", "a")
	<-began
	n.put("seeds", "b")
	n.put("seeds", "c")
	n.putNow("epoch", "2", time.Millisecond)
	close(hang)
	select {
	case <-n.put("epoch", "3"):
	case <-time.After(time.Minute):
		t.Fatal("a note was not written")
	}
	n.put("seeds", "d")
	n.close()
	if got := slices.DeleteFunc(written, func(s string) bool { return s == "epoch=2" || s == "seeds=c" }); !slices.Equal(got, []string{"seeds=a", "epoch=3", "seeds=d"}) {
		t.Errorf("written was %v; want seeds a and d, never b, and epoch 3", got)
	}
}
