package words_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/words"
)

const key = breaker.Key("host:a.example.org")

func TestAfter(t *testing.T) {
	for _, tt := range []struct {
		what         string
		asked, owner string
		err          error
		want         words.Step
	}{
		{"it is done", "x", "y", nil, words.Answered},
		{"it was refused", "x", "x", words.ErrBusy, words.Answered},
		{"the member does not own it", "x", "x", fmt.Errorf("%w: k", spread.ErrNotOwner), words.AskAgain},
		{"the member is gone", "x", "x", spread.ErrMoved, words.AskAgain},
		{"the owner is silent", "x", "x", spread.ErrNoOwner, words.StandIn},
		{"another one owns it by now", "x", "y", spread.ErrNoOwner, words.AskAgain},
		{"nobody owns it", "", "", spread.ErrNoOwner, words.StandIn},
		{"nobody owns it any more", "x", "", spread.ErrNoOwner, words.StandIn},
	} {
		if got := words.After(tt.asked, tt.owner, tt.err); got != tt.want {
			t.Errorf("%s: step %d, want %d", tt.what, got, tt.want)
		}
	}
}

// A member's reply, and what is the case by then.
type reply struct {
	held spread.Held
	err  error
	lost bool // this node does not own the key any more
	over bool // its time is up
}

var (
	holds   = reply{}
	busy    = reply{held: spread.Held{Busy: true}}
	late    = reply{held: spread.Held{Busy: true}, over: true}
	waits   = reply{held: spread.Held{Busy: true}, lost: true}
	refuses = reply{held: spread.Held{Known: breaker.Overlay{Register: breaker.RegisterOperator, Stamp: 7, Fields: "fail_max:7"}}}
	again   = reply{held: spread.Held{Known: breaker.Overlay{Register: breaker.RegisterOperator, Stamp: 8, Fields: "fail_max:8"}}}
	silent  = reply{err: spread.ErrNoOwner}
	full    = reply{err: errors.New("its disk is full")}
)

// ask plays a holding with four members; asked says whom it asked.
func ask(h *words.Holding, replies []reply) (asked string) {
	for to, more := h.Next(); more && len(replies) > 0; to, more = h.Next() {
		r := replies[0]
		replies = replies[1:]
		asked += to
		h.Heard(r.held, r.err, !r.lost, r.over)
	}
	if _, more := h.Next(); more {
		asked += " and more"
	}
	return asked
}

// A member that did not answer may hold a change: then a later one that another
// member knows is no proof that nothing was done.
func TestHoldChange(t *testing.T) {
	members := []string{"x", "y", "z", "u"}
	for _, tt := range []struct {
		what    string
		replies []reply
		asked   string
		copies  int
		later   breaker.Stamp
		err     error
	}{
		{"the first holds it", []reply{holds}, "x", 2, 0, nil},
		{"the first refuses", []reply{refuses}, "x", 1, 7, nil},
		{"one is silent, the next holds it", []reply{silent, holds}, "xy", 2, 0, nil},
		{"one is silent, the next refuses", []reply{silent, refuses}, "xy", 1, 0, words.ErrUnknown},
		{"one is silent, the next busy to the end", []reply{silent, late}, "xy", 1, 0, words.ErrUnknown},
		{"one is busy, then holds it", []reply{busy, busy, holds}, "xxx", 2, 0, nil},
		{"one is busy to the end", []reply{busy, late}, "xx", 1, 0, words.ErrBusy},
		{"one is busy that owns the key now", []reply{busy, waits}, "xx", 1, 0, spread.ErrNotOwner},
		{"one could not write, the next refuses", []reply{full, refuses}, "xy", 1, 7, nil},
		{"none of three could", []reply{full, silent, full, holds}, "xyz", 1, 0, words.ErrAlone},
	} {
		h := words.HoldChange(members, breaker.Snapshot{}, true)
		asked := ask(h, tt.replies)
		stands := tt.later == 0 && (tt.err == nil || tt.err == words.ErrAlone)
		if r := h.Result(nil, true); asked != tt.asked || r.Copies != tt.copies || h.Later.Stamp != tt.later || !errors.Is(h.Err, tt.err) || h.Stands() != stands {
			t.Errorf("%s: asked %s, %d copies, later %d, %v, stands %v; want %s, %d, %d, %v, %v",
				tt.what, asked, r.Copies, h.Later.Stamp, h.Err, h.Stands(), tt.asked, tt.copies, tt.later, tt.err, stands)
		}
	}
	h := words.HoldChange(nil, breaker.Snapshot{}, false)
	if _, more := h.Next(); more || !h.Stands() || h.Err != nil {
		t.Errorf("without members it is %+v", h)
	}
	if ask(words.HoldChange(members, breaker.Snapshot{}, false), []reply{waits, holds}) != "xx" {
		t.Error("a node that stands in for an owner gives up because it does not own the key")
	}
}

