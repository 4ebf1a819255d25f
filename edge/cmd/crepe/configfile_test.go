package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/server"
)

// settingsOf parses flags with the settings of serve, a file and variables.
func settingsOf(t *testing.T, file, variables, flags string) (server.Config, origins, error) {
	t.Helper()
	config := filepath.Join(t.TempDir(), "crepe.toml")
	if err := os.WriteFile(config, []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	for pair := range strings.FieldsSeq(variables) {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	s := declareServe("serve", "")
	err := s.parse(append(strings.Fields(flags), "--config", config), io.Discard)
	return s.Config, s.origin, err
}

// TestPrecedence: a flag comes before a variable, a variable before the file, and the file before the default.
func TestPrecedence(t *testing.T) {
	for _, c := range []struct{ file, variables, flags, want, origin string }{
		{"", "", "", "127.0.0.1:8787", ""},
		{`listen = "file:1"`, "", "", "file:1", "crepe.toml:1"},
		{"# comment\n\nlisten = 'file:1'", "CREPE_LISTEN=", "", "file:1", "crepe.toml:3"},
		{`listen = "file:1"`, "CREPE_LISTEN=variable:1", "", "variable:1", "CREPE_LISTEN"},
		{`listen = "file:1"`, "CREPE_LISTEN=variable:1", "--listen flag:1", "flag:1", "flag"},
		{`listen = "file:1"`, "", "--listen 127.0.0.1:8787", "127.0.0.1:8787", "flag"},
		{`listen = "file:1"`, "", "--listen=", "", "flag"},
	} {
		t.Run("", func(t *testing.T) {
			got, origin, err := settingsOf(t, c.file, c.variables, c.flags)
			if err != nil || got.Listen != c.want || !strings.HasSuffix(origin["listen"], c.origin) || (origin["listen"] == "") != (c.origin == "") {
				t.Errorf("%+v: %q from %q, %v", c, got.Listen, origin["listen"], err)
			}
		})
	}
}

// TestConfigFile: numbers, lists and strings are read as they are natural in TOML.
func TestConfigFile(t *testing.T) {
	c, _, err := settingsOf(t, `
connections = 1_000
client-connections = "off"
client-rate = 2.5
store-rate = 20
drain-delay = "5s"
refund-window = "30d"
trusted-proxies = [
  "10.0.0.0/8",   # the balancer
  "192.168.0.0/16",
]
vies = true
"public-url" = """https://pay.example.com"""
`, "", "")
	if err != nil || c.Connections != 1000 || c.ClientConnections != 0 || c.ClientRate != 2.5 || c.StoreRate != 20 || c.DrainDelay.Seconds() != 5 ||
		c.RefundWindow.Hours() != 30*24 || len(c.TrustedProxies) != 2 || !c.VIES || c.PublicURL != "https://pay.example.com" {
		t.Errorf("%+v, %v", c, err)
	}
	if c, _, err := settingsOf(t, "\ufefflisten = 'a:1'\r\n", "", ""); err != nil || c.Listen != "a:1" {
		t.Errorf("%q, %v", c.Listen, err)
	}
	if c, _, err := settingsOf(t, `trusted-proxies = "10.0.0.0/8,192.168.0.0/16"`, "", ""); err != nil || len(c.TrustedProxies) != 2 {
		t.Errorf("%v, %v", c.TrustedProxies, err)
	}
}

// TestConfigFileRefusals: each refusal names the line, and what was most likely meant.
func TestConfigFileRefusals(t *testing.T) {
	for file, wants := range map[string][]string{
		"\npublic_url = 'https://pay.example.com'": {`crepe.toml:2: there is no setting "public_url"; did you mean public-url?`},
		"listen = 8787":                               {"crepe.toml:1: listen: expected a string, found a number"},
		"listen = ['a', 'b']":                         {"listen: expected a string, found a list"},
		"connections = true":                          {"connections: expected a number, found true or false"},
		"connections = 'many'":                        {"crepe.toml:1: connections: expected a number, or off"},
		"connections = -1":                            {"connections: expected a number, or off"},
		"client-rate = nan":                           {"client-rate: expected a number, or off"},
		"vies = 'true'":                               {"vies: expected true or false, found a string"},
		"vies = 1":                                    {"vies: expected true or false, found a number"},
		"drain-delay = 5":                             {"drain-delay: expected a string, found a number"},
		"drain-delay = 10:00:00":                      {"found a time; write it as a string"},
		"trusted-proxies = [1]":                       {"trusted-proxies: item 1 is not a string"},
		"trusted-proxies = ['10.0.0.0/8,11.0.0.0/8']": {"item 1 is not a string without a comma"},
		"[server]\nlisten = 'a:1'":                    {`crepe.toml:1: there is no setting "server"`},
		"listen.port = 1":                             {"crepe.toml:1: listen: expected a string, found a table"},
		"listen = 'a:1'\nlisten = 'b:1'":              {"crepe.toml:2:", "listen"},
		"listen = a":                                  {"crepe.toml:1:"},
		"listen = \"\xff\"":                           {"crepe.toml:1:"},
		"dashboard-token = 'hunter2'":                 {"crepe.toml:1: dashboard-token is a secret", "dashboard-token-file", "CREPE_DASHBOARD_TOKEN"},
		"dashboard-token-file = '/nowhere'":           {"crepe.toml:1: dashboard-token-file: open /nowhere: no such file"},
		"config = 'a'":                                {"crepe.toml:1: config cannot be set"},
		"data = ''":                                   {"--data names no directory"},
		"a = 1\nlisten = 2\nconnections = 'x'":        {"crepe.toml:1", "crepe.toml:2", "crepe.toml:3"},
	} {
		_, _, err := settingsOf(t, file, "", "")
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: %v, expected %q", file, err, want)
			}
		}
	}
	t.Setenv("CREPE_CONFIG", "/nowhere/crepe.toml")
	if err := declareServe("serve", "").parse(nil, io.Discard); err == nil || !strings.Contains(err.Error(), "/nowhere/crepe.toml: no such file") {
		t.Error(err)
	}
}
