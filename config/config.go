package config

import (
	"time"

	"fleetfuse/breaker"
)

// Config says how a node runs. Code below package node sees it, or a part of
// it, and never a flag or a variable.
type Config struct {
	Files []string // the files it was read from, --config; later ones win

	Node          Node
	HTTP          HTTP
	Cluster       Cluster
	Actor         Actor
	TLS           TLS
	Insecure      bool   // allow ports beyond loopback without keyring and certificates
	Profile       string // of the policies, see ProfileBalanced
	CooldownStore string // where cooldowns are shared beyond state.db: StoreSQLite, StoreMemory or a URL; it may hold a password
	Telemetry     Telemetry
	Tuner         Tuner
	Log           Log
	Breakers      Breakers

	origins map[string]Origin // of each option somebody set, by flag
}

// Node is what makes this node itself.
type Node struct {
	Name      string // for people; empty is the machine's host name
	DataDir   string // holds state.db; one node to a directory
	ReadyFile string // pid and addresses as JSON, written when ready; empty is none
}

// HTTP is where workers and operators reach the node.
type HTTP struct {
	ListenAddress string   // host:port; port 0 picks one; beyond loopback it asks for client certificates
	Socket        string   // path of a Unix socket; empty is none
	AllowedHosts  []string // Host headers accepted beside loopback, in their one spelling
}

// Cluster is how nodes find each other.
type Cluster struct {
	Label            string   // nodes of another label are not talked to
	GossipProfile    string   // lan, local, wan or tuned
	ListenAddress    string   // host:port of gossip; port 0 picks one
	AdvertiseAddress string   // host:port others are told, port 0 the bound one; empty is the listen address
	Peers            []string // host:port of members to join through, each once; empty starts a fleet
	KeyringFile      string   // the keys gossip is encrypted with; empty is none
}

// Actor is where the actors of other nodes reach those of this one.
type Actor struct {
	ListenAddress    string // host:port; port 0 picks one
	AdvertiseAddress string // host:port others are told, port 0 the bound one; empty is the listen address
}

// TLS names the PEM files of this node's identity: all three or none.
type TLS struct {
	CertFile string
	KeyFile  string
	CAFile   string // whom to believe
}

// Telemetry is what the node keeps of what happens.
type Telemetry struct {
	MaxAge   time.Duration // of events on disk
	MaxBytes Bytes         // of events on disk; the oldest go
}

// Log is how the node writes its log.
type Log struct {
	Format string // text, json, or auto: text on a terminal, else json
	Level  string // debug, info, warn or error
}

// The cooldown stores that are no URL.
const (
	StoreSQLite = "sqlite"  // nowhere beyond the data directory
	StoreMemory = "memory:" // state.db in memory too; for tests
)

// sharedSchemes are those of the URLs of places to share cooldowns.
var sharedSchemes = []string{"sqlite", "redis", "rediss", "redis+sentinel", "redis+cluster", "rediss+sentinel", "rediss+cluster"}

// SharesCooldowns reports whether CooldownStore names a place that others use
// too. Do not show it: its URL may hold a password.
func (c *Config) SharesCooldowns() bool {
	return c.CooldownStore != StoreSQLite && c.CooldownStore != StoreMemory
}

// Default is the configuration nobody changed. It does not look at the
// machine it runs on.
func Default() Config {
	return Config{
		Node:          Node{DataDir: "data"},
		HTTP:          HTTP{ListenAddress: "127.0.0.1:7140"},
		Cluster:       Cluster{GossipProfile: "tuned", ListenAddress: "127.0.0.1:7141"},
		Actor:         Actor{ListenAddress: "127.0.0.1:7142"},
		Profile:       ProfileBalanced,
		CooldownStore: StoreSQLite,
		Telemetry:     Telemetry{MaxAge: 7 * 24 * time.Hour, MaxBytes: 256 << 20},
		Tuner:         DefaultTuner(),
		Log:           Log{Format: "auto", Level: "info"},
		Breakers:      Breakers{Defaults: breaker.DefaultPolicy()},
	}
}

// Origin says where the value of an option comes from, by its flag's name
// ("http.socket").
func (c *Config) Origin(flag string) Origin { return c.origins[flag] }
