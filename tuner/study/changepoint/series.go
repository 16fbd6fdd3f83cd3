package changepoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sort"
)

// Series is one series of the benchmark with what people said about it.
type Series struct {
	Name   string
	Values []float64 // one number a step; the benchmark's univariate series have no gaps

	// Annotations holds, for each of the five annotators in the order of
	// their ids, the 0-based indices where a new segment begins, ascending;
	// an annotator who saw no change has an empty list.
	Annotations [][]int
}

// Redistributable names the 25 univariate series that the benchmark's authors
// redistribute and that count in its averages (quality_control_1 to 5 are
// controls, uk_coal_employ has gaps; both are left out as in the paper).
var Redistributable = []string{
	"bank", "brent_spot", "businv", "centralia", "children_per_woman",
	"co2_canada", "construction", "debt_ireland", "gdp_argentina",
	"gdp_croatia", "gdp_iran", "gdp_japan", "global_co2", "homeruns",
	"jfk_passengers", "lga_passengers", "nile", "ozone", "rail_lines",
	"seatbelts", "shanghai_license", "unemployment_nl", "us_population",
	"usd_isk", "well_log",
}

// controls names the series beside Redistributable that have no gaps: only
// the check of the metric uses them.
var controls = []string{
	"quality_control_1", "quality_control_2", "quality_control_3",
	"quality_control_4", "quality_control_5",
}

// Read reads the named series from a copy of the Turing Change Point Dataset
// (tcpd/annotations.json and tcpd/datasets below the root of data).
// It fails if a series is absent, has several dimensions or gaps.
func Read(data fs.FS, names []string) ([]Series, error) {
	annotations, err := readJSON[map[string]map[string][]int](data, "tcpd/annotations.json")
	if err != nil {
		return nil, err
	}
	var all []Series
	for _, name := range names {
		values, err := readValues(data, name)
		if err != nil {
			return nil, fmt.Errorf("series %s: %w", name, err)
		}
		if len(annotations[name]) == 0 {
			return nil, fmt.Errorf("series %s: no annotations", name)
		}
		all = append(all, Series{Name: name, Values: values, Annotations: inOrder(annotations[name])})
	}
	return all, nil
}

func readValues(data fs.FS, name string) ([]float64, error) {
	file, err := readJSON[struct {
		Dimensions int `json:"n_dim"`
		Series     []struct {
			Raw []*float64 `json:"raw"`
		} `json:"series"`
	}](data, "tcpd/datasets/"+name+".json")
	if err != nil {
		return nil, err
	}
	if file.Dimensions != 1 || len(file.Series) != 1 {
		return nil, fmt.Errorf("%d dimensions, want 1", file.Dimensions)
	}
	var values []float64
	for _, v := range file.Series[0].Raw {
		if v == nil {
			return nil, errors.New("a value is missing")
		}
		values = append(values, *v)
	}
	return values, nil
}

// inOrder lists the annotations by annotator id, each sorted.
func inOrder(byID map[string][]int) [][]int {
	ids := make([]string, 0, len(byID))
	for id := range byID {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	lists := make([][]int, 0, len(ids))
	for _, id := range ids {
		list := append([]int{}, byID[id]...)
		sort.Ints(list)
		lists = append(lists, list)
	}
	return lists
}

func readJSON[T any](data fs.FS, path string) (T, error) {
	var v T
	text, err := fs.ReadFile(data, path)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return v, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}
