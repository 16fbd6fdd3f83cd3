package travel

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/wire"
)

func requestOut(m spread.Request, now breaker.Instant) (*wire.Frame, error) {
	w := &wire.Request{Id: m.ID, Key: string(m.Key), Left: int64(m.Left)}
	if c := m.Challenge; c != nil {
		w.Challenge = challengeOut(*c)
	}
	switch b := m.Body.(type) {
	case spread.Ask:
		w.Body = &wire.Request_Ask{Ask: &wire.Ask{Id: b.Question.ID, Role: b.Question.Role, Entry: snapshotOut(b.Entry, now)}}
	case spread.Word:
		w.Body = &wire.Request_Word{Word: &wire.Word{Length: int64(b.Length), Author: b.Author, Detail: b.Detail}}
	case spread.Inspect:
		w.Body = &wire.Request_Inspect{Inspect: &wire.Inspect{}}
	case spread.Hold:
		w.Body = &wire.Request_Hold{Hold: &wire.Hold{Snapshot: snapshotOut(b.Snapshot, now)}}
	case spread.ListRings:
		w.Body = &wire.Request_Rings{Rings: &wire.ListRings{}}
	case spread.Lay:
		w.Body = &wire.Request_Lay{Lay: layOut(b)}
	case spread.ListOverlays:
		w.Body = &wire.Request_Overlays{Overlays: &wire.ListOverlays{}}
	case spread.Observe:
		w.Body = &wire.Request_Observe{Observe: &wire.Observe{What: b.What, Query: b.Query}}
	default:
		return nil, fmt.Errorf("a request with a %T has no wire form", b)
	}
	return &wire.Frame{Body: &wire.Frame_Request{Request: w}}, nil
}

func requestIn(w *wire.Request, latest breaker.Stamp, from string, now breaker.Instant) (spread.Message, error) {
	m := spread.Request{ID: w.GetId(), Left: span(w.GetLeft())}
	if c := w.GetChallenge(); c != nil {
		m.Challenge = new(challengeIn(c))
	}
	if w.GetKey() != "" || !keyless(w) {
		key, err := breaker.ParseKey(w.GetKey())
		if err != nil {
			return nil, err
		}
		m.Key = key
	}
	body, err := requestBodyIn(w, latest, from, now)
	if err != nil {
		return nil, err
	}
	m.Body = body
	return m, nil
}

func requestBodyIn(w *wire.Request, latest breaker.Stamp, from string, now breaker.Instant) (any, error) {
	switch b := w.GetBody().(type) {
	case *wire.Request_Ask:
		ask := spread.Ask{Question: breaker.Question{ID: b.Ask.GetId(), Node: from, Role: breaker.Cut(b.Ask.GetRole())}}
		if entry := snapshotIn(b.Ask.GetEntry(), now); entry.MaxStamp() <= latest {
			ask.Entry = entry
		}
		return ask, nil
	case *wire.Request_Word:
		length := min(time.Duration(b.Word.GetLength()), breaker.MaxOpen)
		if length < 0 { // zero is a close
			return nil, fmt.Errorf("an open for %v", length)
		}
		return spread.Word{Length: length, Author: breaker.Cut(b.Word.GetAuthor()), Detail: breaker.Cut(b.Word.GetDetail())}, nil
	case *wire.Request_Inspect:
		return spread.Inspect{}, nil
	case *wire.Request_Hold:
		s := snapshotIn(b.Hold.GetSnapshot(), now)
		if s.MaxStamp() > latest {
			return nil, errors.New("a snapshot with a stamp beyond its sender's clock")
		}
		return spread.Hold{Snapshot: s}, nil
	case *wire.Request_Rings:
		return spread.ListRings{}, nil
	case *wire.Request_Lay:
		return layIn(b.Lay)
	case *wire.Request_Overlays:
		return spread.ListOverlays{}, nil
	case *wire.Request_Observe:
		query := b.Observe.GetQuery()
		return spread.Observe{What: breaker.Cut(b.Observe.GetWhat()), Query: query[:min(len(query), maxQueryBytes)]}, nil
	}
	return nil, errUnknown
}

func challengeOut(c spread.Challenge) *wire.Challenge {
	return &wire.Challenge{Life: c.Life, At: c.At}
}

func challengeIn(w *wire.Challenge) spread.Challenge {
	return spread.Challenge{Life: w.GetLife(), At: w.GetAt()}
}

// keyless reports whether a request may be about no key.
func keyless(w *wire.Request) bool {
	switch w.GetBody().(type) {
	case *wire.Request_Rings, *wire.Request_Observe:
		return true
	}
	return false
}

