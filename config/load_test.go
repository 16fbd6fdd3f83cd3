package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"fleetfuse/breaker"
	"fleetfuse/config"
)

// load runs what a command runs. file, if not empty, becomes a --config.
func load(t testing.TB, file string, environ []string, args ...string) (config.Config, error) {
	t.Helper()
	if file != "" {
		args = append(args, "--config", write(t, file))
	}
	base := config.Default()
	fs := pflag.NewFlagSet("node", pflag.ContinueOnError)
	base.AddFlags(fs)
	if err := fs.Parse(args); err != nil {
		return config.Config{}, config.FlagError(fs, err)
	}
	return config.Load(base, fs, environ)
}

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "breakers.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaultIsValid(t *testing.T) {
	c, err := load(t, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.HTTP.ListenAddress, "127.0.0.1:7140"; got != want {
		t.Errorf("http.listen-address = %q, want %q", got, want)
	}
	want := breaker.DefaultPolicy()
	if diff := cmp.Diff(want, *c.Breakers.Policy("host:example.org")); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if got := c.Origin("http.socket").String(); got != "default" {
		t.Errorf("origin = %q, want default", got)
	}
}

func TestFlagWinsOverEnvironmentOverFileOverDefault(t *testing.T) {
	const file = "log: {level: warn, format: json}\nhttp: {socket: /f.sock}\ndefaults: {fail_max: 2, reset: 2, trial_calls: 2}\n"
	environ := []string{"FLEETFUSE_LOG_LEVEL=error", "FLEETFUSE_HTTP_SOCKET=/e.sock",
		"FLEETFUSE_BREAKER_DEFAULTS=fail_max:3,reset:3", "FLEETFUSE_NODE_NAME=", "OTHER=1"}
	c, err := load(t, file, environ, "--log.level=debug", "--breaker-defaults=fail_max:4")
	if err != nil {
		t.Fatal(err)
	}
	d := c.Breakers.Defaults
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"log.level", c.Log.Level, "debug"},
		{"http.socket", c.HTTP.Socket, "/e.sock"},
		{"log.format", c.Log.Format, "json"},
		{"data-dir", c.Node.DataDir, "data"},
		{"node.name, whose variable is empty", c.Node.Name, ""},
		{"fail_max", d.FailMax, 4},
		{"reset_timeout", d.ResetTimeout, 3 * time.Second},
		{"trial_calls", d.TrialCalls, 2},
		{"success_threshold", d.SuccessThreshold, 1},
		{"origin of log.level", c.Origin("log.level").String(), "flag --log.level"},
		{"origin of http.socket", c.Origin("http.socket").String(), "env FLEETFUSE_HTTP_SOCKET"},
		{"origin of log.format", filepath.Base(c.Origin("log.format").String()), "breakers.yaml:1:28"},
		{"origin of fail_max", c.Breakers.Origin("host:x", "", "fail_max").String(), "flag --breaker-defaults"},
		{"origin of trial_calls", filepath.Base(c.Breakers.Origin("host:x", "", "trial_calls").String()), "breakers.yaml:3:48"},
		{"origin of mode", c.Breakers.Origin("host:x", "", "mode").String(), "default"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s = %v, want %v", tt.what, tt.got, tt.want)
		}
	}
}

func TestLaterFilesWinFieldByField(t *testing.T) {
	first := write(t, "hosts: {a.example: {fail_max: 2, reset: 5}}\nlog: {level: warn}")
	second := write(t, "hosts: {A.example.: {fail_max: 3}}\nlog: {format: json}")
	c, err := load(t, "", []string{"FLEETFUSE_CONFIG=" + first + ";" + second})
	if err != nil {
		t.Fatal(err)
	}
	p := c.Breakers.Policy("host:a.example")
	if p.FailMax != 3 || p.ResetTimeout != 5*time.Second || c.Log.Level != "warn" || c.Log.Format != "json" {
		t.Errorf("got fail_max %d, reset %v, level %s, format %s; want 3, 5s, warn, json",
			p.FailMax, p.ResetTimeout, c.Log.Level, c.Log.Format)
	}
}

