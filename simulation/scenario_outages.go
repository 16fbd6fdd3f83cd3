package simulation

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"fleetfuse/config"
	"fleetfuse/hostname"
)

// maxOutages bounds the lines of a file of outages, maxOutageProblems what is said
// to be wrong with them: beyond it a person mends the first ones and tries again.
const (
	maxOutages        = 100_000
	maxOutageProblems = 20
)

// outageHeader is the first line of a file of outages.
const outageHeader = "host,start_s,end_s"

// outage is a line of the file: a host was down from a second to another.
type outage struct {
	host       string
	start, end time.Duration
	line       int
}

// outages reads the outages of a file into phases. Hosts that the scenario does
// not list are added.
func (r *scenarioReader) outages(part config.Part) {
	name := part.Value(maxProseBytes)
	if name == "" {
		return
	}
	text, err := r.beside(name)
	if err != nil {
		part.Fail("outages: %w%s", err, whereToFind(name, err))
		return
	}
	list, problems := parseOutages(name, text, r.plan.Length)
	for _, problem := range problems {
		part.Fail("outages: %w", problem)
	}
	if len(problems) > 0 {
		return
	}
	if len(list) == 0 && len(r.plan.Hosts) == 0 {
		part.Fail("outages: %s lists no outage, so there are no hosts to call", name)
		return
	}
	phased := map[int]bool{}
	for i := range r.plan.Hosts {
		phased[i] = len(r.plan.Hosts[i].Phases) > 0
	}
	for _, o := range list {
		i, known := r.hosts[o.host]
		if !known {
			i = len(r.plan.Hosts)
			r.hosts[o.host] = i
			r.plan.Hosts = append(r.plan.Hosts, Host{Name: o.host, Latency: defaultLatency, Weight: 1})
		}
		if phased[i] {
			part.Fail("outages: %s:%d: %s has phases in the scenario too; want one of them", name, o.line, o.host)
			return
		}
		h := &r.plan.Hosts[i]
		if o.start > 0 {
			h.Phases = append(h.Phases, Phase{Until: o.start, Part: 1})
		}
		h.Phases = append(h.Phases, Phase{Until: o.end, Mode: Down, Part: 1})
	}
	if len(r.plan.Hosts) > maxHosts {
		part.Fail("outages: %s names so many hosts that there are %d; at most %d make sense", name, len(r.plan.Hosts), maxHosts)
	}
}

// whereToFind says what to do about a file of outages that is not there: who copied a
// scenario that comes along may have left it behind.
func whereToFind(name string, err error) string {
	switch _, known := fs.Stat(library, path.Join(libraryDir, name)); {
	case !errors.Is(err, fs.ErrNotExist):
		return ""
	case known == nil:
		return "; copy it from simulation/scenarios too, to the scenario that names it"
	}
	return "; save it beside the scenario that names it, or correct the name"
}

// parseOutages reads lines of host,start_s,end_s. The problems say where.
func parseOutages(name string, text []byte, length time.Duration) (list []outage, problems []error) {
	lines := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))) // a spreadsheet's mark
	lines.FieldsPerRecord, lines.Comment, lines.TrimLeadingSpace, lines.ReuseRecord = -1, '#', true, true
	header, err := lines.Read()
	switch first := strings.TrimSpace(strings.Join(header, ",")); {
	case errors.Is(err, io.EOF):
		return nil, []error{fmt.Errorf("%s:1: is empty; the first line must be %s", name, outageHeader)}
	case err != nil:
		return nil, []error{unreadable(name, err)}
	case strings.ReplaceAll(strings.ReplaceAll(first, "\t", ","), ";", ",") == outageHeader && first != outageHeader:
		return nil, []error{fmt.Errorf("%s:1: the first line is %q; its fields, and those of the others, must have commas between them: %s", name, first, outageHeader)}
	case first != outageHeader:
		return nil, []error{fmt.Errorf("%s:1: the first line is %.60q; it must be %s", name, first, outageHeader)}
	}
	for len(problems) < maxOutageProblems {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // what follows an open quote is no line
			return nil, append(problems, unreadable(name, err))
		}
		o, field, err := parseOutage(record, length)
		o.line, _ = lines.FieldPos(0)
		if err != nil {
			line, column := lines.FieldPos(min(field, len(record)-1))
			problems = append(problems, fmt.Errorf("%s:%d:%d: %w", name, line, column, err))
			continue
		}
		if list = append(list, o); len(list) > maxOutages {
			return nil, append(problems, fmt.Errorf("%s: has more than %d outages", name, maxOutages))
		}
	}
	problems = append(problems, apart(name, list)...)
	if len(problems) >= maxOutageProblems {
		problems = append(problems[:maxOutageProblems], fmt.Errorf("%s: and perhaps more: these are the first %d problems", name, maxOutageProblems))
	}
	return list, problems
}

// unreadable says where a file is none of lines.
func unreadable(name string, err error) error {
	var wrong *csv.ParseError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s:%d:%d: %w", name, wrong.Line, wrong.Column, wrong.Err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// parseOutage reads one line, and says which field is wrong.
func parseOutage(record []string, length time.Duration) (o outage, field int, err error) {
	if len(record) != 3 {
		return o, 0, fmt.Errorf("has %d fields; want three: %s", len(record), outageHeader)
	}
	if o.host, err = hostname.Normalize(strings.TrimSpace(record[0])); err != nil {
		return o, 0, err
	}
	for i, place := range []*time.Duration{&o.start, &o.end} {
		x, err := strconv.ParseFloat(strings.TrimSpace(record[i+1]), 64)
		switch {
		case err != nil || math.IsNaN(x):
			return o, i + 1, fmt.Errorf("%.40q is no number of seconds", record[i+1])
		case x < 0:
			return o, i + 1, fmt.Errorf("%v s is before the run begins", x)
		case x > length.Seconds():
			return o, i + 1, fmt.Errorf("%v s is after the length of the scenario, %v", x, length)
		}
		*place = time.Duration(x * float64(time.Second))
	}
	if o.end <= o.start {
		return o, 2, fmt.Errorf("the outage ends at %v s, not after it starts at %v s", o.end.Seconds(), o.start.Seconds())
	}
	return o, 0, nil
}

// apart sorts outages by host and time, and refuses those that overlap.
func apart(name string, list []outage) (problems []error) {
	slices.SortStableFunc(list, func(a, b outage) int {
		return cmp.Or(strings.Compare(a.host, b.host), cmp.Compare(a.start, b.start))
	})
	for i := 1; i < len(list); i++ {
		if a, b := list[i-1], list[i]; a.host == b.host && b.start < a.end {
			problems = append(problems, fmt.Errorf("%s:%d: this outage of %s overlaps that of line %d", name, b.line, b.host, a.line))
		}
	}
	return problems
}
