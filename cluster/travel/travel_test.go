package travel_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/travel"
	"fleetfuse/wire"
)

// messages has one of each kind that travels.
var messages = []spread.Message{
	spread.Push{}, spread.Ack{}, spread.Batch{}, spread.BatchAck{}, spread.Settle{}, spread.WitnessAsk{}, spread.WitnessReply{},
	spread.Digest{}, spread.Want{}, spread.Synced{}, spread.Refusal{},
	spread.Request{Body: spread.Ask{}}, spread.Request{Body: spread.Word{}}, spread.Request{Body: spread.Inspect{}},
	spread.Request{Body: spread.Hold{}}, spread.Request{Body: spread.ListRings{}}, spread.Request{Body: spread.Lay{}},
	spread.Request{Body: spread.ListOverlays{}}, spread.Request{Body: spread.Observe{What: "events", Query: []byte("{}")}},
	spread.Reply{Body: breaker.Answer{}}, spread.Reply{Body: spread.OperatorResult{}}, spread.Reply{Body: breaker.Inspection{}},
	spread.Reply{Body: spread.Held{}}, spread.Reply{Body: spread.Rings{}}, spread.Reply{Body: spread.LayResult{}},
	spread.Reply{Body: spread.PastOverlays{}}, spread.Reply{Body: spread.Observed{Body: []byte("[]")}}, spread.Reply{Body: spread.ErrNotOwner},
	spread.Reply{Body: spread.Challenge{}},
}

// nameOf names a message for people.
func nameOf(m spread.Message) string {
	switch m := m.(type) {
	case spread.Request:
		return fmt.Sprintf("Request of %T", m.Body)
	case spread.Reply:
		return fmt.Sprintf("Reply of %T", m.Body)
	}
	return fmt.Sprintf("%T", m)
}

// clocks are those of two nodes at one moment.
type clocks struct{ here, there breaker.Instant }

// travel sends a message of n2 from one clock to the other.
func (c clocks) travel(m spread.Message) (spread.Message, error) {
	f, err := travel.Depart(m, c.here)
	if err != nil {
		return nil, err
	}
	f.From, f.Stamp = "n2", latest
	bytes, err := proto.Marshal(f)
	if err != nil {
		return nil, err
	}
	arrived := new(wire.Frame)
	if err := proto.Unmarshal(bytes, arrived); err != nil {
		return nil, err
	}
	return travel.Arrive(arrived, c.there)
}

// latest is the highest stamp of the sender.
const latest = 1 << 60

// shifted is a copy of a value with all its instants as they must arrive. One
// that happens to be the origin of the other clock must not mean never.
func (c clocks) shifted(v reflect.Value) reflect.Value {
	fresh := reflect.New(v.Type()).Elem()
	switch {
	case v.Type() == reflect.TypeFor[breaker.Instant]():
		if i := v.Int(); i != 0 {
			i += int64(c.there - c.here)
			fresh.SetInt(i)
			if i == 0 {
				fresh.SetInt(1)
			}
		}
	case v.Type().Implements(reflect.TypeFor[error]()), v.Type() == reflect.TypeFor[time.Time]():
		fresh.Set(v)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fresh.Field(i).Set(c.shifted(v.Field(i)))
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			fresh = reflect.Append(fresh, c.shifted(v.Index(i)))
		}
	case v.Kind() == reflect.Pointer && !v.IsNil():
		fresh.Set(reflect.New(v.Type().Elem()))
		fresh.Elem().Set(c.shifted(v.Elem()))
	case v.Kind() == reflect.Interface && !v.IsNil():
		fresh.Set(c.shifted(v.Elem()))
	default:
		fresh.Set(v)
	}
	return fresh
}

// fill draws what a well-behaved node may say.
func fill(t *rapid.T, v reflect.Value, name string) {
	integer := func(from, to int64) { v.SetInt(rapid.Int64Range(from, to).Draw(t, name)) }
	switch v.Interface().(type) {
	case breaker.Key:
		v.SetString(rapid.SampledFrom([]string{"host:a", "resolver:b", "host:c.d:80"}).Draw(t, name))
		return
	case breaker.Instant:
		integer(-1, int64(1000*time.Hour))
		v.SetInt(max(v.Int(), 0)) // zero, which means never, is worth drawing often
		return
	case time.Duration:
		integer(0, int64(breaker.MaxOpen))
		return
	case time.Time:
		return
	case error:
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), v.Type().Field(i).Name)
		}
		tame(v.Addr().Interface())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rapid.IntRange(0, 3).Draw(t, name), 3))
		for i := range v.Len() {
			fill(t, v.Index(i), name)
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, name) {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), name)
		}
	case reflect.Interface:
		if !v.IsNil() { // a body of a kind that is given
			body := reflect.New(v.Elem().Type()).Elem()
			body.Set(v.Elem())
			fill(t, body, name)
			v.Set(body)
		}
	case reflect.String:
		v.SetString(rapid.StringN(0, 20, breaker.MaxDetailBytes).Draw(t, name))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Int:
		integer(1, 250)
	case reflect.Uint8: // a state or a kind
		v.SetUint(rapid.Uint64Range(0, 2).Draw(t, name))
	case reflect.Uint64:
		v.SetUint(rapid.Uint64Range(0, latest).Draw(t, name))
	default:
		t.Fatalf("%s: there is nothing to draw for a %v", name, v.Type())
	}
}

