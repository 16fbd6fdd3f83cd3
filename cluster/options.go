package cluster

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/hashicorp/memberlist"

	"fleetfuse/wire"
)

// Options of a Cluster. NodeID, Epoch and Logger are required.
type Options struct {
	NodeID     string // unique, persisted
	Epoch      uint64 // of this start: later than every epoch of an earlier start
	Name       string // for people
	Version    string // of the program, for people
	APIAddress string // of the HTTP API, for people; see SetAPIAddress
	ConfigHash uint64
	Gossip     Gossip
	Actor      Actor
	TLS        TLS
	Insecure   bool     // allow addresses off loopback without keyring and TLS
	Seeds      []string // gossip addresses (host:port) of members seen earlier
	Logger     *slog.Logger
	Events     Events // nil: nobody is told
}

// Gossip says how members find each other.
type Gossip struct {
	Listen      string   // host:port, TCP and UDP; default 127.0.0.1:0
	Advertise   string   // host or host:port told to others; default: as bound
	Label       string   // separates clusters; at most 255 bytes
	Profile     string   // lan, local, wan or tuned, the default
	Peers       []string // host:port, resolved again each time
	KeyringFile string   // one base64 key a line, the first encrypts

	// Transport takes the place of the network, for tests; nil: the network.
	Transport memberlist.Transport
}

// Actor says where frames arrive.
type Actor struct {
	Listen    string // host:port; default 127.0.0.1:0
	Advertise string // host or host:port told to others; default: as bound
}

// TLS names the files of the actor port: both sides show a certificate that
// the CA signed, for the host that is advertised. All three or none.
type TLS struct{ CertFile, KeyFile, CAFile string }

// Events is what a cluster tells its node. The calls come from goroutines of
// the cluster, the first before Start returns. Calls of one method come one at
// a time and in order; different methods may run at once, but never Members,
// Evicted and SeedsChanged. None may block for long, and none may call Leave or
// Stop.
type Events interface {
	// Members tells the live members, this node among them, sorted by id,
	// whenever something about one of them changed. The slice may be kept and
	// must not be changed. left are the ids that went deliberately since the
	// last call.
	Members(live []Member, left []string)
	// Receive takes a frame that a live member sent.
	Receive(f *wire.Frame)
	// State is the frame that goes along when memberlist exchanges state with a
	// member; nil is none.
	State() *wire.Frame
	// Evicted says that others had given this node up, or may have because its
	// process was paused: its actors were dropped. Its epoch, raised where they
	// had, is now this one, which must be persisted.
	Evicted(epoch uint64)
	// SeedsChanged hands over the gossip addresses to persist.
	SeedsChanged(seeds []string)
}

// Limits of what a member tells about itself.
const (
	maxNodeIDBytes  = 128
	maxLabelBytes   = memberlist.LabelMaxSize
	maxAPIAddrBytes = 64 // is reserved in the meta while the address is not known
)

// validate checks what needs neither network nor files. It names every flag.
func (o Options) validate() error {
	var errs []error
	if o.NodeID == "" || len(o.NodeID) > maxNodeIDBytes || strings.ContainsAny(o.NodeID, "#/ \t\n") {
		errs = append(errs, fmt.Errorf("node id %q: want 1 to %d bytes without blanks, # and /", o.NodeID, maxNodeIDBytes))
	}
	if o.Epoch >= maxEpoch {
		errs = append(errs, fmt.Errorf("epoch %d: want less than %d", o.Epoch, uint64(maxEpoch)))
	}
	if len(o.Gossip.Label) > maxLabelBytes {
		errs = append(errs, fmt.Errorf("--cluster.label has %d bytes; want at most %d", len(o.Gossip.Label), maxLabelBytes))
	}
	for _, p := range o.Gossip.Peers {
		if _, _, err := splitHostPort(p); err != nil {
			errs = append(errs, fmt.Errorf("--cluster.peer %q: %w", p, err))
		}
	}
	return errors.Join(errs...)
}

// allow refuses places off loopback that anybody could talk to.
func (o Options) allow(gossip, port place) error {
	var errs []error
	if o.Gossip.Transport == nil && !gossip.loopback() && o.Gossip.KeyringFile == "" && !o.Insecure {
		errs = append(errs, fmt.Errorf("gossip on %s is reachable from elsewhere and not encrypted: "+
			"give --cluster.keyring-file, or --insecure if everybody there may change the cluster", gossip))
	}
	if !port.loopback() && o.TLS == (TLS{}) && !o.Insecure {
		errs = append(errs, fmt.Errorf("the actor port %s is reachable from elsewhere and not encrypted: "+
			"give --tls.cert-file, --tls.key-file and --tls.ca-file, or --insecure if everybody there may send to it", port))
	}
	return errors.Join(errs...)
}

// silent is told and does nothing.
type silent struct{}

func (silent) Members([]Member, []string) {}
func (silent) Receive(*wire.Frame)        {}
func (silent) State() *wire.Frame         { return nil }
func (silent) Evicted(uint64)             {}
func (silent) SeedsChanged([]string)      {}
