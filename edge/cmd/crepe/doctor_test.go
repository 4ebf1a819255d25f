package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/server"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// The secrets of the tests. No output may have them.
const (
	doctorKey    = "sk_test_hunter2"
	doctorSecret = "whsec_hunter2"
)

// clinic is a sandbox and a server that uses it.
type clinic struct {
	sandbox, url, data string
	args               []string // of the doctor
	stopServer         func()
}

// freePort returns a free address.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// inBackground runs something until stop is called, at the latest at the end of the test.
func inBackground(t *testing.T, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stopped := false
	stop = func() {
		if cancel(); !stopped {
			stopped = true
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return stop
}

func openClinic(t *testing.T) *clinic {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	sandboxAddress, address := freePort(t), freePort(t)
	c := &clinic{sandbox: "http://" + sandboxAddress, url: "http://" + address, data: filepath.Join(t.TempDir(), "data")}
	config := server.SandboxConfig{Listen: sandboxAddress, Data: filepath.Join(t.TempDir(), "sandbox"), Key: doctorKey, WebhookSecret: doctorSecret,
		WebhookURL: c.url + stripeWebhooks + "test"}
	inBackground(t, func(ctx context.Context) error { return server.RunSandbox(ctx, config, quiet) })
	serve := server.Config{Listen: address, Data: c.data, StripeTestURL: c.sandbox, DiskReserve: 1 << 20,
		Stripe: map[checkout.Environment]server.StripeAccount{checkout.Test: {Key: doctorKey, WebhookSecret: doctorSecret}}}
	if err := os.Mkdir(c.data, 0o700); err != nil {
		t.Fatal(err)
	}
	c.stopServer = inBackground(t, func(ctx context.Context) error { return server.Run(ctx, serve, quiet) })
	c.args = []string{"--data", c.data, "--listen", address, "--stripe-test-url", c.sandbox, "--disk-reserve", "1"}
	t.Setenv("CREPE_STRIPE_TEST_KEY", doctorKey)
	t.Setenv("CREPE_STRIPE_TEST_WEBHOOK_SECRET", doctorSecret)
	shoptest.Eventually(t, "the server is ready", func() bool {
		answer, err := http.Get(c.url + "/readyz")
		return err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	})
	return c
}

// examine runs the doctor with more arguments.
func (c *clinic) examine(t *testing.T, more ...string) []finding {
	t.Helper()
	out := new(bytes.Buffer)
	err := runDoctor(t.Context(), append(append([]string{"--json"}, c.args...), more...), out, io.Discard, slog.New(slog.DiscardHandler))
	var report struct{ Checks []finding }
	if decoded := json.Unmarshal(out.Bytes(), &report); decoded != nil {
		t.Fatalf("%v, %v: %s", err, decoded, out)
	}
	failures := 0
	for _, f := range report.Checks {
		if f.Result == failed {
			failures++
		}
		if strings.Contains(f.Text+f.Do, "hunter2") {
			t.Errorf("a secret is printed: %+v", f)
		}
		if (f.Result == good) != (f.Do == "") {
			t.Errorf("what to do is missing, or there is nothing to do: %+v", f)
		}
	}
	if (failures > 0) != (err != nil) {
		t.Errorf("%d failures, and the error %v", failures, err)
	}
	return report.Checks
}

// wantFinding checks that there is a finding whose text has all words.
func wantFinding(t *testing.T, found []finding, check, result string, words ...string) {
	t.Helper()
	for _, f := range found {
		matches := f.Check == check && f.Result == result
		for _, word := range words {
			matches = matches && strings.Contains(f.Text, word)
		}
		if matches {
			return
		}
	}
	t.Errorf("no %s of %s with %q in %+v", result, check, words, found)
}

// TestDoctor: the doctor finds each fault of a real server with the real adapter, and none where there is none.
func TestDoctor(t *testing.T) {
	c := openClinic(t)
	t.Run("healthy", func(t *testing.T) {
		found := c.examine(t)
		for _, check := range []string{"settings", "database", "permissions", "disk", "open files", "provider", "webhooks", "clock", "public URL"} {
			wantFinding(t, found, check, good)
		}
		wantFinding(t, found, "merchants", warning, "no merchant")
		wantFinding(t, found, "backups", warning, "makes no backups")
		if len(found) != 12 {
			t.Errorf("%+v", found)
		}
	})
	t.Run("text", func(t *testing.T) {
		out := new(bytes.Buffer)
		if err := runDoctor(t.Context(), c.args, out, io.Discard, slog.New(slog.DiscardHandler)); err != nil || strings.Count(out.String(), "\n") != 12 ||
			!strings.Contains(out.String(), "\nok       public URL   "+c.url+" is answered by this deployment\n") {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("wrong key", func(t *testing.T) {
		t.Setenv("CREPE_STRIPE_TEST_KEY", "sk_test_hunter2x")
		wantFinding(t, c.examine(t), "provider", failed, "Stripe refuses the key")
	})
	t.Run("no key", func(t *testing.T) {
		t.Setenv("CREPE_STRIPE_TEST_KEY", "")
		wantFinding(t, c.examine(t), "settings", failed, "CREPE_STRIPE_TEST_KEY is not")
	})
	t.Run("provider gone", func(t *testing.T) {
		wantFinding(t, c.examine(t, "--stripe-test-url", "http://"+freePort(t)), "provider", failed, "does not list Checkout Sessions", "connection refused")
	})
	t.Run("another program", func(t *testing.T) {
		found := c.examine(t, "--public-url", c.sandbox)
		wantFinding(t, found, "public URL", failed, "answered by another program")
		wantFinding(t, found, "webhooks", failed, "Stripe has no endpoint "+c.sandbox+"/v1/webhooks/stripe/test")
		wantFinding(t, found, "settings", warning, "the server runs with the public URL "+c.url)
	})
	t.Run("another deployment", func(t *testing.T) {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Crepe-Proof", "00ff") }))
		defer other.Close()
		wantFinding(t, c.examine(t, "--public-url", other.URL), "public URL", failed, "another deployment")
	})
	t.Run("wrong URL", func(t *testing.T) {
		wantFinding(t, c.examine(t, "--public-url", "http://"+freePort(t)), "public URL", failed, "connection refused")
	})
	t.Run("redirect", func(t *testing.T) {
		other := httptest.NewServer(http.RedirectHandler("https://pay.example.com/", http.StatusMovedPermanently))
		defer other.Close()
		wantFinding(t, c.examine(t, "--public-url", other.URL), "public URL", failed, "redirects to https://pay.example.com/")
	})
	t.Run("wrong certificate", func(t *testing.T) {
		other := httptest.NewTLSServer(http.NotFoundHandler())
		other.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
		defer other.Close()
		wantFinding(t, c.examine(t, "--public-url", other.URL), "public URL", failed, "certificate")
	})
	t.Run("backups", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "backups")
		wantFinding(t, c.examine(t, "--backup-dir", dir), "backups", failed, "no directory")
		if err := backup(t.Context(), []string{dir, "--data", c.data}, io.Discard, io.Discard, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		wantFinding(t, c.examine(t, "--backup-dir", dir), "backups", good)
		time.Sleep(2100 * time.Millisecond)
		wantFinding(t, c.examine(t, "--backup-dir", dir, "--backup-every", "1s"), "backups", failed, "--backup-every is 1s")
	})
	t.Run("limits", func(t *testing.T) {
		wantFinding(t, c.examine(t, "--connections", "99999999"), "open files", failed, "the server may have")
	})
	t.Run("disk", func(t *testing.T) {
		wantFinding(t, c.examine(t, "--disk-reserve", "4000000000"), "disk", failed, "less than --disk-reserve")
	})
	t.Run("public secret", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(doctorKey), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("CREPE_STRIPE_TEST_KEY", "")
		t.Setenv("CREPE_STRIPE_TEST_KEY_FILE", file)
		wantFinding(t, c.examine(t), "provider", good)
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
		wantFinding(t, c.examine(t), "settings", failed, "other users can read or change "+file)
	})
	t.Run("public data", func(t *testing.T) {
		os.Chmod(c.data, 0o755)
		defer os.Chmod(c.data, 0o700)
		wantFinding(t, c.examine(t), "permissions", failed, "other users can read "+c.data)
	})
	t.Run("public configuration", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "crepe.toml")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		os.Chmod(file, 0o666)
		wantFinding(t, c.examine(t, "--config", file), "permissions", failed, "every user of this machine can change "+file)
	})
	t.Run("clock", func(t *testing.T) {
		late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(-10*time.Minute).UTC().Format(http.TimeFormat))
		}))
		defer late.Close()
		wantFinding(t, c.examine(t, "--stripe-test-url", late.URL), "clock", failed, "differs from the provider's by 10m")
	})
	t.Run("stopped", func(t *testing.T) { c.testStopped(t) })
}

