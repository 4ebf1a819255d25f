package main

import (
	"io"
	"os"
	"path/filepath"
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
		c.RefundWindow != 14*24*time.Hour || c.ClientRate != 5 || c.StoreRate != 100 || c.TrustedProxies != nil {
		t.Errorf("the defaults are %+v, %v", c, err)
	}
	for _, args := range []string{"--keep-sessions 90m", "--refund-window 30d", "--client-rate off", "--store-rate 0", "--client-rate 2.5", "--connections off", "--disk-reserve 1"} {
		if _, err := parse(strings.Fields(args)...); err != nil {
			t.Errorf("%s: %v", args, err)
		}
	}
	for _, args := range []string{"--refund-window 0d", "--refund-window 14", "--refund-window 9999d", "--keep-sessions 0", "--keep-sessions -1h", "--keep-sessions 2", "--keep-sessions 5s", "--client-rate -1",
		"--client-rate many", "--store-rate NaN", "--store-rate Inf", "--client-rate 5/s", "--connections -1", "--disk-reserve 0",
		"--disk-reserve 1GiB", "--trusted-proxies 10.0.0.1"} {
		name, _, _ := strings.Cut(args, " ")
		if _, err := parse(strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), name[1:]) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// TestDashboardToken: the token comes from a file or the environment, and a short one is refused without showing it.
func TestDashboardToken(t *testing.T) {
	const long = "0123456789abcdef0123456789abcdef"
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, c := range []struct{ name, file, variable, want string }{
		{"none", "", "", ""},
		{"a file", file(long + "\n"), "", long},
		{"a variable", "", long, long},
		{"both", file(long), long, "!both set"},
		{"a short file", file("hunter2"), "", "!7 characters"},
		{"a short variable", "", "hunter2", "!CREPE_DASHBOARD_TOKEN: the token has 7 characters"},
		{"no file", "/nowhere/token", "", "!no such file"},
	} {
		var config server.Config
		f := newFlags("serve", "")
		declareSettings(f, &config)
		err := parseFlags(f, []string{"--dashboard-token-file", c.file}, io.Discard)
		if err == nil {
			err = setToken(&config, func(string) string { return c.variable })
		}
		want, refused := strings.CutPrefix(c.want, "!")
		switch {
		case refused && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%s: %v", c.name, err)
		case !refused && (err != nil || config.DashboardToken != want):
			t.Errorf("%s: %q, %v", c.name, config.DashboardToken, err)
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
		accounts, err := stripeAccounts(func(name string) string { return c.env[name] })
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

func TestSMTPSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "smtp")
	const url = "smtp://u:s3cret@mail.example.com?from=a@b.example"
	if err := os.WriteFile(file, []byte(url+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file, variable string
		on             bool
		fails          string
	}{
		{"", "", false, ""},
		{file, "", true, ""},
		{"", url, true, ""},
		{file, url, false, "both set"},
		{"", "smtp://u:s3cret@mail.example.com", false, "CREPE_SMTP_URL: the URL has no sender"},
		{"missing", "", false, "no such file"},
	} {
		config := server.Config{}
		var err error
		if config.SMTP, err = readSMTP(c.file); err == nil {
			err = setSMTP(&config, func(string) string { return c.variable })
		}
		if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%+v: %v", c, err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error has the password: %v", err)
		}
		if err == nil && (config.SMTP != nil) != c.on {
			t.Errorf("%+v: %+v", c, config.SMTP)
		}
	}
}
