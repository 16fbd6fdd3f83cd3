package outages

import (
	"bytes"
	"compress/gzip"
	"slices"
	"testing"
	"testing/fstest"
)

func zipped(t *testing.T, text string) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

func TestRead(t *testing.T) {
	all, err := Read(fstest.MapFS{"outages/me__repo.csv.gz": zipped(t, `time,site,state,http_code,ms,commit
1970-01-01T00:10:00+00:00,b,up,200,1.0,x
1970-01-01T00:00:10+00:00,a,up,200,1.0,x
1970-01-01T00:01:00+00:00,a,down,0,0.0,x
1970-01-01T00:02:00+00:00,a,down,0,0.0,x
1970-01-01T00:05:00+00:00,a,up,200,1.0,x
1970-01-01T00:09:00+00:00,a,down,0,0.0,x
`)})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].name != "me/repo" || len(all[0].sites) != 1 {
		t.Fatalf("%+v", all)
	}
	want := []episode{{60, 120, 300}, {540, 540, 0}}
	if got := all[0].sites[0]; got.name != "a" || !slices.Equal(got.outages, want) || got.ended() != 1 {
		t.Errorf("%+v, want %v", got, want)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"columns": "site,time,state\na,1970-01-01T00:00:10+00:00,up\n",
		"time":    "time,site,state\nyesterday,a,up\n",
		"empty":   "",
	} {
		if _, err := Read(fstest.MapFS{"outages/a__b.csv.gz": zipped(t, text)}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := Read(fstest.MapFS{}); err == nil {
		t.Error("no recordings: accepted")
	}
}

func at(begins ...float64) (list []episode) {
	for _, b := range begins {
		list = append(list, episode{b, b, b + 60})
	}
	return list
}

// Sites that go down together stay together, through a third one too.
func TestGroups(t *testing.T) {
	r := recording{sites: []site{
		{"alone", at(50_000, 60_000)},
		{"first", at(1000, 2000, 3000)},
		{"once", at(1000)}, // once may be chance
		{"second", at(1100, 2100, 9000, 9500)},
		{"third", at(9010, 9490)},
	}}
	var names [][]string
	for _, g := range r.groups() {
		var list []string
		for _, s := range g {
			list = append(list, s.name)
		}
		names = append(names, list)
	}
	want := [][]string{{"first", "second", "third"}, {"alone"}, {"once"}}
	if !slices.EqualFunc(names, want, slices.Equal) {
		t.Errorf("%v, want %v", names, want)
	}
	table, tuning := r.split()
	if len(table) != 2 || len(tuning) != 1 || tuning[0][0].name != "alone" {
		t.Errorf("table %v, tuning %v", table, tuning)
	}
}
