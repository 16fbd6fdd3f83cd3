package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// ErrNoNetwork says that this process may not make networks here.
var ErrNoNetwork = errors.New("no network can be made")

// The ports of a node in a Network.
const (
	gossipPort = "7141"
	actorPort  = "7142"
)

// namespaces begins the names of all network namespaces made here; the process
// that made one follows.
const namespaces = "fleet-"

// The bridges of a hub: most machines are on one, those split off on the other.
const (
	here  = "br0"
	there = "br1"
)

// A Network is a set of machines with a wire each: a network namespace for
// every node, and a hub that their wires lead to. Machines count from zero,
// and machine i has the address 10.77.0.(i+1). Nothing leaves it.
type Network struct {
	name   string
	size   int
	spaces []string // those made so far
}

// NewNetwork makes a network; Close it when done. Networks of processes that
// are gone are removed. It needs root, iproute2 and a kernel with veth; an
// ErrNoNetwork says which is missing.
func NewNetwork(size int) (*Network, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("%w: this process is not root", ErrNoNetwork)
	}
	if _, err := exec.LookPath("ip"); err != nil {
		return nil, fmt.Errorf("%w: %w (apt-get install iproute2)", ErrNoNetwork, err)
	}
	sweep()
	w := &Network{name: fmt.Sprintf("%s%d-%08x", namespaces, os.Getpid(), rand.Uint32()), size: size}
	if err := w.connect(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// connect lays the wires.
func (w *Network) connect() error {
	hub := []string{"link set lo up"}
	for _, bridge := range []string{here, there} {
		hub = append(hub, "link add "+bridge+" type bridge", "link set "+bridge+" up")
	}
	if err := w.add(w.hub(), hub); err != nil {
		return err
	}
	for i := range w.size {
		err := w.add(w.space(i), []string{
			"link set lo up",
			"link add eth0 type veth peer name " + wire(i) + " netns " + w.hub(),
			"addr add " + w.IP(i) + "/24 dev eth0",
			"link set eth0 up",
		})
		if err == nil {
			err = batch(w.hub(), []string{"link set " + wire(i) + " master " + here + " up"})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add makes a namespace and runs commands in it.
func (w *Network) add(space string, commands []string) error {
	if err := run("ip", "netns", "add", space); err != nil {
		return err
	}
	w.spaces = append(w.spaces, space)
	return batch(space, commands)
}

// Close removes the network. Nodes in it must have ended.
func (w *Network) Close() error {
	var errs []error
	for _, space := range w.spaces {
		errs = append(errs, run("ip", "netns", "del", space))
	}
	return errors.Join(errs...)
}

// StartCluster starts a node n1, n2, ... on each machine and waits until each
// knows all others. args are further flags of each: the ports can be reached
// from other machines, so it needs --insecure, or keys and certificates.
func (w *Network) StartCluster(ctx context.Context, p Program, args ...string) ([]*Node, error) {
	return startCluster(ctx, w.size, func(i int, peer ...string) (*Node, error) {
		return w.Start(ctx, p, i, append(peer, args...)...)
	})
}

// Start starts a node on machine i.
func (w *Network) Start(ctx context.Context, p Program, i int, args ...string) (*Node, error) {
	p.Space = w.space(i)
	return p.Start(ctx, nodeName(i), append([]string{
		"--cluster.listen-address", w.Gossip(i), "--actor.listen-address", w.IP(i) + ":" + actorPort,
	}, args...)...)
}

// IP is the address of machine i, Gossip that of its node's gossip port.
func (w *Network) IP(i int) string     { return fmt.Sprint("10.77.0.", i+1) }
func (w *Network) Gossip(i int) string { return w.IP(i) + ":" + gossipPort }

// Cut pulls the wires of machines: each is alone.
func (w *Network) Cut(machines ...int) error { return w.plug("nomaster", machines) }

// Split takes machines off from the rest, together.
func (w *Network) Split(machines ...int) error { return w.plug("master "+there, machines) }

// Heal undoes Cut and Split.
func (w *Network) Heal(machines ...int) error { return w.plug("master "+here, machines) }

func (w *Network) plug(where string, machines []int) error {
	var commands []string
	for _, i := range machines {
		commands = append(commands, "link set "+wire(i)+" "+where)
	}
	return batch(w.hub(), commands)
}

// Deafen lets no packet of machine j reach machine i, until Hear.
func (w *Network) Deafen(i, j int) error {
	return w.filter(i, "-A", "INPUT", "-s", w.IP(j), "-j", "DROP")
}

// Lose drops this share of the packets that arrive at each machine, until Hear.
func (w *Network) Lose(share float64) error {
	for i := range w.size {
		err := w.filter(i, "-A", "INPUT", "-i", "eth0", "-m", "statistic", "--mode", "random",
			"--probability", strconv.FormatFloat(share, 'f', -1, 64), "-j", "DROP")
		if err != nil {
			return err
		}
	}
	return nil
}

// Hear undoes Deafen and Lose on every machine.
func (w *Network) Hear() error {
	for i := range w.size {
		if err := w.filter(i, "-F", "INPUT"); err != nil {
			return err
		}
	}
	return nil
}

func (w *Network) filter(i int, rule ...string) error {
	if _, err := exec.LookPath("iptables"); err != nil {
		return fmt.Errorf("%w: %w (apt-get install iptables)", ErrNoNetwork, err)
	}
	return run("ip", append([]string{"netns", "exec", w.space(i), "iptables", "-w"}, rule...)...)
}

func (w *Network) hub() string        { return w.name + "-hub" }
func (w *Network) space(i int) string { return w.name + "-" + nodeName(i) }

// wire is the hub's end of machine i's wire.
func wire(i int) string { return fmt.Sprint("w", i+1) }

// sweep removes what processes left that were killed. Another process may do
// the same, so errors mean nothing.
func sweep() {
	list, err := exec.Command("ip", "netns", "list").Output()
	if err != nil {
		return
	}
	for line := range strings.Lines(string(list)) {
		space, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest, ours := strings.CutPrefix(space, namespaces)
		pid, _, _ := strings.Cut(rest, "-")
		n, err := strconv.Atoi(pid)
		if ours && err == nil && errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
			_ = run("ip", "netns", "del", space)
		}
	}
}

// batch runs commands of ip in a namespace.
func batch(space string, commands []string) error {
	c := exec.Command("ip", "-n", space, "-batch", "-")
	c.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	return output(c)
}

func run(name string, args ...string) error { return output(exec.Command(name, args...)) }

// output runs a command; an error says what it printed.
func output(c *exec.Cmd) error {
	text, err := c.CombinedOutput()
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w: %s", strings.Join(c.Args, " "), err, strings.TrimSpace(string(text)))
	if forbidden.Match(text) {
		return fmt.Errorf("%w: %w", ErrNoNetwork, err)
	}
	return err
}

// forbidden finds what ip and iptables print where the process may not do
// something, or the kernel cannot.
var forbidden = regexp.MustCompile("not permitted|Permission denied|Unknown device type|not supported|Couldn't load match")
