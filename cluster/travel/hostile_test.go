package travel_test

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/travel"
	"fleetfuse/wire"
)

// arrival is when hostile frames arrive.
const arrival = breaker.Instant(time.Hour)

// bounded reports what in a value that arrived is beyond every sense.
func bounded(v reflect.Value, path string, report func(path string, what any)) {
	check := func(ok bool) {
		if !ok {
			report(path, v.Interface())
		}
	}
	const far = int64(2 * breaker.KeepClear)
	switch v.Interface().(type) {
	case breaker.Key:
		_, err := breaker.ParseKey(v.String())
		check(err == nil || v.String() == "")
		return
	case breaker.Instant:
		check(v.Int() == 0 || v.Int() >= int64(arrival)-far && v.Int() <= int64(arrival)+far)
		return
	case breaker.State, breaker.Kind:
		check(v.Uint() <= 2)
		return
	case time.Duration:
		check(v.Int() >= -far && v.Int() <= far)
		return
	case time.Time: // people read it
		return
	case breaker.Register:
		check(v.Uint() <= uint64(breaker.RegisterOperator))
		return
	case error:
		check(len(v.Interface().(error).Error()) <= 1000)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			bounded(v.Field(i), path+"."+v.Type().Field(i).Name, report)
		}
	case reflect.Slice:
		for i := range v.Len() {
			bounded(v.Index(i), path+"[]", report)
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			bounded(v.Elem(), path, report)
		}
	case reflect.String:
		check(v.Len() <= mostBytes(path) && utf8.ValidString(v.String()))
	case reflect.Int:
		check(v.Int() >= 0 && v.Int() <= math.MaxUint32) // the numbers of buckets are as they come
	}
}

// mostBytes is how long a text may be.
func mostBytes(path string) int {
	for _, field := range []string{".Fields", ".Temporary", ".Set"} {
		if strings.HasSuffix(path, field) {
			return breaker.MaxFieldsBytes
		}
	}
	if strings.HasSuffix(path, ".Refused[]") {
		return 500
	}
	return breaker.MaxDetailBytes
}

// arrive reads a frame in the form in which it would come, and checks it.
func arrive(t testing.TB, f *wire.Frame) (spread.Message, error) {
	t.Helper()
	bytes, err := proto.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	in := new(wire.Frame)
	if err := proto.Unmarshal(bytes, in); err != nil {
		t.Fatal(err)
	}
	m, err := travel.Arrive(in, arrival)
	if err == nil && m == nil {
		t.Errorf("%.200v arrived as nothing", in)
	}
	if err == nil {
		bounded(reflect.ValueOf(m), nameOf(m), func(path string, what any) { t.Errorf("%s arrived as %.80v", path, what) })
	}
	return m, err
}

// overdone fills a message of the wire with values that make no sense, two of
// each list, down to what depth says; below it nothing is there.
func overdone(m protoreflect.Message, depth int, number int64, text string) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if in := f.ContainingOneof(); in != nil && !in.IsSynthetic() && m.WhichOneof(in) != f {
			continue // one body is enough, and chosen
		}
		one := func(fresh protoreflect.Value) protoreflect.Value {
			switch f.Kind() {
			case protoreflect.MessageKind:
				overdone(fresh.Message(), depth-1, number, text)
				return fresh
			case protoreflect.StringKind:
				if f.Name() == "key" || f.Name() == "foreign" {
					return protoreflect.ValueOfString("host:a")
				}
				return protoreflect.ValueOfString(text)
			case protoreflect.BytesKind:
				return protoreflect.ValueOfBytes([]byte(text))
			case protoreflect.EnumKind:
				return protoreflect.ValueOfEnum(protoreflect.EnumNumber(number))
			case protoreflect.Int64Kind:
				return protoreflect.ValueOfInt64(number)
			case protoreflect.Uint32Kind:
				return protoreflect.ValueOfUint32(uint32(number))
			case protoreflect.BoolKind:
				return protoreflect.ValueOfBool(true)
			}
			return protoreflect.ValueOfUint64(uint64(number))
		}
		switch {
		case f.Kind() == protoreflect.MessageKind && depth == 0:
		case f.IsList():
			for range 2 {
				list := m.Mutable(f).List()
				list.Append(one(list.NewElement()))
			}
		case f.Kind() == protoreflect.MessageKind:
			overdone(m.Mutable(f).Message(), depth-1, number, text)
		default:
			m.Set(f, one(m.NewField(f)))
		}
	}
}

