package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// A place is where a port listens and what others are told about it.
type place struct {
	host     string // an IP literal
	port     uint16 // 0 picks one
	told     string // host that others are told
	toldPort uint16 // 0: the one bound
}

// parsePlace reads a pair of flags, --PREFIX.listen-address and
// --PREFIX.advertise-address.
func parsePlace(prefix, listen, advertise string) (place, error) {
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	host, port, err := splitHostPort(listen)
	if err != nil {
		return place{}, fmt.Errorf("--%s.listen-address %q: %w", prefix, listen, err)
	}
	switch host {
	case "":
		host = "0.0.0.0"
	case "localhost":
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return place{}, fmt.Errorf("--%s.listen-address %q: want an IP address of this machine, such as 127.0.0.1", prefix, listen)
	}
	p := place{host: host, port: port, told: host}
	if advertise != "" {
		p.told, p.toldPort, err = splitAdvertise(advertise)
	} else if ip.IsUnspecified() {
		p.told, err = ownAddress()
	}
	if err != nil {
		return place{}, fmt.Errorf("--%s.advertise-address %q: %w", prefix, advertise, err)
	}
	return p, nil
}

func splitHostPort(addr string) (string, uint16, error) {
	host, digits, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, errors.New("want host:port")
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return "", 0, errors.New("the port is not in 0 to 65535")
	}
	return host, uint16(port), nil
}

// splitAdvertise reads a host, or a host with a port.
func splitAdvertise(addr string) (string, uint16, error) {
	if ip, err := netip.ParseAddr(strings.Trim(addr, "[]")); err == nil {
		return ip.String(), 0, nil
	}
	if !strings.Contains(addr, ":") {
		return addr, 0, nil
	}
	host, port, err := splitHostPort(addr)
	if err == nil && (host == "" || port == 0) {
		err = errors.New("want host or host:port that others can reach")
	}
	return host, port, err
}

// ownAddress is the address that others on the network probably know this
// machine by: its first private IPv4 address, else its first public one.
func ownAddress() (string, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return "", fmt.Errorf("list the addresses of this machine: %w", err)
	}
	public := ""
	for _, a := range all {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.To4() == nil || !n.IP.IsGlobalUnicast() {
			continue
		}
		if n.IP.IsPrivate() {
			return n.IP.String(), nil
		}
		public = n.IP.String()
	}
	if public == "" {
		return "", errors.New("this machine has no address to tell others, so name one")
	}
	return public, nil
}

// loopback says that nobody elsewhere can, or is told to, reach the place.
func (p place) loopback() bool {
	told, err := netip.ParseAddr(p.told)
	ip, _ := netip.ParseAddr(p.host)
	return ip.IsLoopback() && (p.told == "localhost" || err == nil && told.IsLoopback())
}

// String is the address to listen on.
func (p place) String() string { return net.JoinHostPort(p.host, fmt.Sprint(p.port)) }

// address is what others are told once the port is bound.
func (p place) address(bound uint16) string {
	if p.toldPort != 0 {
		bound = p.toldPort
	}
	return net.JoinHostPort(p.told, fmt.Sprint(bound))
}

// lookIP is the IP address of the host that others are told: gossip knows no
// names.
func (p place) lookIP(ctx context.Context) (string, error) {
	if ip, err := netip.ParseAddr(p.told); err == nil {
		return ip.String(), nil
	}
	ips, err := net.DefaultResolver.LookupHost(ctx, p.told)
	if err != nil {
		return "", fmt.Errorf("--cluster.advertise-address %q: %w", p.told, err)
	}
	return ips[0], nil
}
