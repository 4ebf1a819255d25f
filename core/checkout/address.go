package checkout

import (
	"strings"

	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/fold"
)

// maxURL is the longest return URL accepted, in bytes. All browsers and PSPs support it.
const maxURL = 2048

// ValidReturnURL reports whether a buyer may be sent to url after paying. It requires https, a host name in ASCII (punycode
// for internationalised names, which prevents look-alike letters), no user info, and no character that browsers interpret
// differently (control characters, spaces, backslashes). A "%" that starts no escape is accepted, as in browsers. In the
// test environment it also accepts http on localhost or a loopback address.
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
		ok = fold.IsASCII(host) && email.ValidHost(host)
	}
	return host, ok && (!found || validPort(port))
}

func validPort(port string) bool {
	n, ok := decimal(port, 65535)
	return ok && n > 0
}

// plain reports whether s has no controls, spaces, backslashes or invisible characters.
func plain(s string) bool {
	for _, r := range s {
		if r <= ' ' || r == '\\' || r >= 0x7f && !email.Visible(r) {
			return false
		}
	}
	return true
}

// validIP accepts the textual forms of RFC 4291 §2.2, and dotted IPv4 without leading zeros, because some programs read
// these as octal. It accepts no zone or port.
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

// validIPv6 reads a text group by group. "::" may occur once and stands for at least one group of zeros. A dotted IPv4
// address at the end counts as two groups.
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
