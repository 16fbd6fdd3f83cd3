package canary_test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/tuner/canary"
)

var hostile = []float64{
	math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 1e100, 1e99, 1e-100, 1e-300,
	math.SmallestNonzeroFloat64, 0, math.Copysign(0, -1), -5, 1, 1, 2, 1e15, 1e15 + 1,
}

// bounded checks what holds of every state.
func bounded(t interface{ Fatalf(string, ...any) }, s canary.State) {
	text, err := json.Marshal(s)
	if err != nil || len(text) > canary.MaxStateBytes {
		t.Fatalf("%d bytes, %v: %+v", len(text), err, s)
	}
	if s.Verdict == canary.Promote && (s.Seconds < s.LeastSeconds || s.Why != canary.NotWorse) || s.Why == canary.Unreadable {
		t.Fatalf("%+v", s)
	}
}

// wild runs a trial on any numbers: it stays bounded and ends at its limit.
func wild(t interface{ Fatalf(string, ...any) }, before, since []canary.Interval, a canary.Against) {
	s, err := canary.Begin(before, a, canary.Defaults())
	if err != nil {
		return
	}
	for range 3 {
		for _, i := range since {
			s = s.Update(i)
		}
		bounded(t, s)
	}
	for range 288 {
		s = s.Update(canary.Interval{Length: 5 * time.Minute, Idle: true})
	}
	bounded(t, s)
	if s.Verdict == canary.Continue {
		t.Fatalf("did not end: %+v", s)
	}
}

func TestHostileCosts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cost := rapid.OneOf(rapid.SampledFrom(hostile), rapid.Float64(), rapid.Float64Range(0, 100))
		one := rapid.Custom(func(t *rapid.T) canary.Interval {
			return canary.Interval{
				Length: time.Duration(rapid.Int64().Draw(t, "length")), Treated: cost.Draw(t, "treated"), Control: cost.Draw(t, "control"),
				Opens: rapid.Int().Draw(t, "opens"), Idle: rapid.IntRange(0, 9).Draw(t, "idle") == 0,
			}
		})
		a := rapid.SampledFrom([]canary.Against{canary.Own, canary.Others, "", "bogus"}).Draw(t, "against")
		wild(t, rapid.SliceOfN(one, 30, 100).Draw(t, "before"), rapid.SliceOfN(one, 1, 20).Draw(t, "since"), a)
	})
}

func FuzzTrial(f *testing.F) {
	var seed []byte
	for range 4 {
		for _, x := range hostile {
			seed = binary.LittleEndian.AppendUint64(seed, math.Float64bits(x))
		}
	}
	f.Add(seed, int64(300e9), true)
	f.Add(seed[8:], int64(-1), false)
	f.Fuzz(func(t *testing.T, text []byte, length int64, own bool) {
		var list []canary.Interval
		for ; len(text) >= 16 && len(list) < 100; text = text[16:] {
			i := canary.Interval{Length: time.Duration(length)}
			i.Treated = math.Float64frombits(binary.LittleEndian.Uint64(text))
			i.Control = math.Float64frombits(binary.LittleEndian.Uint64(text[8:]))
			i.Opens = int(text[0])
			list = append(list, i)
		}
		a := canary.Others
		if own {
			a = canary.Own
		}
		wild(t, append(list, list...), list, a)
	})
}

// Whatever a disk or another node hands over: a verdict, and a state that can be stored.
func FuzzState(f *testing.F) {
	s, err := canary.Begin(repeat(100, 4, 6, 5), canary.Own, canary.Defaults())
	if err != nil {
		f.Fatal(err)
	}
	text, err := json.Marshal(s.Update(interval(3, 4)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, 5.0, 4.0)
	f.Add([]byte(`{"verdict":"continue","cap":1e99,"low":-1e99,"block":1,"slow":1}`), math.NaN(), math.Inf(1))
	f.Fuzz(func(t *testing.T, text []byte, treated, control float64) {
		var s canary.State
		if json.Unmarshal(text, &s) != nil {
			return
		}
		for range 3 {
			s = s.Update(interval(treated, control))
			if s.Verdict != canary.Continue && s.Verdict != canary.Promote && s.Verdict != canary.Rollback {
				t.Fatalf("verdict %q", s.Verdict)
			}
			if _, err := json.Marshal(s); err != nil {
				t.Fatal(err)
			}
		}
	})
}
