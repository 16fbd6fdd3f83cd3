// Package hostname gives every host one spelling, at the edge: whatever a
// worker or an operator typed, one host has one breaker.
//
//	API.Crossref.org.:443     api.crossref.org
//	bücher.example            xn--bcher-kva.example
//	my_host.example:8080      my_host.example:8080
//	[2001:DB8:0::1]           2001:db8::1
//	[2001:db8::1]:8443        [2001:db8::1]:8443
//	::ffff:192.0.2.1          192.0.2.1
//
// Refused, because two spellings would remain or none is safe to show: URLs,
// blanks and control characters, empty or oversized labels, zones of IPv6
// addresses, and numbers that are not a complete IPv4 address (127.1, 0x7f.1).
//
// Names of resolvers and roles are words of our users' own and are only
// checked.
package hostname
