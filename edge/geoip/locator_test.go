package geoip

import (
	"net"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/country"
)

// Addresses in France, Germany and a private network, and the trusted proxies: private ones, and two with German addresses.
const (
	french   = "192.0.2.7"
	german   = "198.51.100.7"
	french6  = "2001:db8:f::7"
	private  = "10.0.0.1"
	frontier = "198.51.100.250"
	proxies  = "10.0.0.0/8, 198.51.100.250/32,2001:db8:d::/48"
)

func TestLocator(t *testing.T) {
	trusted, err := ParseProxies(proxies)
	if err != nil {
		t.Fatal(err)
	}
	locator := Locator{open(t, "country.mmdb"), trusted}
	for _, c := range []struct {
		name, buyerIP, peer string
		forwarded           []string
		want                country.Code
	}{
		{"buyerIp", french, private, nil, "FR"},
		{"buyerIp before the peer", french, german, nil, "FR"},
		{"buyerIp before X-Forwarded-For", french6, private, []string{german}, "FR"},
		{"a private buyerIp with a public peer", private, german, nil, ""},
		{"IPv4-mapped buyerIp", "::ffff:" + french, private, nil, "FR"},
		{"buyerIp with a zone", french6 + "%eth0", german, nil, ""},
		{"buyerIp in octal", "0300.0.2.7", german, nil, ""},
		{"buyerIp is not an address", "nowhere", german, nil, ""},

		{"the peer", "", french, nil, "FR"},
		{"the peer over IPv6", "", french6, nil, "FR"},
		{"an untrusted peer's X-Forwarded-For", "", french, []string{german}, "FR"},
		{"no peer", "", "", nil, ""},
		{"an untrusted private peer", "", "192.168.0.1", []string{french}, ""},

		{"a proxy", "", private, []string{french}, "FR"},
		{"a proxy names an IPv6 client", "", private, []string{french6}, "FR"},
		{"a proxy over IPv6", "", "2001:db8:d::1", []string{french}, "FR"},
		{"a proxy names an IPv4-mapped client", "", private, []string{"::ffff:" + french}, "FR"},
		{"spaces and tabs", "", private, []string{" \t" + french + "\t "}, "FR"},
		{"a chain of proxies", "", private, []string{french + ", " + frontier + ",10.9.9.9"}, "FR"},
		{"a chain in several headers", "", private, []string{french, frontier, "10.9.9.9"}, "FR"},
		{"a client forges an entry", "", private, []string{german + ", " + french}, "FR"},
		{"a client forges a header", "", private, []string{german, french}, "FR"},
		{"a client forges a proxy", "", private, []string{german + ", 10.1.1.1, " + french}, "FR"},
		{"garbage beyond the client", "", private, []string{"<script>, " + french}, "FR"},

		{"a proxy without X-Forwarded-For", "", frontier, nil, ""},
		{"an empty X-Forwarded-For", "", frontier, []string{""}, ""},
		{"only proxies", "", private, []string{frontier + ", 10.2.2.2"}, ""},
		{"a loopback client", "", private, []string{"127.0.0.1"}, ""},
		{"an unknown client", "", private, []string{french + ", unknown"}, ""},
		{"garbage before the client", "", private, []string{french + ", , 10.9.9.9"}, ""},
		{"a port", "", private, []string{french + ":443"}, ""},
		{"a zone", "", private, []string{french6 + "%1"}, ""},
		{"a long list", "", private, []string{strings.Repeat("10.1.1.1,", 600)}, ""},
	} {
		var forwarded [][]byte
		for _, header := range c.forwarded {
			forwarded = append(forwarded, []byte(header))
		}
		if got := locator.Country(c.buyerIP, net.ParseIP(c.peer), forwarded); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLocatorWithoutFile(t *testing.T) {
	var zero Locator
	if got := zero.Country(french, net.ParseIP(french), nil); got != "" {
		t.Errorf("country %q", got)
	}
}

// TestTrustEverything: if every address is a trusted proxy, there is no client.
func TestTrustEverything(t *testing.T) {
	all, err := ParseProxies("0.0.0.0/0,::/0")
	if err != nil {
		t.Fatal(err)
	}
	locator := Locator{open(t, "country.mmdb"), all}
	if got := locator.Country("", net.ParseIP(private), [][]byte{[]byte(french)}); got != "" {
		t.Errorf("country %q", got)
	}
}

func TestParseProxies(t *testing.T) {
	for list, want := range map[string]int{"": 0, " , ": 0, proxies: 3, "10.0.0.0/8,": 1} {
		if got, err := ParseProxies(list); err != nil || len(got) != want {
			t.Errorf("%q: %v, %v", list, got, err)
		}
	}
	for _, list := range []string{
		"10.0.0.1", "10.0.0.0/33", "10.0.0.0/8 ::1/128", "proxy.example", "::ffff:10.0.0.0/104", "10.0.0.0/8,*",
	} {
		if got, err := ParseProxies(list); err == nil || !strings.Contains(err.Error(), "192.0.2.7/32") {
			t.Errorf("%q: %v, %v", list, got, err)
		}
	}
}

func TestClient(t *testing.T) {
	trusted, err := ParseProxies(proxies)
	if err != nil {
		t.Fatal(err)
	}
	locator := Locator{Trusted: trusted}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"the peer", french, nil, french},
		{"an untrusted peer's X-Forwarded-For", french, []string{german}, french},
		{"a proxy", private, []string{german + ", " + french}, french},
		{"a proxy names an IPv6 client", private, []string{french6}, "2001:db8:f::/64"},
		{"an IPv4-mapped peer", "::ffff:" + french, nil, french},
		{"an IPv6 peer", "2001:db8:f:1:2:3:4:5", nil, "2001:db8:f:1::/64"},
		{"a proxy that names no client", private, nil, ""},
		{"no peer", "", nil, ""},
	} {
		var forwarded [][]byte
		for _, value := range c.forwarded {
			forwarded = append(forwarded, []byte(value))
		}
		if got := locator.Client(net.ParseIP(c.peer), forwarded); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