// A word is carried out all the same: a member that knows of a later change holds it
// with that.
func TestHoldWord(t *testing.T) {
	members := []string{"x", "y"}
	for _, tt := range []struct {
		what    string
		replies []reply
		asked   string
		copies  int
		err     error
	}{
		{"the first holds it", []reply{holds}, "x", 2, nil},
		{"it knows of a change", []reply{refuses, holds}, "xx", 2, nil},
		{"it knows of one of each register", []reply{refuses, again, holds}, "xxx", 2, nil},
		{"it refuses without end", []reply{refuses, again, again, holds}, "xxx", 1, words.ErrAlone},
		{"one is silent, the next knows of a change", []reply{silent, refuses, holds}, "xyy", 2, nil},
		{"one is silent, the next busy to the end", []reply{silent, late}, "xy", 1, words.ErrBusy},
		{"none could", []reply{silent, full}, "xy", 1, words.ErrAlone},
	} {
		h := words.HoldWord(members, breaker.Snapshot{Clear: 3}, true)
		asked := ask(h, tt.replies)
		if r := h.Result(nil, true); asked != tt.asked || r.Copies != tt.copies || !r.Durable || !errors.Is(r.Err, tt.err) {
			t.Errorf("%s: asked %s, %+v; want %s, %d copies, %v", tt.what, asked, r, tt.asked, tt.copies, tt.err)
		}
		if knew := slices.Contains(tt.replies, refuses); knew && h.Snapshot.Overlay(breaker.RegisterOperator).Stamp < 7 || h.Snapshot.Clear != 3 {
			t.Errorf("%s: it holds %+v", tt.what, h.Snapshot)
		}
	}
	full := errors.New("full")
	h := words.HoldWord(nil, breaker.Snapshot{}, true)
	if r := h.Result(full, true); r.Durable || !errors.Is(r.Err, full) || r.Copies != 1 {
		t.Errorf("on a full disk it is %+v", r)
	}
	if r := h.Result(nil, false); r.Durable || r.Err != nil {
		t.Errorf("in memory it is %+v", r)
	}
}

func TestRefuses(t *testing.T) {
	of := func(stamp, base breaker.Stamp) breaker.Snapshot {
		return breaker.Snapshot{Overlays: []breaker.Overlay{{Register: breaker.RegisterOperator, Stamp: stamp, Base: base, Fields: "fail_max:3"}}}
	}
	was := func(o breaker.Overlay) bool { return o.Stamp == 10 }
	for _, tt := range []struct {
		what        string
		known, held breaker.Snapshot
		later       breaker.Stamp // 0: it holds
		news        int
	}{
		{"the first", breaker.Snapshot{}, of(10, 0), 0, 1},
		{"one made from what is known", of(20, 10), of(30, 20), 0, 1},
		{"a later one made from what was known", of(20, 10), of(30, 10), 20, 1},
		{"an earlier one that never was in force", of(20, 10), of(15, 10), 20, 0},
		{"an earlier one that was", of(20, 10), of(10, 0), 0, 0},
		{"what is known", of(20, 10), of(20, 10), 0, 0},
		{"none", of(20, 10), breaker.Snapshot{Clear: 40}, 0, 0},
	} {
		later, refuses := words.Refuses(tt.known, tt.held, was)
		if refuses != (tt.later != 0) || later.Stamp != tt.later {
			t.Errorf("%s: refused because of %d, want %d", tt.what, later.Stamp, tt.later)
		}
		if news := words.News(tt.known, tt.held); len(news) != tt.news {
			t.Errorf("%s: news are %+v, want %d", tt.what, news, tt.news)
		}
	}
}

// site is where a test makes changes: what the node knows is its own.
type site struct {
	words.Site
	now   breaker.Stamp
	known breaker.Snapshot
}

func newSite() *site {
	p := breaker.DefaultPolicy()
	x := &site{now: 100}
	x.Site = words.Site{
		Key: key, Machine: breaker.New(&p),
		Recall: func(breaker.Key) breaker.Snapshot { return x.known },
		Moment: func() breaker.Moment {
			x.now++
			return breaker.Moment{Now: breaker.Instant(x.now), Stamp: x.now, Members: 1}
		},
		Amend: func(_ breaker.Key, s breaker.Snapshot, l spread.Lay, mo breaker.Moment) (breaker.Overlay, []string) {
			switch was := s.Overlay(l.Register); l.Set {
			case "bad":
				return was, []string{"bad is no field"}
			case "":
				return was, nil
			default:
				return breaker.NewOverlay(mo, l.Register, was.Stamp, l.Set, "", 0, 0), nil
			}
		},
		CarryOut: func(breaker.Effects) {},
	}
	return x
}

func (x *site) later(stamp breaker.Stamp) breaker.Overlay {
	return breaker.Overlay{Register: breaker.RegisterOperator, Stamp: stamp, Fields: "fail_max:9"}
}

