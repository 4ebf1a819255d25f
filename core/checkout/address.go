package checkout

import (
	"strings"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/email"
)

// maxURL is the longest return URL accepted, in bytes: what every browser and PSP carries.
const maxURL = 2048

// ValidReturnURL reports whether a buyer may be sent to url after paying: https with a host name in ASCII (an
// internationalised name comes as punycode, which keeps look-alike letters out), no user info, and nothing in it that a
// browser reads otherwise than we do (control characters, spaces, backslashes). A "%" that begins no escape is taken, as
// browsers take it. In the test environment http on this very machine, by its address or a name of localhost, is accepted
// too, for a merchant who is still building.
func ValidReturnURL(url string, env Environment) bool {
	if len(url) > maxURL || !plain(url) {
		return false
	}
	url = email.Normalize(url)
	rest, secure := strings.CutPrefix(url, "https://")
	if !secure {
		var ok bool
		if rest, ok = strings.CutPrefix(url, "http://"); !ok || env != Test {
			return false
		}
	}
	end := 0
	for end < len(rest) && strings.IndexByte("/?#", rest[end]) < 0 {
		end++
	}
	host, ok := hostOf(rest[:end])
	return ok && (secure || host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "[::1]")
}

// hostOf splits an authority (RFC 3986 §3.2) into host and port and checks both; user info is refused.
func hostOf(authority string) (host string, ok bool) {
	host, port, found := strings.Cut(authority, ":")
	if end := strings.IndexByte(authority, ']'); end >= 0 {
		host = authority[:end+1]
		port, found = strings.CutPrefix(authority[end+1:], ":")
		ok = host[0] == '[' && validIPv6(host[1:end]) && (found || port == "")
	} else {
		ok = isASCII(host) && email.ValidHost(host)
	}
	return host, ok && (!found || validPort(port))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func validPort(port string) bool {
	n, ok := decimal(port, 65535)
	return ok && n > 0
}

// plain refuses what may not stand in a URL as written: controls, spaces, backslashes and what nobody can see.
func plain(s string) bool {
	for _, r := range s {
		if r <= ' ' || r == '\\' || r >= 0x7f && !email.Visible(r) {
			return false
		}
	}
	return true
}

// validIP accepts the textual forms of RFC 4291 §2.2 and of dotted IPv4 without leading zeros, which some programs read
// as octal. Zones and ports are not part of an address.
func validIP(s string) bool { return validIPv4(s) || validIPv6(s) }

func validIPv4(s string) bool {
	for parts := 1; ; parts++ {
		part, rest, more := strings.Cut(s, ".")
		if _, ok := decimal(part, 255); !ok || len(part) > 1 && part[0] == '0' {
			return false
		}
		if !more {
			return parts == 4
		}
		s = rest
	}
}

// validIPv6 takes a text apart group by group: two colons, once, stand for at least one group of zeros, and a dotted IPv4
// address at the very end for two groups.
func validIPv6(s string) bool {
	groups, gap := 0, false
	for {
		if rest, found := strings.CutPrefix(s, "::"); found && !gap {
			gap, s = true, rest
			if s == "" {
				break
			}
		} else if groups > 0 && s[0] == ':' {
			s = s[1:]
		}
		digits := 0
		for digits < len(s) && digits < 4 && strings.IndexByte("0123456789abcdefABCDEF", s[digits]) >= 0 {
			digits++
		}
		groups++
		if digits == len(s) && digits > 0 {
			break
		}
		if digits > 0 && s[digits] == '.' && validIPv4(s) {
			groups++
			break
		}
		if digits == 0 || s[digits] != ':' {
			return false
		}
		s = s[digits:]
	}
	if gap {
		return groups < 8
	}
	return groups == 8
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
