package notify

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
)

// Reach says which endpoints may be sent to.
type Reach uint8

const (
	// Public: https, at public addresses only.
	Public Reach = iota
	// Private: http too, and addresses of this machine and of private networks, for development and for merchants within the
	// operator's own network. Link-local addresses, which serve a cloud's credentials, stay out of reach.
	Private
)

// maxURL is the longest URL of an endpoint in bytes.
const maxURL = 2048

// validURL reports whether a URL can be an endpoint's. A name is judged again, by its address, at each connection.
func (r Reach) validURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL || u.User != nil || u.Fragment != "" || u.Hostname() == "" || !printable(text) {
		return false
	}
	if u.Scheme != "https" && !(r == Private && u.Scheme == "http") {
		return false
	}
	if strings.HasSuffix(u.Host, ":") || !r.allowsPort(portOf(u)) {
		return false
	}
	address, err := netip.ParseAddr(strings.Trim(u.Hostname(), "[]"))
	return err != nil || r.allows(address)
}

// printable reports whether a text is ASCII without spaces and control characters. Another host is written in Punycode.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' })
}

// portOf returns the port of a URL; 0 for one that does not exist.
func portOf(u *url.URL) uint16 {
	if u.Port() == "" {
		return map[string]uint16{"https": 443, "http": 80}[u.Scheme]
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		return 0
	}
	return uint16(port)
}

// allowsPort takes the port of https and those that no service of the system has.
func (r Reach) allowsPort(port uint16) bool {
	return port == 443 || port >= 1024 || r == Private && port != 0
}

// errUnreachable does not say what the address is: its name may be one of the operator's own network.
var errUnreachable = errors.New("the address is not public")

// control is [net.Dialer].Control: it refuses an address that a name was resolved to, before anything is sent there.
func (r Reach) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !r.allows(at.Addr()) || !r.allowsPort(at.Port()) {
		return errUnreachable
	}
	return nil
}

// allows reports whether an address may be connected to.
func (r Reach) allows(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = unwrapped(a)
	if within(a, private) {
		return r == Private
	}
	if a.Is4() {
		return !within(a, special4)
	}
	return global6.Contains(a) && !within(a, special6)
}

// unwrapped returns the IPv4 address that an IPv6 address stands for: one that is mapped (RFC 4291), or that a NAT64 translates
// (RFC 6052). Others are returned as they are.
func unwrapped(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}

func within(a netip.Addr, blocks []netip.Prefix) bool {
	for _, block := range blocks {
		if block.Contains(a) {
			return true
		}
	}
	return false
}

func blocks(texts ...string) (parsed []netip.Prefix) {
	for _, text := range texts {
		parsed = append(parsed, netip.MustParsePrefix(text))
	}
	return parsed
}

// The address blocks of IANA's special-purpose registries that are not globally reachable, and the multicast blocks. Of IPv6
// everything outside 2000::/3 is refused.
var (
	// private are this machine and private networks.
	private = blocks("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")

	special4 = blocks("0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4")

	global6  = netip.MustParsePrefix("2000::/3")
	special6 = blocks("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20") // Teredo, documentation, 6to4, documentation
	nat64    = netip.MustParsePrefix("64:ff9b::/96")
)