func TestLaying(t *testing.T) {
	x := newSite()
	x.known.Overlays = []breaker.Overlay{x.later(50)} // still in the mailbox
	l := words.Lay(spread.Lay{ID: 77, Register: breaker.RegisterOperator, Set: "fail_max:3"}, x.Site)
	s, more := l.Next()
	if o := s.Overlay(breaker.RegisterOperator); !more || o.Base != 50 || o.Change != 77 {
		t.Fatalf("to be committed is %+v, %v; want it made from 50", o, more)
	}
	l.Heard(spread.OperatorResult{}, x.later(500))
	x.now = 600
	if s, more = l.Next(); !more || s.Overlay(breaker.RegisterOperator).Base != 500 {
		t.Fatalf("then it is %+v, want it made from what a member knew", s.Overlays)
	}
	l.Heard(spread.OperatorResult{Durable: true, Copies: 2}, breaker.Overlay{})
	if _, more := l.Next(); more || l.Result.Was.Stamp != 500 || l.Result.Overlay != s.Overlay(breaker.RegisterOperator) || !l.Result.Durable || l.Result.Copies != 2 {
		t.Errorf("the result is %+v", l.Result)
	}
	if s := x.Machine.Snapshot(); s.Overlay(breaker.RegisterOperator) != l.Result.Overlay {
		t.Errorf("the machine has %+v", s.Overlays)
	}
}

func TestLayingThatCommitsNothing(t *testing.T) {
	other := breaker.Stamp(7)
	for _, tt := range []struct {
		what   string
		change spread.Lay
		ok     func(spread.LayResult) bool
	}{
		{"another version is in force", spread.Lay{Set: "fail_max:3", Match: &other}, func(r spread.LayResult) bool { return r.Conflict }},
		{"it makes no sense", spread.Lay{Set: "bad"}, func(r spread.LayResult) bool { return len(r.Refused) == 1 }},
		{"there is nothing to reset", spread.Lay{Whole: true}, func(r spread.LayResult) bool { return r.Durable && r.Copies == 1 }},
	} {
		l := words.Lay(tt.change, newSite().Site)
		if _, more := l.Next(); more || !tt.ok(l.Result) {
			t.Errorf("%s: %+v, more %v", tt.what, l.Result, more)
		}
	}
}

func TestLayingGivesUp(t *testing.T) {
	x := newSite()
	l := words.Lay(spread.Lay{Register: breaker.RegisterOperator, Set: "fail_max:3"}, x.Site)
	tries := 0
	for _, more := l.Next(); more; _, more = l.Next() {
		tries++
		l.Heard(spread.OperatorResult{}, x.later(x.now+1000))
		x.now += 2000
	}
	if tries != words.MaxStale || len(l.Result.Refused) != 1 {
		t.Errorf("after %d tries it is %+v, want it refused after %d", tries, l.Result, words.MaxStale)
	}
}

// A change that is asked for again is committed as it was made, with what was made from
// it; where somebody else's superseded it unknown, it is made anew.
func TestLayingMadeBefore(t *testing.T) {
	at := func(stamp, base breaker.Stamp) breaker.Overlay {
		o := newSite().later(stamp)
		o.Base = base
		return o
	}
	made, from, beside := at(50, 40), at(60, 50), at(60, 40)
	made.Change = 77
	for _, tt := range []struct {
		what  string
		again bool
		known breaker.Overlay
		past  []breaker.Overlay
		held  breaker.Overlay // what a member knows
		want  bool            // it is the one that was made
	}{
		{"in force", true, made, nil, breaker.Overlay{}, true},
		{"replaced", true, from, []breaker.Overlay{from, made}, breaker.Overlay{}, true},
		{"superseded", true, beside, []breaker.Overlay{beside, made}, breaker.Overlay{}, false},
		{"replaced, as a member knows", true, made, nil, from, true},
		{"superseded, as a member knows", true, made, nil, beside, false},
		{"never made", true, beside, []breaker.Overlay{beside}, breaker.Overlay{}, false},
		{"not asked for again", false, made, []breaker.Overlay{made}, breaker.Overlay{}, false},
	} {
		x := newSite()
		x.now = 100
		x.known.Overlays = []breaker.Overlay{tt.known}
		l := words.Lay(spread.Lay{ID: 77, Again: tt.again, Register: breaker.RegisterOperator, Set: "fail_max:3"}, x.Site)
		l.Made(func() []breaker.Overlay { return tt.past })
		s, more := l.Next()
		if tt.held.Stamp != 0 && more {
			l.Heard(spread.OperatorResult{}, tt.held)
			s, more = l.Next()
		}
		in := s.Overlay(breaker.RegisterOperator)
		l.Heard(spread.OperatorResult{Durable: true, Copies: 2}, breaker.Overlay{})
		r := l.Result
		if !more || r.Conflict || !r.Durable || r.Copies != 2 || (r.Overlay == made) != tt.want || tt.want && r.Was.Stamp != 40 {
			t.Errorf("%s: %+v, more %v; want the one that was made: %v", tt.what, r, more, tt.want)
		}
		if after := x.Machine.Snapshot(); after.Overlay(breaker.RegisterOperator) != in || !tt.want && in != r.Overlay {
			t.Errorf("%s: committed was %+v, the machine has %+v", tt.what, in, after.Overlays)
		}
	}
}
