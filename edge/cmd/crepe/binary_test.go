package main

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// program is the real binary, running `crepe dev`.
type program struct {
	*exec.Cmd
	url string // of the page it printed
}

var binary struct {
	path string
	err  error
}

// unlimited is the environment of the binary in tests, which send from one address more than a client may. A test of the
// limits sets them by flags.
var unlimited = map[string]string{"CREPE_CLIENT_RATE": "off", "CREPE_STORE_RATE": "off"}

// TestMain builds the binary once: several tests run it.
func TestMain(m *testing.M) {
	if address := os.Getenv(bareAddress); address != "" {
		serveBare(address)
	}
	for name, value := range unlimited {
		os.Setenv(name, value)
	}
	dir, err := os.MkdirTemp("", "crepe")
	if err != nil {
		panic(err)
	}
	binary.path = filepath.Join(dir, "crepe")
	if output, err := exec.Command("go", "build", "-o", binary.path, ".").CombinedOutput(); err != nil {
		panic(string(output))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// start runs the binary until the test ends, and waits for the page's URL.
func start(t testing.TB, data, listen string, more ...string) *program {
	t.Helper()
	p := &program{Cmd: exec.Command(binary.path, append([]string{"dev", "--data", data, "--listen", listen}, more...)...)}
	p.Stderr = os.Stderr
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url := strings.TrimSpace(lines.Text()); strings.HasPrefix(url, "http://") && strings.Contains(url, "/checkout/") {
			p.url = url
			t.Logf("ready after %d ms", time.Since(began).Milliseconds())
			go func() {
				for lines.Scan() {
				}
			}()
			return p
		}
	}
	t.Fatal("crepe dev ended without printing a page's URL")
	return nil
}

// kill is a crash: no signal handler runs.
func (p *program) kill() {
	p.Process.Kill()
	p.Wait()
}

// freeAddress is an address that nobody listens on right now.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// TestRestart: what the binary has acknowledged survives its being killed, and so do the demo merchant, the tokens and the
// sandbox's checkout.
func TestRestart(t *testing.T) {
	data, address := t.TempDir(), freeAddress(t)
	first := start(t, data, address)
	s := &shop{server: &server{Config: Config{PublicURL: "http://" + address}}, file: readDevFile(t, data)}
	var err error
	if s.merchant, err = newDemoMerchant(s.PublicURL, s.file.MerchantID, s.file.PrivateKey[checkout.Test]); err != nil {
		t.Fatal(err)
	}
	session, token := s.session(t, nil), s.token(t, "user-1")
	request := map[string]any{"checkoutSessionId": session.SessionID, "buyerEmail": "ada@example.com",
		"billingDetail": map[string]any{"country": "DE", "isBusiness": false}}
	url := s.createOrder(t, token, request).checkoutURL(t)
	first.kill()

	second := start(t, data, address)
	if second.url == first.url {
		t.Error("no new checkout session after the restart")
	}
	if again := readDevFile(t, data); again.MerchantID != s.file.MerchantID {
		t.Error("another demo merchant after the restart")
	}
	if again := s.createOrder(t, token, request).checkoutURL(t); again != url {
		t.Errorf("%s before the restart, %s after it", url, again)
	}
	s.pay(t, url)
	eventually(t, "the session is closed by the payment", func() bool { return s.createOrder(t, token, request).status == 409 })
}

// TestFresh: --fresh starts over, and never under another crepe's feet.
func TestFresh(t *testing.T) {
	data := t.TempDir()
	first := start(t, data, freeAddress(t))
	merchant := readDevFile(t, data).MerchantID
	output, err := exec.Command(binary.path, "dev", "--data", data, "--listen", freeAddress(t), "--fresh").CombinedOutput()
	if err == nil || !strings.Contains(string(output), "is another crepe running on it?") {
		t.Fatalf("%v: %s", err, output)
	}
	if again := readDevFile(t, data); again.MerchantID != merchant {
		t.Fatal("the running demo lost its dev.json")
	}
	first.kill()
	start(t, data, freeAddress(t), "--fresh")
	if again := readDevFile(t, data); again.MerchantID == merchant {
		t.Error("the demo merchant is still the old one")
	}
}

func readDevFile(t testing.TB, data string) *devFile {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, "dev.json"))
	if err != nil {
		t.Fatal(err)
	}
	file := new(devFile)
	if err := json.Unmarshal(text, file); err != nil {
		t.Fatal(err)
	}
	if file.BaseURL == "" || len(file.PrivateKey) != 2 || len(file.Products) != 2 || file.Products[0].Type != checkout.OneTime ||
		file.Products[1].Type != checkout.Subscription || !strings.Contains(file.CheckoutURL, file.StoreSlug) {
		t.Errorf("dev.json holds %s", text)
	}
	return file
}