// testStopped stops the server. The event that it misses shows what a wrong signing secret shows, too.
func (c *clinic) testStopped(t *testing.T) {
	c.stopServer()
	session := c.callSandbox(t, "/v1/checkout/sessions", url.Values{"mode": {"payment"}, "success_url": {"https://shop.example/thanks"},
		"line_items[0][quantity]": {"1"}, "line_items[0][price_data][currency]": {"eur"}, "line_items[0][price_data][unit_amount]": {"2900"},
		"line_items[0][price_data][product_data][name]": {"Handbook"}, "expires_at": {strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)}})
	c.callSandbox(t, "/v1/checkout/sessions/"+session+"/expire", nil)
	time.Sleep(beingSent + time.Second)
	found := c.examine(t)
	wantFinding(t, found, "database", good, "no server runs")
	wantFinding(t, found, "open files", good, "this shell")
	wantFinding(t, found, "public URL", warning, "no server runs here")
	wantFinding(t, found, "webhooks", warning, "1 or more events")
	wantFinding(t, c.examine(t, "--data", t.TempDir()), "database", warning, "there is none in")
}

// callSandbox makes a call of Stripe's API and returns the id of the object.
func (c *clinic) callSandbox(t *testing.T, path string, form url.Values) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, c.sandbox+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+doctorKey)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var object struct{ ID string }
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || json.Unmarshal(body, &object) != nil {
		t.Fatalf("%d, %v: %s", response.StatusCode, err, body)
	}
	return object.ID
}

// TestDoctorJudges: the bounds of the clock and of a certificate.
func TestDoctorJudges(t *testing.T) {
	for skew, want := range map[time.Duration]string{0: good, -5 * time.Second: good, 7 * time.Second: warning, -59 * time.Second: warning,
		time.Minute: failed, -time.Hour: failed} {
		var d doctor
		if d.judgeClock(skew); d.findings[0].Result != want {
			t.Errorf("%v: %+v", skew, d.findings)
		}
	}
	now := time.Now()
	for left, want := range map[time.Duration]string{90 * 24 * time.Hour: good, 20 * 24 * time.Hour: warning, 48 * time.Hour: failed, -time.Hour: failed} {
		var d doctor
		if d.judgeCertificate(now.Add(left), now); d.findings[0].Result != want {
			t.Errorf("%v: %+v", left, d.findings)
		}
	}
}
