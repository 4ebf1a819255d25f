package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestConfigPrint: each form of a setting as it is printed, with its origin, and no secret.
func TestConfigPrint(t *testing.T) {
	f := newFlags("serve", "")
	s := &serveSettings{flags: f, store: storeFlag(f)}
	f.Duration("a-duration", 5*time.Second, "how long")
	f.Bool("a-truth", false, "whether")
	parsed(f, new(int), "a-limit", "7", parseLimit[int], "a `number` or off")
	parsed(f, new(float64), "b-limit", "off", parseLimit[float64], "a `number` or off")
	parsed(f, new([]string), "origins", "", parseOrigins, "a `list`; default: none")
	secret(f, new(string), "a-secret", verbatim, "the secret")
	secret(f, new(string), "b-secret", verbatim, "the other secret")
	secret(f, new(string), "c-secret", verbatim, "the last secret")
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "crepe.toml")
	if err := os.WriteFile(config, []byte("a-truth = true\norigins = ['https://a.example', 'https://b.example']\nb-limit = 2.5\na-secret-file = '"+file+"'"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREPE_B_SECRET", "hunter2")
	t.Setenv("CREPE_STORE", "postgres://crepe:hunter2@db.example.com/crepe")
	t.Setenv("CREPE_CONFIG", config)
	var err error
	if s.origin, err = parseSettings(f, []string{"--a-limit", "off"}, io.Discard, s.store.check); err != nil {
		t.Fatal(err)
	}
	settings, err := s.effective()
	if err != nil {
		t.Fatal(err)
	}
	printed := new(bytes.Buffer)
	if err := printTOML(printed, settings); err != nil {
		t.Fatal(err)
	}
	got := strings.NewReplacer(config, "crepe.toml", file, "/etc/crepe/secret").Replace(printed.String())
	const golden = "testdata/config.toml"
	if *shoptest.Update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || got != string(want) {
		t.Errorf("%v, printed:\n%s", err, got)
	}
}

// TestConfigPrinted: what crepe config print prints is a file of the same settings.
func TestConfigPrinted(t *testing.T) {
	args := []string{"--public-url", "https://pay.example.com", "--store-rate", "off", "--connections", "10", "--trusted-proxies", "10.0.0.0/8,11.0.0.0/8", "--vies",
		"--drain-delay", "5s", "--data", `a "b" \ c`}
	read := func(args ...string) (string, *serveSettings) {
		s := declareServe("serve", "")
		if err := s.parse(args, io.Discard); err != nil {
			t.Fatal(err)
		}
		printed := new(bytes.Buffer)
		if err := configPrint(t.Context(), args, printed, io.Discard, nil); err != nil {
			t.Fatal(err)
		}
		return printed.String(), s
	}
	first, given := read(args...)
	file := filepath.Join(t.TempDir(), "crepe.toml")
	if err := os.WriteFile(file, []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	_, again := read("--config", file)
	for _, name := range settingNames(given.flags) {
		if a, b := given.flags.Lookup(name).Value.String(), again.flags.Lookup(name).Value.String(); a != b {
			t.Errorf("%s is %q in the file, was %q", name, b, a)
		}
	}
}

// TestConfigValidate: all faults are listed, from parsing to files and URLs.
func TestConfigValidate(t *testing.T) {
	t.Setenv("CREPE_STRIPE_KEY", "hunter2")
	t.Setenv("CREPE_STRIPE_TEST_WEBHOOK_SECRET", "whsec_1")
	t.Setenv("CREPE_CLIENT_RATE", "many")
	err := configValidate(t.Context(), strings.Fields("--listen nowhere --metrics-listen somewhere --tls-cert /nowhere.pem --public-url http://x/y --vies-url ftp://a --rates /nowhere --store http://a --data="), io.Discard, io.Discard, nil)
	for _, want := range []string{"--listen: address nowhere", "--metrics-listen: address somewhere", "--tls-cert and --tls-key", "has a path", "--vies-url", "open /nowhere", "--store: expected", "--data names no directory", "CREPE_CLIENT_RATE",
		"CREPE_STRIPE_WEBHOOK_SECRET is not set", "CREPE_STRIPE_TEST_KEY is not"} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

// TestStorePassword: the password of PostgreSQL is from a file or a variable of crepe, and no argument.
func TestStorePassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const bare, whole = "postgres://crepe@db/crepe", "postgres://crepe:hunter2@db/crepe"
	for _, c := range []struct{ args, variables, password, refused string }{
		{"--store " + bare, "", "", ""},
		{"--store " + bare + " --store-password-file " + file, "", "hunter2", ""},
		{"--store " + bare, "CREPE_STORE_PASSWORD=hunter2", "hunter2", ""},
		{"", "CREPE_STORE=" + bare + " CREPE_STORE_PASSWORD_FILE=" + file, "hunter2", ""},
		{"", "CREPE_STORE=" + whole, "", ""},
		{"", "CREPE_STORE=" + whole + " CREPE_STORE_PASSWORD=hunter2", "", "both have a password"},
		{"--store " + bare, "PGPASSWORD=hunter3 CREPE_STORE_PASSWORD=hunter2", "hunter3", "are both set"},
		{"--store " + whole, "", "", "lists of processes show the password"},
	} {
		t.Run("", func(t *testing.T) {
			t.Setenv(pgPassword, "")
			for pair := range strings.FieldsSeq(c.variables) {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv(name, value)
			}
			o := newOperation("merchant list", "", io.Discard, nil)
			_, err := o.parse(strings.Fields(c.args))
			if (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) || os.Getenv(pgPassword) != c.password {
				t.Errorf("%+v: %v", c, err)
			}
		})
	}
}
