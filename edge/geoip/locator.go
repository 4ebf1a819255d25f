package geoip

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/crepe-checkout/crepe/core/country"
)

// Locator tells where the buyer behind a request is. The zero Locator knows of nobody.
type Locator struct {
	DB      *DB
	Trusted []netip.Prefix // the proxies in front of the server, whose X-Forwarded-For is believed
}

// Country is where buyerIP is or, where that is empty, where the client is: peer, the other end of the connection, unless
// that is a trusted proxy; then whom the proxies name in forwarded, the request's X-Forwarded-For headers in their order.
// It is "" where nobody can tell. A buyerIP that is no address is nowhere; refusing it is the core's business.
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

// Proxied reports whether the request comes through trusted proxies that name its client.
func (l *Locator) Proxied(peer net.IP, forwarded [][]byte) bool {
	addr, _ := netip.AddrFromSlice(peer)
	addr = addr.Unmap()
	return l.trusts(addr) && l.client(addr, forwarded).IsValid()
}

// Client names whom a request counts to where everybody gets a share: the client's address or, of IPv6, its /64, which one
// subscriber has to himself (RFC 6177). Whoever comes through a trusted proxy that names nobody is "".
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

// client walks from the server outwards, for as long as the word of a trusted proxy leads, and stops at the first address
// that is none: everything beyond it is hearsay, which a client can write himself. Where the word is missing or
// is no plain address the walk ends at the zero Addr, because a proxy's own address is never a buyer's.
func (l *Locator) client(addr netip.Addr, forwarded [][]byte) netip.Addr {
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

// parse reads an address without zone, the zero Addr if it is none.
func parse(s string) netip.Addr {
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}
	}
	return addr.Unmap()
}

// ParseProxies reads a list of trusted proxies: CIDR blocks between commas, "10.0.0.0/8, 2001:db8::7/128". An empty list
// trusts nobody.
func ParseProxies(list string) ([]netip.Prefix, error) {
	var trusted []netip.Prefix
	for block := range strings.SplitSeq(list, ",") {
		block = strings.TrimSpace(block)
		if block == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(block)
		if err != nil || prefix.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is no CIDR block, which is written 10.0.0.0/8, or 192.0.2.7/32 for one address", block)
		}
		trusted = append(trusted, prefix)
	}
	return trusted, nil
}
