package geoip

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/crepe-checkout/crepe/core/country"
)

// Locator finds the client of a request and its country. The zero Locator trusts no proxy and knows no country.
type Locator struct {
	DB      *DB
	Trusted []netip.Prefix // proxies whose X-Forwarded-For is trusted
}

// Country returns the country of buyerIP or, if that is empty, of the client. The client is peer, the remote address of the
// connection, unless that is a trusted proxy; then it is the address in forwarded, the request's X-Forwarded-For headers in
// their order. Country returns "" if the country is unknown or buyerIP is not an address, which the core refuses.
func (l *Locator) Country(buyerIP string, peer net.IP, forwarded [][]byte) country.Code {
	switch {
	case l.DB == nil:
		return ""
	case buyerIP != "":
		return l.DB.Country(parse(buyerIP))
	}
	addr, _ := netip.AddrFromSlice(peer)
	return l.DB.Country(l.client(addr.Unmap(), forwarded))
}

// Proxied reports whether the request came through trusted proxies that name its client.
func (l *Locator) Proxied(peer net.IP, forwarded [][]byte) bool {
	addr, _ := netip.AddrFromSlice(peer)
	addr = addr.Unmap()
	return l.trusts(addr) && l.client(addr, forwarded).IsValid()
}

// Client returns the key by which requests are rate-limited: the client's IPv4 address, or the /64 of its IPv6 address, which
// one subscriber has (RFC 6177). It returns "" if a trusted proxy does not name its client.
func (l *Locator) Client(peer net.IP, forwarded [][]byte) string {
	addr, _ := netip.AddrFromSlice(peer)
	addr = l.client(addr.Unmap(), forwarded)
	switch {
	case !addr.IsValid():
		return ""
	case addr.Is6():
		subscriber, _ := addr.Prefix(64)
		return subscriber.String()
	}
	return addr.String()
}

// client returns the first address, from the server outwards, that is not a trusted proxy. Entries beyond it are ignored,
// because a client can forge them. If a trusted proxy names no client, or not as a plain address, client returns the zero Addr:
// a proxy's own address is never a buyer's.
func (l *Locator) client(addr netip.Addr, forwarded [][]byte) netip.Addr {
	if !l.trusts(addr) {
		return addr
	}
	hops := bytes.Split(bytes.Join(forwarded, []byte(",")), []byte(","))
	for last := len(hops) - 1; l.trusts(addr); last-- {
		if last < 0 {
			return netip.Addr{}
		}
		addr = parse(string(bytes.Trim(hops[last], " \t")))
	}
	return addr
}

func (l *Locator) trusts(addr netip.Addr) bool {
	for _, proxies := range l.Trusted {
		if proxies.Contains(addr) {
			return true
		}
	}
	return false
}

// parse parses an address without a zone. It returns the zero Addr for anything else.
func parse(s string) netip.Addr {
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}
	}
	return addr.Unmap()
}

// ParseProxies parses a comma-separated list of CIDR blocks, "10.0.0.0/8, 2001:db8::7/128". The list may be empty.
func ParseProxies(list string) ([]netip.Prefix, error) {
	var trusted []netip.Prefix
	for block := range strings.SplitSeq(list, ",") {
		block = strings.TrimSpace(block)
		if block == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(block)
		if err != nil || prefix.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is not a CIDR block; write 10.0.0.0/8, or 192.0.2.7/32 for one address", block)
		}
		trusted = append(trusted, prefix)
	}
	return trusted, nil
}
