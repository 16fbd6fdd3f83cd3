package node

import (
	"strings"
	"testing"
	"time"

	"fleetfuse/cluster"
)

func TestWordsOfProblems(t *testing.T) {
	for got, want := range map[string]string{
		waiting(1, "change"):                             "1 change waits",
		waiting(uint64(2), "change"):                     "2 changes wait",
		counted(uint64(1), "change was", "changes were"): "1 change was",
		counted(uint64(3), "change was", "changes were"): "3 changes were",
		aloneText(time.Now(), nil):                       "",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// However many peers there are, a problem stays readable.
func TestAloneNamesSomePeers(t *testing.T) {
	missed := []cluster.Missed{{Address: "a:1", Why: "x"}, {Address: "b:1", Why: "x"}, {Address: "c:1", Why: "x"}, {Address: "d:1", Why: "x"}, {Address: "e:1", Why: "x"}}
	text := aloneText(time.Unix(0, 0), missed)
	if !strings.Contains(text, "none of the 5 configured peers is reached") || !strings.Contains(text, "c:1 (x), and 2 more") || strings.Contains(text, "d:1") {
		t.Error(text)
	}
}

// A node is alone from the moment that the last other member went.
func TestSolitude(t *testing.T) {
	var s solitude
	at := time.Unix(100, 0)
	for i, x := range []struct {
		others int
		want   time.Time
	}{{0, at}, {0, at}, {2, time.Time{}}, {0, at.Add(3 * time.Second)}} {
		if got := s.look(x.others, at.Add(time.Duration(i)*time.Second)); !got.Equal(x.want) {
			t.Errorf("step %d: %v, want %v", i, got, x.want)
		}
	}
}
