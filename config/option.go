package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// An option is one thing about a node that can be set: with a flag, with an
// environment variable, and with a key in a file.
type option struct {
	flag  string
	key   string // dotted path in a file
	usage string // a `word` in it names the value

	at    func(*Config) any   // *string, *bool, *int, *float64, *time.Duration, *Bytes, or *[]string for a list with commas
	check func(*Config) error // what is wrong with the value, nil if nothing
}

// options is the one table of them.
var options = []option{
	{"data-dir", "node.data_dir", "keep state.db in this `DIRECTORY`; one node to a directory",
		func(c *Config) any { return &c.Node.DataDir }, func(c *Config) error { return checkPath(c.Node.DataDir, true) }},
	{"ready-file", "node.ready_file", "write pid and addresses as JSON to this `PATH` when ready",
		func(c *Config) any { return &c.Node.ReadyFile }, func(c *Config) error { return checkPath(c.Node.ReadyFile, false) }},
	{"node.name", "node.name", "what people call this node (default the machine's host name)",
		func(c *Config) any { return &c.Node.Name }, func(c *Config) error { return checkToken(c.Node.Name, maxNodeNameBytes) }},
	{profileFlag, "profile", "what applies where nothing is set: conservative, balanced or aggressive",
		func(c *Config) any { return &c.Profile }, func(c *Config) error { return checkProfile(c.Profile) }},
	{"cooldown-store", "cooldown_store", "share cooldowns beyond the data directory at this `URL`: sqlite (nowhere), sqlite:///abs/path, redis://host, rediss://, redis+sentinel://, redis+cluster://, or memory: for tests",
		func(c *Config) any { return &c.CooldownStore }, func(c *Config) error { return checkStore(c.CooldownStore) }},
	{"http.listen-address", "http.listen_address", "serve the HTTP API on this `HOST:PORT`; port 0 picks one; beyond loopback with the --tls files",
		func(c *Config) any { return &c.HTTP.ListenAddress }, func(c *Config) error { return checkListen(c.HTTP.ListenAddress) }},
	{"http.socket", "http.socket", "serve the HTTP API on this Unix socket too: a `PATH`",
		func(c *Config) any { return &c.HTTP.Socket }, func(c *Config) error { return checkSocket(c.HTTP.Socket) }},
	{"http.allowed-hosts", "http.allowed_hosts", "accept these Host headers, without ports, beside loopback and the node's own address: `HOST,...` (repeatable)",
		func(c *Config) any { return &c.HTTP.AllowedHosts }, func(c *Config) error { return checkHosts(c.HTTP.AllowedHosts) }},
	{"cluster.label", "cluster.label", "talk only to nodes of the same `LABEL`",
		func(c *Config) any { return &c.Cluster.Label }, func(c *Config) error { return checkToken(c.Cluster.Label, maxLabelBytes) }},
	{"cluster.gossip-profile", "cluster.gossip_profile", "how soon gossip notices a change: lan, local, wan or tuned",
		func(c *Config) any { return &c.Cluster.GossipProfile },
		func(c *Config) error { return checkWord(c.Cluster.GossipProfile, "lan", "local", "wan", "tuned") }},
	{"cluster.listen-address", "cluster.listen_address", "gossip on this `HOST:PORT`; port 0 picks one; beyond loopback with --cluster.keyring-file",
		func(c *Config) any { return &c.Cluster.ListenAddress }, func(c *Config) error { return checkListen(c.Cluster.ListenAddress) }},
	{"cluster.advertise-address", "cluster.advertise_address", "tell other nodes this `HOST[:PORT]` for gossip (default the listen address)",
		func(c *Config) any { return &c.Cluster.AdvertiseAddress }, func(c *Config) error { return checkAdvertise(c.Cluster.AdvertiseAddress) }},
	{"cluster.peer", "cluster.peers", "join the fleet through the node that gossips on this `HOST:PORT` (repeatable)",
		func(c *Config) any { return &c.Cluster.Peers }, func(c *Config) error { return checkPeers(c.Cluster.Peers) }},
	{"cluster.keyring-file", "cluster.keyring_file", "encrypt gossip with the keys in this `FILE`",
		func(c *Config) any { return &c.Cluster.KeyringFile }, func(c *Config) error { return checkPath(c.Cluster.KeyringFile, false) }},
	{"actor.listen-address", "actor.listen_address", "listen for other nodes' actors on this `HOST:PORT`; port 0 picks one; beyond loopback with the --tls files",
		func(c *Config) any { return &c.Actor.ListenAddress }, func(c *Config) error { return checkListen(c.Actor.ListenAddress) }},
	{"actor.advertise-address", "actor.advertise_address", "tell other nodes this `HOST[:PORT]` for actors (default the listen address)",
		func(c *Config) any { return &c.Actor.AdvertiseAddress }, func(c *Config) error { return checkAdvertise(c.Actor.AdvertiseAddress) }},
	{"tls.cert-file", "tls.cert_file", "this node's certificate, a PEM `FILE`; the three --tls files come together or not at all",
		func(c *Config) any { return &c.TLS.CertFile }, func(c *Config) error { return checkPath(c.TLS.CertFile, false) }},
	{"tls.key-file", "tls.key_file", "the key of that certificate, a PEM `FILE`",
		func(c *Config) any { return &c.TLS.KeyFile }, func(c *Config) error { return checkPath(c.TLS.KeyFile, false) }},
	{"tls.ca-file", "tls.ca_file", "believe the certificates of other nodes and of clients that this PEM `FILE` vouches for",
		func(c *Config) any { return &c.TLS.CAFile }, func(c *Config) error { return checkPath(c.TLS.CAFile, false) }},
	{"telemetry.max-age", "telemetry.max_age", "keep events on disk this `DURATION`, at least 1m: seconds, or 90s, 24h",
		func(c *Config) any { return &c.Telemetry.MaxAge }, func(c *Config) error { return checkAge(c.Telemetry.MaxAge) }},
	{"telemetry.max-bytes", "telemetry.max_bytes", "keep events on disk up to this `SIZE`, at least 1MiB: bytes, or 512KiB, 256MiB, 2GiB; the oldest go",
		func(c *Config) any { return &c.Telemetry.MaxBytes }, func(c *Config) error { return checkBytes(c.Telemetry.MaxBytes) }},
	{"tuner.mode", "tuner.mode", "what the tuner does: observe (answer who asks), suggest (tell what it would change, too), or enforce (change it by itself)",
		func(c *Config) any { return &c.Tuner.Mode },
		func(c *Config) error { return checkWord(c.Tuner.Mode, TunerObserve, TunerSuggest, TunerEnforce) }},
	{"tuner.window", "tuner.window", "advise on what was seen in this `DURATION`, 1m to 1h",
		func(c *Config) any { return &c.Tuner.Window }, func(c *Config) error { return checkWithin(c.Tuner.Window, tunerWindow) }},
	{"tuner.probe-price", "tuner.probe_price", "one probe is worth so many seconds of a host's absence: a `NUMBER`, 0.1 to 3600; the higher, the later it is probed",
		func(c *Config) any { return &c.Tuner.ProbePrice }, func(c *Config) error { return checkWithin(c.Tuner.ProbePrice, tunerProbePrice) }},
	{"tuner.hold", "tuner.hold", "leave at least this `DURATION` between two changes that are enforced at a host, 1m to 24h",
		func(c *Config) any { return &c.Tuner.Hold }, func(c *Config) error { return checkWithin(c.Tuner.Hold, tunerHold) }},
	{"tuner.max-changes", "tuner.max_changes", "enforce at most this `NUMBER` of changes of a host in a day, 1 to 100",
		func(c *Config) any { return &c.Tuner.MaxChanges }, func(c *Config) error { return checkWithin(c.Tuner.MaxChanges, tunerMaxChanges) }},
	{"tuner.canary", "tuner.canary", "try a change at this `SHARE` of the hosts first, 0.01 to 0.1, and at one at least",
		func(c *Config) any { return &c.Tuner.Canary }, func(c *Config) error { return checkWithin(c.Tuner.Canary, tunerCanary) }},
	{"tuner.interval", "tuner.interval", "judge a change on trial by spans of this `DURATION`, 10s to 10m",
		func(c *Config) any { return &c.Tuner.Interval }, func(c *Config) error { return checkInterval(c.Tuner.Interval) }},
	{"insecure", "insecure", "listen beyond loopback even without keyring and --tls files",
		func(c *Config) any { return &c.Insecure }, func(*Config) error { return nil }},
	{"log.format", "log.format", "text, json, or auto: text on a terminal, else json",
		func(c *Config) any { return &c.Log.Format }, func(c *Config) error { return checkWord(c.Log.Format, "auto", "text", "json") }},
	{"log.level", "log.level", "debug, info, warn or error",
		func(c *Config) any { return &c.Log.Level }, func(c *Config) error { return checkWord(c.Log.Level, "debug", "info", "warn", "error") }},
}

