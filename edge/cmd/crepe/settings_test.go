package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/server"
)

// TestSettings: a flag with a wrong value is refused by name; the defaults are those of the help.
func TestSettings(t *testing.T) {
	parse := func(args ...string) (server.Config, error) {
		var c server.Config
		f := newFlags("serve", "")
		declareSettings(f, &c)
		return c, parseFlags(f, args, io.Discard)
	}
	c, err := parse()
	if err != nil || c.DiskReserve != 128<<20 || c.KeepSessions != 2*time.Hour || c.Connections != 4096 || c.ClientConnections != 256 ||
		c.RefundWindow != 14*24*time.Hour || c.KeepUnpaid != 90*24*time.Hour || c.ClientRate != 5 || c.StoreRate != 100 || c.TrustedProxies != nil {
		t.Errorf("the defaults are %+v, %v", c, err)
	}
	for _, args := range []string{"--keep-sessions 90m", "--refund-window 30d", "--keep-deliveries 7d", "--keep-unpaid 35d", "--keep-unpaid off", "--client-rate off", "--store-rate 0", "--client-rate 2.5", "--connections off", "--disk-reserve 1"} {
		if _, err := parse(strings.Fields(args)...); err != nil {
			t.Errorf("%s: %v", args, err)
		}
	}
	for _, args := range []string{"--refund-window 0d", "--keep-deliveries 0d", "--keep-deliveries 12h", "--keep-unpaid 34d", "--keep-unpaid 0d", "--keep-unpaid never", "--refund-window 14", "--refund-window 9999d", "--keep-sessions 0", "--keep-sessions -1h", "--keep-sessions 2", "--keep-sessions 5s", "--client-rate -1",
		"--client-rate many", "--store-rate NaN", "--store-rate Inf", "--client-rate 5/s", "--connections -1", "--disk-reserve 0",
		"--disk-reserve 1GiB", "--trusted-proxies 10.0.0.1"} {
		name, _, _ := strings.Cut(args, " ")
		if _, err := parse(strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), name[1:]) {
			t.Errorf("%s: %v", args, err)
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
		s := declareServe("serve", "")
		s.main = server.StripeAccount{Key: c.env["CREPE_STRIPE_KEY"], WebhookSecret: c.env["CREPE_STRIPE_WEBHOOK_SECRET"]}
		s.test = server.StripeAccount{Key: c.env["CREPE_STRIPE_TEST_KEY"], WebhookSecret: c.env["CREPE_STRIPE_TEST_WEBHOOK_SECRET"]}
		err := s.complete()
		accounts := s.Stripe
		if (err == nil) != (c.want != nil) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, env := range c.want {
			if accounts[env].Key == "" {
				t.Errorf("%s: no account for %s", c.name, env)
			}
		}
	}
}

// TestDataFlag: the printed flag is what a shell reads as the directory.
func TestDataFlag(t *testing.T) {
	for data, want := range map[string]string{serveData: "", "/var/lib/crepe": " --data /var/lib/crepe", ".crepe": " --data .crepe",
		"my data": " --data 'my data'", "it's": ` --data 'it'\''s'`, "$(rm)": " --data '$(rm)'"} {
		if got := dataFlag(data); got != want {
			t.Errorf("%q: %s, want %s", data, got, want)
		}
	}
}