func TestRepeatableFlagsAndVariables(t *testing.T) {
	c, err := load(t, "", []string{"FLEETFUSE_BREAKER=a.example=fail_max:2; b.example=fail_max:3"},
		"--breaker=a.example=reset:7", "--breaker=c.example=fail_max:4", "--breaker=c.example=fail_max:5",
		"--breaker-role=[::1]:8443:meta=trial_calls:9", "--breaker-resolver=crossref=fail_max:6",
		"--breaker-classify=failure=429,500 neutral=404", "--breaker-rolling=enabled,window:30,thresh:7,cooldown:1m",
		"--http.allowed-hosts=Node.Internal, b.example")
	if err != nil {
		t.Fatal(err)
	}
	b := &c.Breakers
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"a fail_max", b.Policy("host:a.example").FailMax, 2},
		{"a reset", b.Policy("host:a.example").ResetTimeout, 7 * time.Second},
		{"b fail_max", b.Policy("host:b.example").FailMax, 3},
		{"c fail_max, the last one", b.Policy("host:c.example").FailMax, 5},
		{"role of an IPv6 host", b.Policy("host:[::1]:8443").ForRole("metadata").TrialCalls, 9},
		{"resolver", b.Policy("resolver:crossref").FailMax, 6},
		{"a host of the resolver's name", b.Policy("host:crossref").FailMax, 5},
		{"failures", b.Defaults.Classify.FailureStatuses, []int{429, 500}},
		{"neutral", b.Policy("host:a.example").Classify.NeutralStatuses, []int{404}},
		{"rolling", b.Defaults.Rolling, breaker.Rolling{Enabled: true, Window: 30 * time.Second, ThresholdFailures: 7, Cooldown: time.Minute}},
		{"allowed hosts", c.HTTP.AllowedHosts, []string{"node.internal", "b.example"}},
		{"keys", b.Keys(), []breaker.Key{"host:[::1]:8443", "host:a.example", "host:b.example", "host:c.example", "resolver:crossref"}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.what, diff)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	const file = "defaults: {fail_mx: 3}\nhost: {}\nhttp: {lissten_address: x}\n"
	_, err := load(t, file, []string{"FLEETFUSE_LOG_LEVEL=loud", "FLEETFUSE_HTTP_SOKET=x", "FLEETFUSE_PORT=tcp://x", "FLEETFUSE_ADDR=x"},
		"--breaker-defaults=fail_max:0,rest:3", "--cooldown-store=rediis://:secret@h/0", "--config=/nowhere.yaml")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`breakers.yaml:1:12: unknown policy field "fail_mx"; did you mean "fail_max"?`,
		`breakers.yaml:2:1: unknown key "host"; did you mean "hosts"?`,
		`breakers.yaml:3:8: unknown key "lissten_address"; did you mean "listen_address"?`,
		`env FLEETFUSE_LOG_LEVEL: log.level is "loud"; want one of`,
		`env FLEETFUSE_HTTP_SOKET: unknown; did you mean FLEETFUSE_HTTP_SOCKET?`,
		`flag --breaker-defaults "fail_max:0,rest:3": fail_max is 0; want 1 to 10000`,
		`flag --breaker-defaults "fail_max:0,rest:3": unknown policy field "rest"; did you mean "reset"?`,
		`flag --cooldown-store: cooldown_store has no scheme that is known; want sqlite, `,
		`flag --config: read /nowhere.yaml`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
	for _, unwanted := range []string{"secret", "FLEETFUSE_PORT", "FLEETFUSE_ADDR"} {
		if strings.Contains(err.Error(), unwanted) {
			t.Errorf("%q in:\n%v", unwanted, err)
		}
	}
	if got, want := len(strings.Split(err.Error(), "\n")), 9; got != want {
		t.Errorf("%d problems, want %d:\n%v", got, want, err)
	}
}