func TestHostileFrames(t *testing.T) {
	for _, m := range messages {
		for _, number := range []int64{math.MinInt64, -1, 0, 9, math.MaxInt64} {
			text := strings.Repeat("é", 500)
			if number == 9 {
				text = strings.Repeat("é", 500_000)
			}
			for depth := range 6 {
				f, err := travel.Depart(m, arrival)
				if err != nil {
					t.Fatal(err)
				}
				overdone(f.ProtoReflect(), depth, number, text)
				f.From, f.Stamp = "n2", math.MaxUint64 // who sent it is checked before
				_, err = arrive(t, f)
				if err != nil && depth > 2 && !refusable(m, number) {
					t.Errorf("%s full of %d: %v", nameOf(m), number, err)
				}
			}
		}
	}
}

// refusable says that there is no sense in a message full of a number.
func refusable(m spread.Message, number int64) bool {
	r, ok := m.(spread.Request)
	_, word := r.Body.(spread.Word)
	_, lay := r.Body.(spread.Lay) // of a register nobody knows, or too long
	return ok && (word && number < 0 || lay && number != 0)
}

// none is what names no breaker.
var none = []string{"", "host", "host:", "x:a", ":a", "host:" + strings.Repeat("a", breaker.MaxNameBytes+1), strings.Repeat("host:", 200_000)}

func TestKeysThatAreNone(t *testing.T) {
	for _, key := range none {
		push := &wire.Push{Entries: []*wire.Entry{{Key: key}, {Key: "host:a"}}}
		if m, _ := arrive(t, &wire.Frame{Body: &wire.Frame_Push{Push: push}}); len(m.(spread.Push).Entries) != 1 {
			t.Errorf("push of %.20q: %+v, want the other entry alone", key, m)
		}
		batch := &wire.Batch{Reports: []*wire.Report{{Key: key}, {Key: "host:a"}}}
		if m, _ := arrive(t, &wire.Frame{Body: &wire.Frame_Batch{Batch: batch}}); len(m.(spread.Batch).Reports) != 1 {
			t.Errorf("batch of %.20q: %+v, want the other report alone", key, m)
		}
		ack := &wire.BatchAck{Foreign: []string{key, "host:a"}}
		if m, _ := arrive(t, &wire.Frame{Body: &wire.Frame_BatchAck{BatchAck: ack}}); len(m.(spread.BatchAck).Foreign) != 1 {
			t.Errorf("acknowledgement of %.20q: %+v, want the other key alone", key, m)
		}
		ask := &wire.WitnessAsk{Questions: []*wire.WitnessQuestion{{Key: key}, {Key: "host:a"}}}
		if m, _ := arrive(t, &wire.Frame{Body: &wire.Frame_WitnessAsk{WitnessAsk: ask}}); len(m.(spread.WitnessAsk).Questions) != 1 {
			t.Errorf("question about %.20q: %+v, want the other one alone", key, m)
		}
		answer := &wire.WitnessReply{Answers: []*wire.WitnessAnswer{{Key: key}, {Key: "host:a"}}}
		if m, _ := arrive(t, &wire.Frame{Body: &wire.Frame_WitnessReply{WitnessReply: answer}}); len(m.(spread.WitnessReply).Answers) != 1 {
			t.Errorf("answer about %.20q: %+v, want the other one alone", key, m)
		}
		rings := &wire.Reply{Body: &wire.Reply_Rings{Rings: &wire.Rings{Rings: []*wire.Ring{{Key: key}, {Key: "host:a"}}}}}
		if m, _ := arrive(t, &wire.Frame{Body: &wire.Frame_Reply{Reply: rings}}); len(m.(spread.Reply).Body.(spread.Rings)) != 1 {
			t.Errorf("ring of %.20q: %+v, want the other one alone", key, m)
		}
		settle := &wire.Settle{Key: key, Outcome: &wire.Outcome{}}
		if m, err := arrive(t, &wire.Frame{Body: &wire.Frame_Settle{Settle: settle}}); err == nil {
			t.Errorf("settle of %.20q arrived as %+v, want an error", key, m)
		}
		request := &wire.Request{Key: key, Body: &wire.Request_Inspect{Inspect: &wire.Inspect{}}}
		if m, err := arrive(t, &wire.Frame{Body: &wire.Frame_Request{Request: request}}); err == nil {
			t.Errorf("request about %.20q arrived as %+v, want an error", key, m)
		}
		all := &wire.Request{Key: key, Body: &wire.Request_Rings{Rings: &wire.ListRings{}}}
		if m, err := arrive(t, &wire.Frame{Body: &wire.Frame_Request{Request: all}}); (err == nil) != (key == "") {
			t.Errorf("request for the rings of %.20q: %+v, %v; want them for no key alone", key, m, err)
		}
	}
}

func TestFramesWithoutABody(t *testing.T) {
	for _, f := range []*wire.Frame{
		nil, {}, {Body: &wire.Frame_Request{Request: &wire.Request{Key: "host:a"}}}, {Body: &wire.Frame_Reply{Reply: &wire.Reply{Id: 1}}},
	} {
		if m, err := travel.Arrive(f, arrival); err == nil {
			t.Errorf("%v arrived as %+v, want an error", f, m)
		}
	}
}
