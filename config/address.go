package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"fleetfuse/hostname"
)

// maxPeers bounds the list of peers. One live member is enough to join.
const maxPeers = 256

// splitAddress cuts HOST:PORT; want says in an error what it should have been.
func splitAddress(address, want string) (host string, port uint64, err error) {
	host, digits, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("is %s; want %s", quote(address), want)
	}
	port, err = strconv.ParseUint(digits, 10, 16)
	if err != nil || strconv.FormatUint(port, 10) != digits {
		return "", 0, fmt.Errorf("is %s; the port must be a number from 0 to 65535", quote(address))
	}
	return host, port, nil
}

// listenIP is what a listen address binds: without a host every address of
// the machine. A zone is left out, it makes no difference to who can connect.
func listenIP(address string) (netip.Addr, error) {
	host, _, err := splitAddress(address, "HOST:PORT as in 127.0.0.1:7140 or [::1]:7140")
	switch {
	case err != nil:
		return netip.Addr{}, err
	case host == "":
		return netip.IPv6Unspecified(), nil
	case host == "localhost":
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("is %s; want an IP address of this machine, or localhost, before the port", quote(address))
	}
	return ip.Unmap().WithZone(""), nil
}

func checkListen(address string) error {
	_, err := listenIP(address)
	return err
}

// withPort adds port 0, the bound one, to an address of a host alone.
func withPort(address string) string {
	if address != "" && (!strings.Contains(address, ":") || strings.HasPrefix(address, "[") && strings.HasSuffix(address, "]")) {
		return address + ":0"
	}
	return address
}

func checkAdvertise(address string) error {
	if address == "" {
		return nil
	}
	host, _, err := splitAddress(withPort(address), "HOST or HOST:PORT as in 10.0.0.1 or [2001:db8::1]:7141")
	if err != nil {
		return err
	}
	if err := checkDestination(host); err != nil {
		return fmt.Errorf("is %s: %w", quote(address), err)
	}
	return nil
}

// checkPeers returns a problem for each bad peer.
func checkPeers(peers []string) error {
	if len(peers) > maxPeers {
		return fmt.Errorf("has %d addresses; at most %d are allowed, and one live node is enough to join", len(peers), maxPeers)
	}
	var problems []error
	for _, peer := range peers {
		host, port, err := splitAddress(peer, "HOST:PORT as in 10.0.0.2:7141 or [2001:db8::2]:7141")
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("has an address that %w", err))
			continue
		case port == 0:
			err = errors.New("the port must be the one that node gossips on, from 1 to 65535")
		default:
			err = checkDestination(host)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("has %s: %w", quote(peer), err))
		}
	}
	return errors.Join(problems...)
}

// checkDestination accepts a host that another machine can connect to.
func checkDestination(host string) error {
	if host == "" {
		return errors.New("a host is missing before the port")
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap().IsUnspecified() {
		return errors.New("that is every address of a machine, to which nobody can connect; give one of them")
	}
	_, err := hostname.Normalize(host)
	return err
}

// spell writes advertised addresses as HOST:PORT and drops peers that are
// there twice. Peers stay as they were written: a final dot means something
// to the resolver.
func (c *Cluster) spell() {
	c.AdvertiseAddress = withPort(c.AdvertiseAddress)
	seen := make(map[string]bool, len(c.Peers))
	c.Peers = slices.DeleteFunc(slices.Clone(c.Peers), func(peer string) bool {
		spelling := peer
		if host, port, err := net.SplitHostPort(peer); err == nil {
			if name, err := hostname.Normalize(host); err == nil {
				spelling = net.JoinHostPort(name, port)
			}
		}
		if seen[spelling] {
			return true
		}
		seen[spelling] = true
		return false
	})
}
