package sessions

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// sessionIDField is the placeholder in a success URL for the id of the checkout session.
const sessionIDField = "{CHECKOUT_SESSION_ID}"

// ReturnURL is where the buyer of an order returns to after paying, "" if neither the request nor the product names it: the success
// URL with the session's id for the placeholder, as a URI (RFC 3986). The scheme is in lower case, and bytes that a URI cannot
// contain are percent-encoded, including a "%" that begins no escape.
func ReturnURL(o *checkout.Order) string {
	return uri(strings.ReplaceAll(o.SuccessURL, sessionIDField, o.SessionID))
}

func uri(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address
	}
	b := append(make([]byte, 0, len(address)), strings.ToLower(scheme)+"://"...)
	for i := range len(rest) {
		c := rest[i]
		if c == '%' && !isEscape(rest[i:]) || c <= ' ' || c >= utf8.RuneSelf-1 || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			const hex = "0123456789ABCDEF"
			b = append(b, '%', hex[c>>4], hex[c&15])
			continue
		}
		b = append(b, c)
	}
	return string(b)
}

// isEscape reports whether s begins with a percent sign and two hexadecimal digits.
func isEscape(s string) bool {
	return len(s) > 2 && strings.Trim(s[1:3], "0123456789abcdefABCDEF") == ""
}

// ReturnHost is the host of a URL in lower case, without its port, "" where it has none.
func ReturnHost(address string) string {
	u, err := url.Parse(uri(address))
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// ReturnAllowed reports whether a buyer may be sent to a return URL after paying. It must be a [checkout.ValidReturnURL]. In
// prod the host is a name, not an address, and the port is that of https. hosts are the only ones allowed, if there are any.
func ReturnAllowed(address string, env checkout.Environment, hosts []string) bool {
	u, err := url.Parse(uri(address))
	if err != nil || !checkout.ValidReturnURL(address, env) {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if env == checkout.Prod && (!isName(host) || u.Port() != "" && u.Port() != "443") {
		return false
	}
	return len(hosts) == 0 || slices.Contains(hosts, host)
}

// isName tells a host's name from an address. Browsers read an IPv4 address in every host whose last label begins with a digit
// ("127.1", "0x7f.1"); no top-level domain does.
func isName(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last != "" && (last[0] < '0' || '9' < last[0]) && !strings.Contains(host, ":")
}
