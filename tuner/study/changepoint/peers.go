package changepoint

import (
	"fmt"
	"io/fs"
)

// Published holds the paper's scores: by measure ("default_f1",
// "default_cover", "oracle_f1", "oracle_cover"), series and method. A method
// that failed on a series has no entry there.
type Published map[string]map[string]byMethod

// byMethod holds one score of each method.
type byMethod map[string]*float64

// text is the score of a method in three digits, or a dash.
func (m byMethod) text(method string) string {
	if m[method] == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f", *m[method])
}

// measures lists the files of the benchmark's published scores, without
// their ending.
var measures = []string{"default_f1", "default_cover", "oracle_f1", "oracle_cover"}

// ReadPublished reads tcpdbench/scores below the root of data.
func ReadPublished(data fs.FS) (Published, error) {
	p := Published{}
	for _, m := range measures {
		scores, err := readJSON[map[string]byMethod](data, "tcpdbench/scores/"+m+"_scores.json")
		if err != nil {
			return nil, err
		}
		p[m] = scores
	}
	return p, nil
}

// Mean averages a method's published scores over the named series; like in
// the paper a failure counts 0. It fails if a series is not there at all.
func (p Published) Mean(measure, method string, names []string) (float64, error) {
	sum := 0.0
	for _, name := range names {
		row, ok := p[measure][name]
		if !ok {
			return 0, fmt.Errorf("no published %s for %s", measure, name)
		}
		if v := row[method]; v != nil {
			sum += *v
		}
	}
	return sum / float64(len(names)), nil
}
