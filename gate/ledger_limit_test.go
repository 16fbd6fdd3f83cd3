package gate

import (
	"fmt"
	"testing"
	"time"
)

// A probe that is out for long keeps no room for those behind it that came back.
func TestTheLedgerHasRoomBehindALongPermit(t *testing.T) {
	w := newWorld(t)
	l, now := &w.g.ledger, w.clock.Now()
	l.byTok = map[string]*handedOut{}
	for i := range maxHandedOut {
		h := &handedOut{token: fmt.Sprint(i), expires: now.Add(time.Hour), taken: i > 0}
		l.order = append(l.order, h)
		if i == 0 {
			l.byTok[h.token] = h
		}
	}
	token := w.g.Hand(Decision{host: w.g.entry(w.g.hosts, host), terms: w.g.roles.of("")})
	if got := l.take(now, token, func(*handedOut) bool { return true }); got == nil {
		t.Error("the permit handed out last is not good")
	}
	if got := l.take(now, "0", func(*handedOut) bool { return true }); got == nil || len(l.order) != 0 {
		t.Errorf("the permit that was out for long is %v, %d are left", got, len(l.order))
	}
}