// A breakerOption is a flag, and its variable, that sets policies. Files have
// sections for that.
type breakerOption struct {
	flag  string
	usage string
	parse parseBreaker
}

// parseBreaker reads whose policy a text sets and what.
type parseBreaker func(text string) (breaker.Key, []setting, error)

// breakerOptions is the one table of them. A later one is stronger where two
// set the same field.
var breakerOptions = []breakerOption{
	{"breaker-defaults", "policy of every breaker: `FIELD:VALUE,...` as in fail_max:5,reset:60,retry_after_cap:900", parseDefaults("")},
	{"breaker-classify", "HTTP statuses: `\"failure=429,500 neutral=404\"`", parseDefaults("classify.")},
	{"breaker-rolling", "burst rule: `FIELD:VALUE,...` as in enabled:true,window:30,thresh:6,cooldown:60", parseDefaults("rolling.")},
	{"breaker", "policy of one host, or of those below a wildcard as *.example.org: `HOST=FIELD:VALUE,...` (repeatable)", parseHost},
	{"breaker-role", "policy of one role of a host: `HOST:ROLE=FIELD:VALUE,...` (repeatable)", parseHostRole},
	{"breaker-resolver", "policy of one resolver: `NAME=FIELD:VALUE,...` (repeatable)", parseResolver},
}

