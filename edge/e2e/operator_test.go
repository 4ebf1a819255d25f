package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// wantProbe waits until a probe has the wanted response.
func wantProbe(t *testing.T, s *shoptest.Shop, path string, status int, body string) {
	t.Helper()
	var got shoptest.Reply
	shoptest.Eventually(t, path+" answers "+body, func() bool {
		got = s.Get(t, path)
		return got.Status == status && strings.TrimSpace(got.Body) == body
	})
	if status == http.StatusServiceUnavailable && got.Header.Get("Retry-After") == "" {
		t.Errorf("%s: no Retry-After", path)
	}
}

// launch runs the binary until the test ends, and returns what it prints.
func launch(t testing.TB, args ...string) (*exec.Cmd, *shoptest.Buffer) {
	t.Helper()
	c, out := exec.Command(binary.path, args...), new(shoptest.Buffer)
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c, out
}

// TestDrainDelay: after SIGTERM the server is not ready but serves; a second signal ends it at once.
func TestDrainDelay(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	p := start(t, t.TempDir(), address, "--drain-delay", "1h")
	s := &shoptest.Shop{URL: "http://" + address}
	wantProbe(t, s, "/readyz", 200, "ready")
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wantProbe(t, s, "/readyz", 503, "not ready: draining")
	wantProbe(t, s, "/healthz", 200, "ok")
	if response, err := http.Get(p.url); err != nil || response.StatusCode != 200 {
		t.Errorf("the page while draining: %v, %v", response, err)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.Wait()
}

// TestUses: crepe serve refuses the directory of crepe dev and vice versa, and --fresh does not delete a directory of crepe serve.
func TestUses(t *testing.T) {
	t.Parallel()
	dev, production := t.TempDir(), t.TempDir()
	start(t, dev, freeAddress(t)).kill()
	refused(t, nil, "is a data directory of crepe dev", "serve", "--data", dev, "--listen", "127.0.0.1:0")
	if err := os.Remove(filepath.Join(dev, demo.FileName)); err != nil {
		t.Fatal(err)
	}
	refused(t, nil, "is a data directory of crepe dev", "serve", "--data", dev, "--listen", "127.0.0.1:0")

	address := freeAddress(t)
	crepe, _ := launch(t, "serve", "--data", production, "--listen", address)
	waitReady(t, address)
	crepe.Process.Kill()
	crepe.Wait()
	refused(t, nil, "is a data directory of crepe serve", "dev", "--data", production, "--listen", "127.0.0.1:0")
	refused(t, nil, "is a data directory of crepe serve", "dev", "--fresh", "--data", production, "--listen", "127.0.0.1:0")
	if _, err := os.Stat(filepath.Join(production, ownDatabase)); err != nil {
		t.Error(err)
	}
}

// waitReady waits until the server listens and is ready.
func waitReady(t testing.TB, address string) {
	t.Helper()
	shoptest.Eventually(t, "the server is ready", func() bool {
		response, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			response.Body.Close()
		}
		return err == nil && response.StatusCode == 200
	})
}

// refused runs the binary, which must fail with a text.
func refused(t *testing.T, env []string, want string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // a start that is not refused would serve for ever
	defer cancel()
	c := exec.CommandContext(ctx, binary.path, args...)
	c.Env = append(os.Environ(), env...)
	output, err := c.CombinedOutput()
	if err == nil || !strings.Contains(string(output), want) {
		t.Errorf("%v %v: %v: %s\nwant %s", env, args, err, output, want)
	}
}

