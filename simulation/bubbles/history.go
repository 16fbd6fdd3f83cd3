package bubbles

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// A History is what a fleet was asked and what it answered: everything that
// can be seen from outside. Times count from its begin.
type History struct {
	Seed  uint64 // of the schedule
	Nodes int

	Calls      []Call
	Rejections []Rejection
	Reports    []Report
	Words      []Word
	Laid       []Laid
	Reads      []Read
	Faults     []Fault
	Agreements []Agreement

	mu    sync.Mutex
	began time.Time
	run   map[int]bool // faults that are not over, by index
}

// A Span is when something was asked and when its answer had come.
type Span struct{ From, To time.Duration }

func (s Span) String() string { return fmt.Sprintf("%.3f-%.3fs", s.From.Seconds(), s.To.Seconds()) }

// forever ends the span of what was not answered: it may have had its effect at
// any later time.
const forever = time.Duration(1 << 61)

// A Call is one that a node allowed.
type Call struct {
	Asked    Span // the decision
	Node     int
	Host     string
	Permit   string // "" for no probe
	HalfOpen bool
	Began    time.Duration // of the call itself
	Ended    time.Duration
	Status   int // 0: the connection failed
}

// A Rejection is a call that a node did not allow.
type Rejection struct {
	Asked  Span
	Node   int
	Host   string
	State  string
	Reason string
}

// A Report is an outcome as a node was told it.
type Report struct {
	Span
	Node       int
	Host       string
	OK         bool // it was taken
	Failed     bool
	RetryAfter time.Duration
	Permit     string
}

// A Word is an operator's.
type Word struct {
	Span
	Node   int
	Host   string
	OK     bool // acknowledged
	Close  bool
	Length time.Duration // of an open
}

// A Laid policy is an operator's. Versions grow.
type Laid struct {
	Span
	Node    int
	Host    string
	OK      bool // acknowledged
	Version uint64
}

// A Read is the version of a policy that a node showed.
type Read struct {
	Asked   Span
	Node    int
	Host    string
	Version uint64
}

// A FaultKind is what fails.
type FaultKind string

// The kinds of faults.
const (
	Killed    FaultKind = "kill"  // until it is ready again
	Stopped   FaultKind = "stop"  // in good order, until it is ready again
	Paused    FaultKind = "pause" // SIGSTOP
	Parted    FaultKind = "partition"
	Lossy     FaultKind = "loss" // of messages
	DiskFull  FaultKind = "disk full"
	RedisDown FaultKind = "redis down"
)

// A Fault lasts from just before it begins until it is over.
type Fault struct {
	Span
	Kind  FaultKind
	Nodes []int // none: it is about all
}

// An Agreement is how long it took from the end of the last fault until all
// nodes believed the same.
type Agreement struct {
	Span
	What string
	OK   bool
}

// Begin starts a history.
func Begin(seed uint64, nodes int) *History {
	return &History{Seed: seed, Nodes: nodes, began: time.Now(), run: map[int]bool{}}
}

// Now is the time in the history.
func (h *History) Now() time.Duration { return time.Since(h.began) }

// Add takes down one entry of any kind.
func (h *History) Add(entry any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e := entry.(type) {
	case Call:
		h.Calls = append(h.Calls, e)
	case Rejection:
		h.Rejections = append(h.Rejections, e)
	case Report:
		if !e.OK {
			e.To = forever
		}
		h.Reports = append(h.Reports, e)
	case Word:
		if !e.OK {
			e.To = forever
		}
		h.Words = append(h.Words, e)
	case Laid:
		if !e.OK {
			e.To = forever
		}
		h.Laid = append(h.Laid, e)
	case Read:
		h.Reads = append(h.Reads, e)
	case Agreement:
		h.Agreements = append(h.Agreements, e)
	default:
		panic(fmt.Sprintf("a history has no %T", entry))
	}
}

// Fault takes down that a fault begins now, and returns what ends it.
func (h *History) Fault(kind FaultKind, nodes ...int) (over func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := len(h.Faults)
	h.Faults = append(h.Faults, Fault{Span: Span{h.Now(), forever}, Kind: kind, Nodes: nodes})
	h.run[i] = true
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.run[i] {
			h.Faults[i].To = h.Now()
			delete(h.run, i)
		}
	}
}

// Healed is when the latest fault was over; 0 if there was none yet.
func (h *History) Healed() (at time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.Faults {
		at = max(at, f.To)
	}
	return at
}

// String counts what a history holds.
func (h *History) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	probes := 0
	for _, c := range h.Calls {
		if c.Permit != "" {
			probes++
		}
	}
	return fmt.Sprintf("%d calls (%d probes), %d rejections, %d reports, %d words, %d policies laid and %d read, %d faults",
		len(h.Calls), probes, len(h.Rejections), len(h.Reports), len(h.Words), len(h.Laid), len(h.Reads), len(h.Faults))
}

// Save writes the history as JSON, for Load.
func (h *History) Save(path string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// Load reads what Save wrote.
func Load(path string) (*History, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	h := &History{}
	return h, json.Unmarshal(text, h)
}
