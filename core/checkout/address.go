package checkout

import "strings"

// maxURL is the longest return URL accepted, in bytes: what every browser and PSP carries.
const maxURL = 2048

// ValidReturnURL reports whether a buyer may be sent to url after paying: https with a host name in ASCII (an
// internationalised name comes as punycode, which keeps look-alike letters out), no user info, and nothing in it that a
// browser reads otherwise than we do (control characters, spaces, backslashes). In the test environment http on this
// very machine is accepted too, for a merchant who is still building.
func ValidReturnURL(url string, env Environment) bool {
	if len(url) > maxURL || !plain(url) {
		return false
	}
	rest, secure := strings.CutPrefix(url, "https://")
	if !secure {
		var ok bool
		if rest, ok = strings.CutPrefix(url, "http://"); !ok || env != Test {
			return false
		}
	}
	authority := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
	}
	host, ok := hostOf(authority)
	if !ok {
		return false
	}
	return secure || host == "localhost" || host == "127.0.0.1" || host == "[::1]"
}

// hostOf splits an authority (RFC 3986 §3.2) into host and port and checks both; user info is refused.
func hostOf(authority string) (string, bool) {
	host, port, found := strings.Cut(authority, ":")
	if strings.HasPrefix(authority, "[") {
		end := strings.IndexByte(authority, ']')
		if end < 0 || !validIPv6(authority[1:end]) {
			return "", false
		}
		host = authority[:end+1]
		port, found = strings.CutPrefix(authority[end+1:], ":")
		if !found && port != "" {
			return "", false
		}
	} else if !validHostName(host) {
		return "", false
	}
	return host, !found || validPort(port)
}

func validHostName(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := 0; i < len(label); i++ {
			if c := label[i]; !isAlphanumeric(c) && c != '-' {
				return false
			}
		}
	}
	return true
}

func validPort(port string) bool {
	n, ok := decimal(port, 65535)
	return ok && n > 0
}

// plain refuses what may not stand in a URL as written: control characters, spaces, backslashes and the bidirectional
// controls.
func plain(s string) bool {
	for _, r := range s {
		if r <= ' ' || r == '\\' || r >= 0x7f && r <= 0xa0 || r >= 0x2028 && r <= 0x202f || r >= 0x2066 && r <= 0x2069 ||
			r == 0xfffd || r == 0xfeff {
			return false
		}
	}
	return true
}

// validIP accepts the textual forms of RFC 4291 §2.2 and of dotted IPv4 without leading zeros, which some programs read
// as octal. Zones and ports are not part of an address.
func validIP(s string) bool {
	if strings.IndexByte(s, ':') < 0 {
		return validIPv4(s)
	}
	return validIPv6(s)
}

func validIPv4(s string) bool {
	parts := 0
	for part := range strings.SplitSeq(s, ".") {
		if _, ok := decimal(part, 255); !ok || len(part) > 1 && part[0] == '0' {
			return false
		}
		parts++
	}
	return parts == 4
}

func validIPv6(s string) bool {
	head, tail, compressed := strings.Cut(s, "::")
	groups, ok := countGroups(head, !compressed)
	if !compressed {
		return ok && groups == 8
	}
	if strings.Contains(tail, "::") {
		return false
	}
	more, okTail := countGroups(tail, true)
	return ok && okTail && groups+more < 8
}

// countGroups counts the 16-bit groups of one side of an IPv6 address; a dotted IPv4 address at the very end is two.
func countGroups(s string, last bool) (int, bool) {
	if s == "" {
		return 0, true
	}
	groups := 0
	for s != "" {
		group, rest, more := strings.Cut(s, ":")
		if more && rest == "" {
			return 0, false
		}
		if !more && last && strings.IndexByte(group, '.') >= 0 {
			return groups + 2, validIPv4(group)
		}
		if len(group) == 0 || len(group) > 4 || !isHex(group) {
			return 0, false
		}
		groups++
		s = rest
	}
	return groups, true
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i] | 0x20; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') || s[i] < '0' {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// decimal reads 1 to 5 digits up to limit.
func decimal(s string, limit int) (int, bool) {
	if s == "" || len(s) > 5 {
		return 0, false
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, n <= limit
}