func TestOptionsAreRefused(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, tt := range []struct{ arg, want string }{
		{"--actor.listen-address=example.org:7142", "want an IP address of this machine"},
		{"--cluster.listen-address=[::1]", "want HOST:PORT"},
		{"--cluster.label=a b", "without blanks"},
		{"--cluster.label=" + long, "at most 255"},
		{"--cluster.gossip-profile=wann", `did you mean "wan"?`},
		{"--cluster.keyring-file=/" + long, "at most 4095"},
		{"--tls.ca-file=/" + long, "at most 4095"},
		{"--insecure=maybe", `insecure is "maybe": want true or false`},
		{"--http.listen-address=7140", "want HOST:PORT"},
		{"--http.listen-address=127.0.0.1:65536", "0 to 65535"},
		{"--http.listen-address=127.0.0.1:http", "0 to 65535"},
		{"--http.listen-address=127.0.0.1:+1", "0 to 65535"},
		{"--http.listen-address=", "want HOST:PORT"},
		{"--http.socket=/" + long, "at most 107"},
		{"--http.allowed-hosts=*.example.org", "wildcards"},
		{"--http.allowed-hosts=a b", "bad name"},
		{"--http.allowed-hosts=a.example:7140", "counts without its port: give a.example"},
		{"--http.allowed-hosts=[2001:db8::1]:7140", "counts without its port: give 2001:db8::1"},
		{"--data-dir=", "is empty"},
		{"--data-dir=a\x00b", "NUL"},
		{"--ready-file=/" + long, "at most 4095"},
		{"--node.name=a b", "without blanks"},
		{"--node.name=" + long, "at most 128"},
		{"--log.format=jsn", `did you mean "json"?`},
		{"--cooldown-store=sqlite:/x", `starts with "sqlite:" but not with "sqlite://"`},
		{"--cooldown-store=sqlite://x", "with three slashes"},
		{"--cooldown-store=redis:u:secret@x", `starts with "redis:" but not with "redis://"`},
		{"--cooldown-store=sqllite", `did you mean "sqlite"?`},
		{"--cooldown-store=memory", `did you mean "memory:"?`},
		{"--cooldown-store=postgres://x", `starts with "postgres:"`},
		{"--cooldown-store=postgres://u:secret@x", "has no scheme that is known; want sqlite, "},
		{"--cooldown-store=redsi://u:secret@x", `did you mean "redis"?`},
		{"--http.sokcet=x", "did you mean --http.socket?"},
		{"--profile=bold", `profile is "bold"; want one of aggressive, balanced, conservative`},
	} {
		_, err := load(t, "", nil, tt.arg)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") || len(err.Error()) > 500 {
			t.Errorf("%.40s: error %v, want %q", tt.arg, err, tt.want)
		}
	}
}

// A value whose scheme was forgotten starts with what may be a password.
func TestStoreWithoutSchemeIsNotRepeated(t *testing.T) {
	for _, store := range []string{
		"secret2@redis.local:6379", "secret@redis.local:6379", "secret2@redis.local", "secret@host", "secret2", "secret2:6379",
		":secret@redis.local", "user:secret@redis.local:6379", "secret:x@redis.local", "Secret", "SECRET://h", "secret 2:x",
		"//:secret@redis.local", "secret://u:secret@h", "secret/x", "",
	} {
		_, err := load(t, "", []string{"FLEETFUSE_COOLDOWN_STORE=" + store}, "--cooldown-store="+store)
		if err == nil || !strings.Contains(err.Error(), "cooldown_store has no scheme that is known; want sqlite, ") && store != "" ||
			strings.Contains(strings.ToLower(err.Error()), "secret") {
			t.Errorf("%s: error %v, want one that says what is wanted and repeats nothing", store, err)
		}
	}
}

func TestPortZeroAndLoopbackSpellings(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "localhost:7140", "127.9.9.9:1", "[::ffff:127.0.0.1]:1"} {
		if _, err := load(t, "", nil, "--http.listen-address="+address, "--cooldown-store=memory:"); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	_, err := load(t, "hosts:\n"+strings.Repeat("  ? [a]\n  : 1\n", 5000), nil)
	if err == nil || !strings.HasSuffix(err.Error(), "and 4900 more problems") {
		t.Errorf("error ends %q, want 4900 more problems", err.Error()[max(0, len(err.Error())-80):])
	}
}

func TestValidateNamesFlags(t *testing.T) {
	c := config.Default()
	c.HTTP.ListenAddress = "0.0.0.0:1"
	c.Breakers.Defaults.FailMax = 0
	bad := breaker.DefaultPolicy()
	bad.Witnesses = 99
	c.Breakers.Hosts = map[string]*breaker.Policy{"a.example": &bad}
	err := c.Validate()
	for _, want := range []string{"--http.listen-address: ", "--breaker-defaults: fail_max", "host:a.example: witnesses"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