// TestRefusedSettings: a setting that cannot work is named in the error.
func TestRefusedSettings(t *testing.T) {
	t.Parallel()
	serve := []string{"serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}
	for env, want := range map[string]string{
		"CREPE_STRIPE_WEBHOKS_SECRET=whsec_1": "crepe serve: there is no setting CREPE_STRIPE_WEBHOKS_SECRET; did you mean CREPE_STRIPE_WEBHOOK_SECRET?\n",
		"CREPE_PUBLIC_ULR=https://a.example":  "did you mean CREPE_PUBLIC_URL?",
		"CREPE_DRAIN_DELAY=soon":              `crepe serve: CREPE_DRAIN_DELAY="soon": parse error`,
		"CREPE_PUBLIC_URL=https://a.b/shop":   `"https://a.b/shop" has a path`,
		"CREPE_STRIPE_WEBHOOK_SECRET=whsec_1": "CREPE_STRIPE_WEBHOOK_SECRET is set and CREPE_STRIPE_KEY is not",
	} {
		refused(t, []string{env, "CREPE_SERVICE_HOST=10.0.0.1", "CREPE_PORT_80_TCP_ADDR=10.0.0.1"}, want, serve...)
	}
	refused(t, nil, "crepe serve: --data names no directory\n", "serve", "--data", "")
	refused(t, nil, "crepe dev: --data names no directory\n", "dev", "--fresh", "--data", "")
	refused(t, []string{"CREPE_SANDBOX=", "CREPE_DATA=" + t.TempDir(), "CREPE_LISTEN=nowhere"}, "address nowhere", "serve")
}

// TestMisuse: an error says what is wrong and how to get help, and --help lists the settings.
func TestMisuse(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"dev", "serve", "trigger", "quote", "taxid check", "version", "repair",
		"orders quarantine", "orders refund-due", "orders vat-checks", "report tax", "webhook list", "webhook deliveries", "refund list", "token-key list", "token-key rotate", "token-key revoke", "merchant create", "merchant list",
		"key create", "key list", "key rotate", "key revoke", "store create", "store list", "store set"} {
		args := strings.Fields(command)
		c := exec.Command(binary.path, append(args, "--foo")...)
		output, err := c.CombinedOutput()
		want := "crepe " + args[0] + ": flag provided but not defined: -foo\ncrepe " + command + " --help lists the settings\n"
		if err == nil || string(output) != want {
			t.Errorf("%s: %v: %q", command, err, output)
		}
		c = exec.Command(binary.path, append(args, "--help")...)
		help, err := c.Output()
		if err != nil || !bytes.HasPrefix(help, []byte("crepe "+args[0])) {
			t.Errorf("%s --help: %v: %s", command, err, help)
		}
		if command == "serve" {
			for _, name := range []string{"CREPE_STRIPE_KEY", "CREPE_STRIPE_WEBHOOK_SECRET", "CREPE_STRIPE_TEST_KEY", "CREPE_STRIPE_TEST_WEBHOOK_SECRET"} {
				if !bytes.Contains(help, []byte(name)) {
					t.Errorf("crepe serve --help does not name %s", name)
				}
			}
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	output, err := exec.Command(binary.path, "version").Output()
	want := regexp.MustCompile(`^crepe \S+\n(commit [0-9a-f]+ of .*\n)?go1\.\S+ \w+/\w+\ntax table ` + regexp.QuoteMeta(table.DataVersion) + `\npages [0-9a-f]{12}\n$`)
	if err != nil || !want.Match(output) {
		t.Errorf("%v: %s", err, output)
	}
}

// TestIndex: GET / of crepe dev links to a checkout and to the logs.
func TestIndex(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), freeAddress(t))
	base, _, _ := strings.Cut(p.url, "/store/")
	response, err := http.Get(base + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%v, %v", response.Status, err)
	}
	for _, link := range regexp.MustCompile(`href="(/[^"]*)"`).FindAllSubmatch(page, -1) {
		if linked, err := http.Get(base + string(link[1])); err != nil || linked.StatusCode != 200 {
			t.Errorf("%s: %v, %v", link[1], linked, err)
		}
	}
	for _, path := range []string{"/", "/demo/shop", "/demo/thank-you", "/sandbox/log", "/sandbox/style.css"} {
		if head, err := http.Head(base + path); err != nil || head.StatusCode != 200 || head.ContentLength < 1 {
			t.Errorf("HEAD %s: %v, %v", path, head, err)
		}
		other, err := http.Post(base+path, "text/plain", nil)
		if err != nil || other.StatusCode != 405 || other.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %v, %v", path, other, err)
		}
	}
	bought, err := http.Post(base+"/demo/buy", "application/x-www-form-urlencoded", nil)
	if err != nil || bought.StatusCode != 200 || !strings.Contains(bought.Request.URL.Path, "/checkout/cs_") {
		t.Errorf("the button leads to %v, %v", bought, err)
	}
	if !strings.Contains(string(page), "MER_") || !strings.Contains(string(page), demo.FileName) {
		t.Errorf("the index is %s", page)
	}
}

// TestEmptyDevFile: a dev.json that a crash has left empty is replaced, with a new merchant.
func TestEmptyDevFile(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	start(t, data, freeAddress(t)).kill()
	if err := os.WriteFile(filepath.Join(data, demo.FileName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, data, freeAddress(t))
	if file := readDevFile(t, data); file.PrivateKey[checkout.Test] == "" {
		t.Error("no private key")
	}
	if left, err := filepath.Glob(filepath.Join(data, demo.FileName+".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestSandboxAlone: crepe serve has the sandbox only with --sandbox.
func TestSandboxAlone(t *testing.T) {
	t.Parallel()
	for _, asked := range []bool{false, true} {
		data, args := t.TempDir(), []string{"serve", "--listen", freeAddress(t)}
		if asked {
			args = append(args, "--sandbox")
		}
		launch(t, append(args, "--data", data)...)
		waitReady(t, args[2])
		if _, err := os.Stat(filepath.Join(data, sandboxDatabase)); (err == nil) != asked {
			t.Errorf("asked %v: %v", asked, err)
		}
	}
}

// TestCredentialRefusals: requests with bad credentials are logged at a limited rate.
func TestCredentialRefusals(t *testing.T) {
	address, log := freeAddress(t), new(shoptest.Buffer)
	p := &program{Cmd: exec.Command(binary.path, "dev", "--data", t.TempDir(), "--listen", address)}
	p.Stderr = log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	shoptest.Eventually(t, "the server is ready", func() bool {
		answer, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil && answer.StatusCode == http.StatusOK
	})
	began := time.Now()
	s := &shoptest.Shop{URL: "http://" + address}
	for range 1000 {
		if r := s.Post(t, shoptest.CreateOrderPath, "{}", shoptest.Bearer("none")); r.Status != http.StatusUnauthorized {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
	}
	p.kill()
	most := 50 + 1*int(time.Since(began).Seconds()+1)
	if n := strings.Count(log.String(), "credential refused"); n < 50 || n > most {
		t.Errorf("%d of 1000 refusals are logged, %d at most should be", n, most)
	}
}