// tame gives what was drawn the values that the receiver fills in by itself.
func tame(v any) {
	switch v := v.(type) {
	case *breaker.Outcome:
		v.Node = "n2"
	case *breaker.Question:
		v.Node = "n2"
	case *breaker.WitnessAnswer:
		v.Node = "n2"
	case *breaker.Overlay:
		tameOverlay(v)
	case *breaker.Snapshot: // one a register
		if len(v.Overlays) > 2 {
			v.Overlays = v.Overlays[:2]
		}
		for i := range v.Overlays {
			v.Overlays[i].Register = breaker.Register(i)
		}
	case *spread.Lay:
		v.Register %= 2
	case *spread.PastOverlay:
		v.Overlay.Until, v.Kept, v.Until = 0, 0, time.UnixMilli(int64(v.Stamp%1e12)+1)
	case *breaker.WitnessQuestion: // always about a span; the way it is asked does not travel
		v.From, v.To, v.Heal = max(v.From, 1), max(v.To, 1), false
	}
}

// tameOverlay makes it one that a node says: what is not in force has no end, and
// what is in force until it is replaced is not forgotten.
func tameOverlay(o *breaker.Overlay) {
	o.Register %= 2
	o.Stamp = max(o.Stamp, 1)
	if o.Temporary == "" {
		o.Until, o.Length = 0, 0
	}
	o.Kept = max(o.Kept, 1)
	if o.Fields != "" {
		o.Kept = 0
	}
}

func TestMessagesTravel(t *testing.T) {
	for _, m := range messages {
		t.Run(nameOf(m), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				var c clocks
				c.here = breaker.Instant(rapid.Int64Range(1, int64(1000*time.Hour)).Draw(t, "here"))
				c.there = breaker.Instant(rapid.Int64Range(1, int64(1000*time.Hour)).Draw(t, "there"))
				sent := reflect.New(reflect.TypeOf(m)).Elem()
				sent.Set(reflect.ValueOf(m))
				fill(t, sent, "message")
				want := c.shifted(sent).Interface()
				got, err := c.travel(sent.Interface())
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateErrors()); diff != "" {
					t.Fatalf("arrived otherwise (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestEveryBodyIsTried finds the bodies of frames, requests and replies that
// the list above lacks.
func TestEveryBodyIsTried(t *testing.T) {
	tried := map[protoreflect.FullName]bool{}
	for _, m := range append(slices.Clone(messages), spread.Reply{Body: errors.New("failed")}) {
		f, err := travel.Depart(m, 1)
		if err != nil {
			t.Fatal(err)
		}
		for in := f.ProtoReflect(); in != nil; {
			body := in.WhichOneof(in.Descriptor().Oneofs().ByName("body"))
			tried[body.FullName()] = true
			if in = in.Get(body).Message(); in.Descriptor().Oneofs().ByName("body") == nil {
				break
			}
		}
	}
	for _, m := range []proto.Message{&wire.Frame{}, &wire.Request{}, &wire.Reply{}} {
		fields := m.ProtoReflect().Descriptor().Oneofs().ByName("body").Fields()
		for i := range fields.Len() {
			if name := fields.Get(i).FullName(); !tried[name] {
				t.Errorf("nothing departs as %s; there is %v", name, slices.Sorted(maps.Keys(tried)))
			}
		}
	}
}

func TestErrorsTravel(t *testing.T) {
	c := clocks{1, 1}
	for _, x := range []struct {
		sent error
		is   error
		text string
	}{
		{fmt.Errorf("host:a: %w", spread.ErrNotOwner), spread.ErrNotOwner, spread.ErrNotOwner.Error()},
		{errors.New("disk full"), nil, "on another node: disk full"},
		{errors.New(""), nil, "on another node: "},
	} {
		m, err := c.travel(spread.Reply{ID: 3, Body: x.sent})
		if err != nil {
			t.Fatal(err)
		}
		reply := m.(spread.Reply)
		got, ok := reply.Body.(error)
		if !ok || reply.ID != 3 || got.Error() != x.text || x.is != nil && !errors.Is(got, x.is) {
			t.Errorf("%q arrived as %#v, want %q", x.sent, reply, x.text)
		}
	}
	m, err := c.travel(spread.Reply{Body: spread.OperatorResult{Err: errors.New("disk full")}})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.(spread.Reply).Body.(spread.OperatorResult).Err; got == nil || got.Error() != "disk full" {
		t.Errorf("why it is not durable arrived as %v, want disk full", got)
	}
}

func TestWhatHasNoWireForm(t *testing.T) {
	for _, m := range []spread.Message{nil, 7, &spread.Push{}, spread.Request{}, spread.Request{Body: 7}, spread.Reply{}, spread.Reply{Body: 7}} {
		if f, err := travel.Depart(m, 1); err == nil {
			t.Errorf("%#v departs as %v, want an error", m, f)
		}
	}
}
