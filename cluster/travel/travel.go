package travel

import (
	"errors"
	"fmt"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/wire"
)

// Errors of frames.
var errUnknown = errors.New("a message this version does not know")

// Depart gives a message its wire form. Instants become durations: now is when
// it is sent.
func Depart(m spread.Message, now breaker.Instant) (*wire.Frame, error) {
	switch m := m.(type) {
	case spread.Push:
		w := &wire.Push{Id: m.ID, Entries: make([]*wire.Entry, 0, len(m.Entries))}
		for _, x := range m.Entries {
			w.Entries = append(w.Entries, &wire.Entry{Key: string(x.Key), Snapshot: snapshotOut(x.Snapshot, now)})
		}
		return &wire.Frame{Body: &wire.Frame_Push{Push: w}}, nil
	case spread.Ack:
		return &wire.Frame{Body: &wire.Frame_Ack{Ack: &wire.Ack{Ids: m.IDs}}}, nil
	case spread.Batch:
		w := &wire.Batch{Seq: m.Seq, Reports: make([]*wire.Report, 0, len(m.Reports))}
		for _, r := range m.Reports {
			w.Reports = append(w.Reports, reportOut(r, now))
		}
		return &wire.Frame{Body: &wire.Frame_Batch{Batch: w}}, nil
	case spread.BatchAck:
		return &wire.Frame{Body: &wire.Frame_BatchAck{BatchAck: &wire.BatchAck{Seq: m.Seq, Foreign: textOf(m.Foreign)}}}, nil
	case spread.Settle:
		w := &wire.Settle{Id: m.ID, Key: string(m.Key), Outcome: outcomeOut(m.Outcome, now)}
		return &wire.Frame{Body: &wire.Frame_Settle{Settle: w}}, nil
	case spread.WitnessAsk:
		return &wire.Frame{Body: &wire.Frame_WitnessAsk{WitnessAsk: questionsOut(m, now)}}, nil
	case spread.WitnessReply:
		return &wire.Frame{Body: &wire.Frame_WitnessReply{WitnessReply: answersOut(m, now)}}, nil
	case spread.Digest:
		return &wire.Frame{Body: &wire.Frame_Digest{Digest: &wire.Digest{Buckets: m.Buckets, Sync: m.Sync}}}, nil
	case spread.Want:
		w := &wire.Want{}
		for _, b := range m.Buckets {
			w.Buckets = append(w.Buckets, uint32(b))
		}
		return &wire.Frame{Body: &wire.Frame_Want{Want: w}}, nil
	case spread.Synced:
		return &wire.Frame{Body: &wire.Frame_Synced{Synced: &wire.Synced{Sync: m.Sync}}}, nil
	case spread.Refusal:
		return &wire.Frame{Body: &wire.Frame_Refusal{Refusal: &wire.Refusal{Ahead: int64(m.Ahead)}}}, nil
	case spread.Request:
		return requestOut(m, now)
	case spread.Reply:
		return replyOut(m, now)
	}
	return nil, fmt.Errorf("%T has no wire form", m)
}

// Arrive reads a message that arrived now. What does not make sense in it is
// left out; a message that makes none is an error.
func Arrive(f *wire.Frame, now breaker.Instant) (spread.Message, error) {
	switch b := f.GetBody().(type) {
	case *wire.Frame_Push:
		return pushIn(b.Push, breaker.Stamp(f.Stamp), now), nil
	case *wire.Frame_Ack:
		return spread.Ack{IDs: b.Ack.GetIds()}, nil
	case *wire.Frame_Batch:
		return batchIn(b.Batch, f.From, now), nil
	case *wire.Frame_BatchAck:
		return spread.BatchAck{Seq: b.BatchAck.GetSeq(), Foreign: keysOf(b.BatchAck.GetForeign())}, nil
	case *wire.Frame_Settle:
		key, err := breaker.ParseKey(b.Settle.GetKey())
		return spread.Settle{ID: b.Settle.GetId(), Key: key, Outcome: outcomeIn(b.Settle.GetOutcome(), f.From, now)}, err
	case *wire.Frame_WitnessAsk:
		return questionsIn(b.WitnessAsk, now), nil
	case *wire.Frame_WitnessReply:
		return answersIn(b.WitnessReply, f.From, now), nil
	case *wire.Frame_Digest:
		return spread.Digest{Buckets: b.Digest.GetBuckets(), Sync: b.Digest.GetSync()}, nil
	case *wire.Frame_Want:
		m := spread.Want{}
		for _, n := range b.Want.GetBuckets() {
			m.Buckets = append(m.Buckets, int(n))
		}
		return m, nil
	case *wire.Frame_Synced:
		return spread.Synced{Sync: b.Synced.GetSync()}, nil
	case *wire.Frame_Refusal:
		return spread.Refusal{Ahead: bounded(b.Refusal.GetAhead())}, nil
	case *wire.Frame_Request:
		return requestIn(b.Request, breaker.Stamp(f.Stamp), f.From, now)
	case *wire.Frame_Reply:
		m, err := replyIn(b.Reply, now)
		return believable(m, breaker.Stamp(f.Stamp)), err
	}
	return nil, errUnknown
}

