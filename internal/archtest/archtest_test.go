package archtest

import (
	"os"
	"sync"
	"testing"
)

// Third-party modules. A package may import only those its row names; what
// only _test.go files import is not looked at.
const (
	cmp        = "github.com/google/go-cmp"
	cobra      = "github.com/spf13/cobra"
	grpc       = "google.golang.org/grpc"
	idna       = "golang.org/x/net/idna"
	mathext    = "gonum.org/v1/gonum/mathext" // special functions
	memberlist = "github.com/hashicorp/memberlist"
	pflag      = "github.com/spf13/pflag"
	prometheus = "github.com/prometheus"
	protoactor = "github.com/asynkron/protoactor-go"
	protobuf   = "google.golang.org/protobuf"
	rapid      = "pgregory.net/rapid"
	redis      = "github.com/redis/go-redis/v9"
	sqlite3    = "github.com/mattn/go-sqlite3"
	term       = "golang.org/x/term"
	yaml       = "go.yaml.in/yaml/v3"
)

// architecture lists the packages, the lowest layer first: a package imports
// only packages in rows above its own. A pure package has no clock, goroutine,
// lock, I/O or randomness of its own and imports only pure ones, and of third
// parties those in calculating. A path that ends in "/..." stands for the
// packages below it.
var architecture = []row{
	// Layer 0: words and rules.
	{0, "breaker", pure, none},
	{0, "hostname", effects, uses{idna}},
	{0, "api", effects, none},
	{0, "wire", effects, uses{protobuf}},

	// Layer 1: what is believed, kept and configured.
	{1, "internal/clock", effects, none},
	{1, "internal/nodeaddr", effects, none},
	{1, "internal/sqlitefile", effects, uses{sqlite3}},
	{1, "internal/tty", effects, none},
	{1, "cluster/view", pure, none},
	{1, "cluster/placement", pure, none},
	{1, "cluster/spread", pure, none},
	{1, "cluster/words", pure, none},
	{1, "cluster/travel", effects, uses{protobuf}},
	{1, "telemetry/rollup", pure, none}, // gate's counts, so workers link it: no tuner above it
	{1, "cooldownstore", effects, none},
	{1, "cooldownstore/sharing", effects, none}, // pure, but for what it imports
	{1, "cooldownstore/memory", effects, none},
	{1, "cooldownstore/sqlite", effects, uses{sqlite3}},
	{1, "cooldownstore/redis", effects, uses{redis}},
	{1, "cooldownstore/storetest", effects, uses{cmp, rapid}},
	{1, "cooldownstore/sharetest", effects, uses{cmp}},
	{1, "tuner/detect", pure, none},
	{1, "tuner/outage", pure, none},
	{1, "tuner/guard", pure, none},
	{1, "tuner/canary", pure, none},
	{1, "tuner/replay", pure, none},
	{1, "tuner", pure, uses{mathext}},
	{1, "tuner/planner", pure, none},
	{1, "config", effects, uses{pflag, yaml}},

	// Layer 2: the parts of a process.
	{2, "gate", effects, none},
	{2, "telemetry", effects, uses{prometheus}},
	{2, "telemetry/eventlog", effects, uses{sqlite3}},
	{2, "telemetry/follow", effects, none},
	{2, "telemetry/history", effects, none},
	{2, "telemetry/decisions", effects, none},
	{2, "client", effects, none},
	{2, "client/admin", effects, none},
	{2, "cluster", effects, uses{memberlist, protoactor, grpc, protobuf}},
	{2, "actors", effects, uses{protoactor}},

	// Layer 3: what people and workers talk to.
	{3, "httpapi", effects, uses{prometheus}},

	// Layer 4: wholes.
	{4, "node", effects, none},
	{4, "simulation", effects, none},

	// Layer 5: programs, and tests with real parts.
	{5, "cmd/node", effects, uses{cobra, pflag}},
	{5, "cmd/ctl", effects, uses{cobra, pflag, term}},
	{5, "internal/fleet", effects, none},
	{5, "internal/fleet/tuning", effects, none},
	{5, "simulation/bubbles", effects, none},
	{5, "simulation/fleets", effects, none},
	{5, "simulation/demo/...", effects, none},
	{5, "tuner/study/changepoint", effects, none},
	{5, "tuner/study/outages", effects, none},
	{5, "internal/archtest", effects, none},
}

// tuning is what only nodes and ctl need.
const tuning = "fleetfuse/tuner"

// calculating lists third-party packages that are pure themselves.
var calculating = uses{mathext}

// apart lists packages that do not import each other although the order of
// the rows would let one: node introduces them.
var apart = [][2]string{{"actors", "cluster"}}

// unreachable lists what a package must not link, however indirectly: these
// are built with CGO_ENABLED=0 and go into other people's programs.
var unreachable = []struct {
	from    string
	modules []string // or packages
}{
	{"client", []string{sqlite3, protoactor, memberlist, tuning}},
	{"client/admin", []string{sqlite3, protoactor, memberlist, tuning}},
	{"cmd/ctl", []string{sqlite3, protoactor, memberlist}},
}

// Limits of a hand-written file that is not a test.
const (
	maxFileLines     = 300
	maxFunctionLines = 60
)

// vague lists names that say nothing about what a package is for (DESIGN 11).
var vague = []string{"manager", "helper", "util", "data", "common", "impl"}

// module is the repository, read once, in the first test that asks: what is
// read before the tests start the test cache does not know of.
var module = sync.OnceValue(func() tree { return load(os.DirFS("../..")) })

func TestTable(t *testing.T)     { report(t, checkTable(architecture)) }
func TestImports(t *testing.T)   { report(t, checkImports(module(), architecture, apart)) }
func TestPurity(t *testing.T)    { report(t, checkPurity(module(), architecture)) }
func TestSizes(t *testing.T)     { report(t, checkSizes(module(), maxFileLines, maxFunctionLines)) }
func TestNames(t *testing.T)     { report(t, checkNames(module(), vague)) }
func TestTreeReads(t *testing.T) { report(t, module().problems) }

// The tree is really there: an empty one would satisfy every rule.
func TestTreeIsThere(t *testing.T) {
	for _, want := range []string{"breaker", "internal/archtest"} {
		if !module().has(want) {
			t.Errorf("package %s was not found", want)
		}
	}
}

func TestUnreachable(t *testing.T) {
	for _, u := range unreachable {
		if !module().has(u.from) {
			continue // not written yet
		}
		report(t, checkReach(u.from, linked(t, u.from), u.modules))
	}
}

func report(t *testing.T, problems []string) {
	t.Helper()
	for _, p := range problems {
		t.Error(p)
	}
}
