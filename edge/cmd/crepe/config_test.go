package main

import (
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
)

func TestListenAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:8787": "127.0.0.1:8787", "[::]:8787": "127.0.0.1:8787", "0.0.0.0:80": "127.0.0.1:80", "[::1]:8787": "[::1]:8787",
	} {
		if got := localAddress(address); got != want {
			t.Errorf("%s is reached at %s, want %s", address, got, want)
		}
	}
	for _, listen := range []string{":0", "0.0.0.0:0", "127.0.0.1:0"} {
		c := Config{Listen: listen}
		listener, err := c.listen()
		if err != nil {
			t.Errorf("%s: %v", listen, err)
			continue
		}
		listener.Close()
	}
}

func TestPublicURL(t *testing.T) {
	live := map[checkout.Environment]StripeAccount{checkout.Prod: {Key: "sk_live_x"}}
	for _, c := range []struct {
		url    string
		stripe map[checkout.Environment]StripeAccount
		ok     bool
	}{
		{"https://pay.example.com", live, true},
		{"https://pay.example.com/checkout", live, false},
		{"http://127.0.0.1:8787", nil, true},
		{"http://pay.example.com", live, false},
		{"not-a-url", nil, false},
		{"pay.example.com", nil, false},
		{"ftp://pay.example.com", nil, false},
		{"https://user@pay.example.com", nil, false},
		{"https://pay.example.com/?a=b", nil, false},
		{"https://pay.example.com:8443", nil, true},
		{"https://pay.example.com:99999", nil, false},
		{"https://pay.example.com:", nil, false},
		{"https://:8443", nil, false},
	} {
		config := Config{PublicURL: c.url, Stripe: c.stripe}
		if err := config.checkPublicURL(); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.url, err)
		}
	}
}

// TestSecrets: an account serves the environment of its key, and a setting that could not work is refused by name.
func TestSecrets(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		want []checkout.Environment // nil: refused
	}{
		{"none", map[string]string{}, []checkout.Environment{}},
		{"live", map[string]string{"CREPE_STRIPE_KEY": "sk_live_1", "CREPE_STRIPE_WEBHOOK_SECRET": "whsec_1"}, []checkout.Environment{checkout.Prod}},
		{"test", map[string]string{"CREPE_STRIPE_KEY": "rk_test_1", "CREPE_STRIPE_WEBHOOK_SECRET": "whsec_1"}, []checkout.Environment{checkout.Test}},
		{"both", map[string]string{"CREPE_STRIPE_KEY": "sk_live_1", "CREPE_STRIPE_WEBHOOK_SECRET": "whsec_1",
			"CREPE_STRIPE_TEST_KEY": "sk_test_1", "CREPE_STRIPE_TEST_WEBHOOK_SECRET": "whsec_2"}, []checkout.Environment{checkout.Test, checkout.Prod}},
		{"no webhook secret", map[string]string{"CREPE_STRIPE_KEY": "sk_live_1"}, nil},
		{"webhook secret without a key", map[string]string{"CREPE_STRIPE_WEBHOOK_SECRET": "whsec_1"}, nil},
		{"test webhook secret without a key", map[string]string{"CREPE_STRIPE_TEST_WEBHOOK_SECRET": "whsec_1"}, nil},
		{"no webhook secret but the key twice", map[string]string{"CREPE_STRIPE_KEY": "sk_live_1", "CREPE_STRIPE_WEBHOOK_SECRET": "sk_live_1"}, nil},
		{"nothing after whsec_", map[string]string{"CREPE_STRIPE_KEY": "sk_live_1", "CREPE_STRIPE_WEBHOOK_SECRET": "whsec_"}, nil},
		{"no key", map[string]string{"CREPE_STRIPE_KEY": "hunter2", "CREPE_STRIPE_WEBHOOK_SECRET": "whsec_1"}, nil},
		{"two of one environment", map[string]string{"CREPE_STRIPE_KEY": "sk_test_1", "CREPE_STRIPE_WEBHOOK_SECRET": "whsec_1",
			"CREPE_STRIPE_TEST_KEY": "sk_test_2", "CREPE_STRIPE_TEST_WEBHOOK_SECRET": "whsec_2"}, nil},
	} {
		var config Config
		err := config.secrets(func(name string) string { return c.env[name] })
		if (err == nil) != (c.want != nil) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, env := range c.want {
			if config.Stripe[env].Key == "" {
				t.Errorf("%s: no account for %s", c.name, env)
			}
		}
	}
}