// keysOf reads keys and leaves out what is none.
func keysOf(texts []string) []breaker.Key {
	var keys []breaker.Key
	for _, t := range texts {
		if k, err := breaker.ParseKey(t); err == nil {
			keys = append(keys, k)
		}
	}
	return keys
}

func textOf(keys []breaker.Key) []string {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = string(k)
	}
	return texts
}

// pushIn reads a push. A stamp beyond the sender's clock cannot be: a node
// hears of no stamp without moving its clock.
func pushIn(w *wire.Push, latest breaker.Stamp, now breaker.Instant) spread.Push {
	m := spread.Push{ID: w.GetId(), Entries: make([]spread.Entry, 0, len(w.GetEntries()))}
	for _, x := range w.GetEntries() {
		key, err := breaker.ParseKey(x.GetKey())
		s := snapshotIn(x.GetSnapshot(), now)
		if err == nil && s.MaxStamp() <= latest {
			m.Entries = append(m.Entries, spread.Entry{Key: key, Snapshot: s})
		}
	}
	return m
}

func reportOut(r spread.Report, now breaker.Instant) *wire.Report {
	w := &wire.Report{Key: string(r.Key), Gap: r.Gap, Outcomes: make([]*wire.Outcome, 0, len(r.Outcomes))}
	for _, o := range r.Outcomes {
		w.Outcomes = append(w.Outcomes, outcomeOut(o, now))
	}
	return w
}

func batchIn(w *wire.Batch, from string, now breaker.Instant) spread.Batch {
	m := spread.Batch{Seq: w.GetSeq(), Reports: make([]spread.Report, 0, len(w.GetReports()))}
	for _, r := range w.GetReports() {
		key, err := breaker.ParseKey(r.GetKey())
		if err != nil {
			continue
		}
		report := spread.Report{Key: key, Gap: r.GetGap(), Outcomes: make([]breaker.Outcome, 0, len(r.GetOutcomes()))}
		for _, o := range r.GetOutcomes() {
			report.Outcomes = append(report.Outcomes, outcomeIn(o, from, now))
		}
		m.Reports = append(m.Reports, report)
	}
	return m
}

func questionsOut(m spread.WitnessAsk, now breaker.Instant) *wire.WitnessAsk {
	w := &wire.WitnessAsk{}
	for _, q := range m.Questions {
		w.Questions = append(w.Questions, &wire.WitnessQuestion{
			Key: string(q.Key), Round: uint64(q.Round), FromAge: int64(now.Sub(q.From)), ToAge: int64(now.Sub(q.To)),
			WindowAge: behind(q.Window, now),
		})
	}
	return w
}

func questionsIn(w *wire.WitnessAsk, now breaker.Instant) spread.WitnessAsk {
	var m spread.WitnessAsk
	for _, q := range w.GetQuestions() {
		key, err := breaker.ParseKey(q.GetKey())
		if err != nil {
			continue
		}
		m.Questions = append(m.Questions, spread.WitnessQuestion{Key: key, WitnessQuestion: breaker.WitnessQuestion{
			Round: breaker.Stamp(q.GetRound()), From: ago(&q.FromAge, now), To: ago(&q.ToAge, now), Window: ago(q.WindowAge, now),
		}})
	}
	return m
}

func answersOut(m spread.WitnessReply, now breaker.Instant) *wire.WitnessReply {
	w := &wire.WitnessReply{}
	for _, a := range m.Answers {
		w.Answers = append(w.Answers, &wire.WitnessAnswer{
			Key: string(a.Key), Round: uint64(a.Round), SuccessAge: behind(a.Success, now), Successes: int64(a.Successes),
		})
	}
	return w
}

func answersIn(w *wire.WitnessReply, from string, now breaker.Instant) spread.WitnessReply {
	var m spread.WitnessReply
	for _, a := range w.GetAnswers() {
		key, err := breaker.ParseKey(a.GetKey())
		if err != nil {
			continue
		}
		m.Answers = append(m.Answers, spread.WitnessAnswer{Key: key, WitnessAnswer: breaker.WitnessAnswer{
			Round: breaker.Stamp(a.GetRound()), Node: from, Success: ago(a.SuccessAge, now), Successes: count(a.GetSuccesses()),
		}})
	}
	return m
}