// configFlag names the files; it cannot stand in one.
const configFlag = "config"

// variablePrefix starts the name of every environment variable read here.
const variablePrefix = "FLEETFUSE_"

// Variable is the environment twin of a flag: FLEETFUSE_HTTP_SOCKET of
// http.socket.
func Variable(flag string) string {
	return variablePrefix + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(flag))
}

// set stores text as the value of the option. The error goes on after the
// option's name; limits are for check.
func (o *option) set(c *Config, text string) error {
	switch place := o.at(c).(type) {
	case *string:
		*place = text
	case *[]string:
		*place = splitList(text)
	case *bool:
		value, err := parseBool(strings.TrimSpace(text))
		if err != nil {
			return err
		}
		*place = value
	case *int:
		value, err := parseWhole(strings.TrimSpace(text))
		if err != nil {
			return err
		}
		*place = value
	case *float64:
		value, err := parseNumber(strings.TrimSpace(text))
		if err != nil {
			return err
		}
		*place = value
	case *time.Duration:
		value, err := parseDuration(strings.TrimSpace(text), time.Second)
		if err != nil {
			return err
		}
		*place = value
	case *Bytes:
		value, err := parseBytes(strings.TrimSpace(text))
		if err != nil {
			return err
		}
		*place = value
	}
	return nil
}

// isList reports whether the option has several values.
func (o *option) isList() bool {
	_, ok := o.at(new(Config)).(*[]string)
	return ok
}

// isBool reports whether the bare flag means true.
func (o *option) isBool() bool {
	_, ok := o.at(new(Config)).(*bool)
	return ok
}

// text is the value of the option as set would read it.
func (o *option) text(c *Config) string {
	switch place := o.at(c).(type) {
	case *string:
		return *place
	case *[]string:
		return strings.Join(*place, ",")
	case *bool:
		return strconv.FormatBool(*place)
	case *int:
		return strconv.Itoa(*place)
	case *float64:
		return strconv.FormatFloat(*place, 'g', -1, 64)
	case *time.Duration:
		return place.String()
	case *Bytes:
		return place.String()
	}
	panic(fmt.Sprintf("option %s is of a kind unknown here", o.flag))
}

// splitList cuts a list at its commas and drops blanks around its elements.
func splitList(text string) []string {
	var list []string
	for element := range strings.SplitSeq(text, ",") {
		if element = strings.TrimSpace(element); element != "" {
			list = append(list, element)
		}
	}
	return list
}
