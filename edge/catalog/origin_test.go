package catalog

import "testing"

func TestValidOrigin(t *testing.T) {
	for origin, want := range map[string]bool{
		"https://shop.example.com":      true,
		"https://shop.example.com:8443": true,
		"https://xn--mnchen-3ya.de":     true,
		"https://192.0.2.1":             true,
		"https://[2001:db8::1]:8443":    true,
		"http://localhost:5173":         true,
		"http://127.0.0.1:3000":         true,
		"http://[::1]":                  true,

		"":                                  false,
		"*":                                 false,
		"null":                              false,
		"https://":                          false,
		"https:/":                           false,
		"shop.example.com":                  false,
		"http://shop.example.com":           false,
		"https://shop.example.com/":         false,
		"https://shop.example.com/pay":      false,
		"https://shop.example.com?a":        false,
		"https://shop.example.com#a":        false,
		"https://Shop.example.com":          false,
		"https://shop.example.com:443":      false,
		"http://localhost:80":               false,
		"https://shop.example.com:":         false,
		"https://ada@shop.example.com":      false,
		"https://münchen.de":                false,
		"https://*.example.com":             false,
		"https://shop.example.com evil.com": false,
		"file:///home/ada":                  false,
	} {
		if got := ValidOrigin(origin); got != want {
			t.Errorf("%q: %t", origin, got)
		}
	}
}
