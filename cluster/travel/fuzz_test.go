package travel_test

import (
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"fleetfuse/cluster/travel"
	"fleetfuse/wire"
)

// FuzzArrive hands over whatever unmarshals.
func FuzzArrive(f *testing.F) {
	for _, m := range messages {
		sent := reflect.New(reflect.TypeOf(m)).Elem()
		sent.Set(reflect.ValueOf(m))
		furnish(sent)
		frame, err := travel.Depart(sent.Interface(), arrival)
		if err != nil {
			f.Fatal(err)
		}
		frame.From, frame.Epoch, frame.Stamp = "n2", 1, latest
		bytes, err := proto.Marshal(frame)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		in := new(wire.Frame)
		if proto.Unmarshal(bytes, in) != nil {
			return
		}
		in.From = "n2" // who sent it is checked before
		if m, err := travel.Arrive(in, arrival); err == nil {
			bounded(reflect.ValueOf(m), nameOf(m), func(path string, what any) { t.Errorf("%s arrived as %.80v", path, what) })
		}
	})
}

// furnish gives a message one of everything.
func furnish(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.UnixMilli(2)))
			return
		}
		for i := range v.NumField() {
			furnish(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		furnish(v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		furnish(v.Elem())
	case reflect.Interface:
		if _, failed := v.Interface().(error); !failed && !v.IsNil() {
			body := reflect.New(v.Elem().Type()).Elem()
			furnish(body)
			v.Set(body)
		}
	case reflect.String:
		v.SetString("host:a")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(2)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(2)
	}
}
