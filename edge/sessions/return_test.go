package sessions

import (
	"net/url"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
)

func TestReturnURL(t *testing.T) {
	for address, want := range map[string]string{
		"": "",
		"https://shop.example/?id={CHECKOUT_SESSION_ID}#{CHECKOUT_SESSION_ID}": "https://shop.example/?id=" + sessionID + "#" + sessionID,
		"https://shop.example/{OTHER}":                                         "https://shop.example/%7BOTHER%7D",
		"https://shop.example/%7BCHECKOUT_SESSION_ID%7D":                       "https://shop.example/%7BCHECKOUT_SESSION_ID%7D",
		"https://shop.example/sale/50%off":                                     "https://shop.example/sale/50%25off",
		"https://shop.example/%zz%":                                            "https://shop.example/%25zz%25",
		"https://shop.example/a%20b+c?d=%C3%A9":                                "https://shop.example/a%20b+c?d=%C3%A9",
		"https://shop.example/danke-schön":                                     "https://shop.example/danke-sch%C3%B6n",
		"HTTPS://Shop.example/A":                                               "https://Shop.example/A",
		"http://[::1]:3000/\"x\"":                                              "http://[::1]:3000/%22x%22",
	} {
		got := ReturnURL(&checkout.Order{SessionID: sessionID, SuccessURL: address})
		if got != want {
			t.Errorf("%q became %q, want %q", address, got, want)
		}
	}
}

// Whatever the rules accept as a return URL is written as one that the standard library reads, and that stays as it is.
func FuzzReturnURL(f *testing.F) {
	f.Add("https://shop.example/50%off?x={CHECKOUT_SESSION_ID}")
	f.Add("HTTPS://shop.example:8443/%zz#\u00e9|")
	f.Fuzz(func(t *testing.T, address string) {
		if !checkout.ValidReturnURL(address, checkout.Test) {
			return
		}
		got := ReturnURL(&checkout.Order{SessionID: sessionID, SuccessURL: address})
		if u, err := url.Parse(got); err != nil || u.Host == "" {
			t.Fatalf("%q became %q: %v", address, got, err)
		}
		if again := ReturnURL(&checkout.Order{SuccessURL: got}); again != got {
			t.Fatalf("%q became %q, and then %q", address, got, again)
		}
	})
}

func TestReturnAllowed(t *testing.T) {
	for _, c := range []struct {
		address string
		hosts   []string
		prod    bool
		test    bool
	}{
		{"https://shop.example/x", nil, true, true},
		{"https://SHOP.example:443/x", []string{"shop.example"}, true, true},
		{"https://shop.example:8443/x", nil, false, true},
		{"https://shop.example:80/x", nil, false, true},
		{"https://192.0.2.1/x", nil, false, true},
		{"https://127.1/x", nil, false, true},
		{"https://0x7f.0x1/x", nil, false, true},
		{"https://2130706433/x", nil, false, true},
		{"https://[2001:db8::1]/x", nil, false, true},
		{"https://[::ffff:192.0.2.1]/x", nil, false, true},
		{"http://localhost:3000/x", nil, false, true},
		{"https://evil.example/x", []string{"shop.example", "app.example"}, false, false},
		{"https://sub.shop.example/x", []string{"shop.example"}, false, false},
		{"https://shop.example.evil.example/x", []string{"shop.example"}, false, false},
		{"https://app.example/50%off", []string{"shop.example", "app.example"}, true, true},
		{"javascript:alert(1)", nil, false, false},
	} {
		if got := ReturnAllowed(c.address, checkout.Prod, c.hosts); got != c.prod {
			t.Errorf("%s in prod: %t", c.address, got)
		}
		if got := ReturnAllowed(c.address, checkout.Test, c.hosts); got != c.test {
			t.Errorf("%s in test: %t", c.address, got)
		}
	}
}