func replyOut(m spread.Reply, now breaker.Instant) (*wire.Frame, error) {
	w := &wire.Reply{Id: m.ID}
	switch b := m.Body.(type) {
	case breaker.Answer:
		w.Body = &wire.Reply_Ask{Ask: &wire.AskReply{
			State: wire.State(b.State), Permit: uint64(b.Permit), ExpiresIn: ahead(b.Expires, now),
			Delay: int64(b.Delay), RetryIn: int64(b.RetryIn), Reason: string(b.Reason),
		}}
	case spread.OperatorResult:
		word := &wire.WordReply{
			Before: statusOut(b.Before, now), After: statusOut(b.After, now), Durable: b.Durable, Copies: int64(b.Copies),
			Entry: snapshotOut(b.Entry, now),
		}
		if b.Err != nil {
			word.Error = b.Err.Error()
		}
		w.Body = &wire.Reply_Word{Word: word}
	case breaker.Inspection:
		w.Body = &wire.Reply_Inspect{Inspect: inspectionOut(b, now)}
	case spread.Held:
		held := &wire.Held{Busy: b.Busy}
		if b.Known.Stamp != 0 {
			held.Known = overlayOut(b.Known, now)
		}
		w.Body = &wire.Reply_Held{Held: held}
	case spread.Rings:
		rings := &wire.Rings{}
		for _, r := range b {
			rings.Rings = append(rings.Rings, &wire.Ring{Key: string(r.Key), Status: statusOut(r.Status, now)})
		}
		w.Body = &wire.Reply_Rings{Rings: rings}
	case spread.LayResult:
		w.Body = &wire.Reply_Lay{Lay: layReplyOut(b, now)}
	case spread.PastOverlays:
		w.Body = &wire.Reply_Overlays{Overlays: pastOut(b)}
	case spread.Observed:
		w.Body = &wire.Reply_Observed{Observed: &wire.Observed{Body: b.Body}}
	case spread.Challenge:
		w.Body = &wire.Reply_Challenge{Challenge: challengeOut(b)}
	case error:
		w.Body = &wire.Reply_Failure{Failure: &wire.Failure{Error: b.Error(), NotOwner: errors.Is(b, spread.ErrNotOwner)}}
	default:
		return nil, fmt.Errorf("a reply with a %T has no wire form", b)
	}
	return &wire.Frame{Body: &wire.Frame_Reply{Reply: w}}, nil
}

func replyIn(w *wire.Reply, now breaker.Instant) (spread.Message, error) {
	m := spread.Reply{ID: w.GetId()}
	switch b := w.GetBody().(type) {
	case *wire.Reply_Ask:
		a := b.Ask
		m.Body = breaker.Answer{
			State: stateIn(a.GetState()), Permit: breaker.PermitID(a.GetPermit()), Expires: at(a.ExpiresIn, now),
			Delay: span(a.GetDelay()), RetryIn: span(a.GetRetryIn()), Reason: breaker.Reason(breaker.Cut(a.GetReason())),
		}
	case *wire.Reply_Word:
		result := spread.OperatorResult{
			Before: statusIn(b.Word.GetBefore(), now), After: statusIn(b.Word.GetAfter(), now),
			Durable: b.Word.GetDurable(), Copies: count(b.Word.GetCopies()), Entry: snapshotIn(b.Word.GetEntry(), now),
		}
		if text := b.Word.GetError(); text != "" {
			result.Err = errors.New(shortened(text))
		}
		m.Body = result
	case *wire.Reply_Inspect:
		m.Body = inspectionIn(b.Inspect, now)
	case *wire.Reply_Held:
		held := spread.Held{Busy: b.Held.GetBusy()}
		held.Known, _ = overlayIn(b.Held.GetKnown(), now)
		m.Body = held
	case *wire.Reply_Rings:
		rings := spread.Rings{}
		for _, r := range b.Rings.GetRings() {
			if key, err := breaker.ParseKey(r.GetKey()); err == nil {
				rings = append(rings, spread.Ring{Key: key, Status: statusIn(r.GetStatus(), now)})
			}
		}
		m.Body = rings
	case *wire.Reply_Lay:
		m.Body = layReplyIn(b.Lay, now)
	case *wire.Reply_Overlays:
		m.Body = pastIn(b.Overlays)
	case *wire.Reply_Observed:
		m.Body = spread.Observed{Body: b.Observed.GetBody()}
	case *wire.Reply_Challenge:
		m.Body = challengeIn(b.Challenge)
	case *wire.Reply_Failure:
		m.Body = fmt.Errorf("on another node: %s", shortened(b.Failure.GetError()))
		if b.Failure.GetNotOwner() {
			m.Body = spread.ErrNotOwner
		}
	default:
		return nil, errUnknown
	}
	return m, nil
}

// believable leaves out of a reply what has a stamp beyond its sender's clock
// (see pushIn).
func believable(m spread.Message, latest breaker.Stamp) spread.Message {
	r, ok := m.(spread.Reply)
	if !ok {
		return m
	}
	switch body := r.Body.(type) {
	case spread.OperatorResult:
		if body.Entry.MaxStamp() > latest {
			body.Entry = breaker.Snapshot{}
			r.Body = body
		}
	case spread.LayResult:
		if body.Overlay.Stamp > latest {
			body.Overlay = breaker.Overlay{}
			r.Body = body
		}
	}
	return r
}

// maxQueryBytes bounds what a peer may ask of the telemetry: a longer query is
// cut, which makes no JSON.
const maxQueryBytes = 64 << 10

// maxErrorBytes bounds what a peer may say of a failure.
const maxErrorBytes = 500

func shortened(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxErrorBytes)], "")
}
