package outages

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// episode is one outage of a site, in seconds since 1970, as a monitor saw it.
type episode struct {
	begin    float64 // the first sample that failed
	lastDown float64 // the last one that did
	firstUp  float64 // the first good one after it; 0 if the recording ends before
}

// site is a monitored site with its outages in order of time.
type site struct {
	name    string
	outages []episode
}

// ended counts the outages whose end was recorded.
func (s site) ended() (n int) {
	for _, o := range s.outages {
		if o.firstUp > 0 {
			n++
		}
	}
	return n
}

// recording is what one monitor recorded: a file.
type recording struct {
	name  string // of the repository it came from
	sites []site // those with an outage, by name
}

// Read reads all recordings below outages, in the order of their names.
func Read(data fs.FS) ([]recording, error) {
	names, err := fs.Glob(data, "outages/*.csv.gz")
	if err != nil {
		return nil, err
	}
	var all []recording
	for _, name := range names {
		r, err := readOne(data, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no recordings below outages: %w", fs.ErrNotExist)
	}
	return all, nil
}

func readOne(data fs.FS, name string) (recording, error) {
	f, err := data.Open(name)
	if err != nil {
		return recording{}, err
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if err != nil {
		return recording{}, err
	}
	rows, err := csv.NewReader(text).ReadAll()
	if err != nil {
		return recording{}, err
	}
	owner, repository, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".csv.gz"), "__")
	r := recording{name: owner + "/" + repository}
	bySite, err := samplesOf(rows)
	if err != nil {
		return recording{}, err
	}
	for name, samples := range bySite {
		if list := outagesOf(samples); len(list) > 0 {
			r.sites = append(r.sites, site{name, list})
		}
	}
	slices.SortFunc(r.sites, func(a, b site) int { return strings.Compare(a.name, b.name) })
	return r, nil
}

// sample is one row of a recording.
type sample struct {
	at   float64
	down bool
}

func samplesOf(rows [][]string) (map[string][]sample, error) {
	if len(rows) == 0 || len(rows[0]) < 3 || rows[0][0] != "time" || rows[0][1] != "site" || rows[0][2] != "state" {
		return nil, fmt.Errorf("the columns are not time, site, state, …")
	}
	bySite := map[string][]sample{}
	for _, row := range rows[1:] {
		at, err := time.Parse(time.RFC3339, row[0])
		if err != nil {
			return nil, err
		}
		bySite[row[1]] = append(bySite[row[1]], sample{float64(at.Unix()), row[2] == "down"})
	}
	return bySite, nil
}

func outagesOf(samples []sample) (list []episode) {
	slices.SortStableFunc(samples, func(a, b sample) int { return int(a.at - b.at) })
	down := false
	for _, s := range samples {
		switch {
		case s.down && !down:
			list = append(list, episode{begin: s.at, lastDown: s.at})
		case s.down:
			list[len(list)-1].lastDown = s.at
		case down:
			list[len(list)-1].firstUp = s.at
		}
		down = s.down
	}
	return list
}
