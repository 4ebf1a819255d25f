package e2e

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// program is the binary, running `crepe dev`.
type program struct {
	*exec.Cmd
	url string // of the page it printed
}

var binary struct {
	path string
	err  error
}

// unlimited is the environment of the binary in tests, which send more requests from one address than a client may. Tests of the
// limits set them by flags.
var unlimited = map[string]string{"CREPE_CLIENT_RATE": "off", "CREPE_STORE_RATE": "off"}

// TestMain builds the binary.
func TestMain(m *testing.M) {
	serveBare(os.Getenv(bareAddress))
	serveInstant(os.Getenv(instantProvider))
	serveProfiled(os.Getenv(profiledServer))
	for name, value := range unlimited {
		os.Setenv(name, value)
	}
	dir, err := os.MkdirTemp("", "crepe")
	if err != nil {
		panic(err)
	}
	binary.path = filepath.Join(dir, "crepe")
	if output, err := exec.Command("go", "build", "-o", binary.path, "../cmd/crepe").CombinedOutput(); err != nil {
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

// kill ends the program by SIGKILL.
func (p *program) kill() {
	p.Process.Kill()
	p.Wait()
}

// freeAddress returns an address on which nothing listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// TestRestart: an acknowledged order, the demo merchant, the tokens and the sandbox's checkout survive a kill.
func TestRestart(t *testing.T) {
	data, address := t.TempDir(), freeAddress(t)
	first := start(t, data, address)
	s := shopOn(t, data)
	session, token := s.Session(t, nil), s.Token(t, "user-1")
	request := shoptest.OrderFor(session.SessionID)
	url := s.CreateOrder(t, token, request).CheckoutURL(t)
	first.kill()

	second := start(t, data, address)
	if second.url == first.url {
		t.Error("no new checkout session after the restart")
	}
	if again := readDevFile(t, data); again.MerchantID != s.File.MerchantID {
		t.Error("another demo merchant after the restart")
	}
	if again := s.CreateOrder(t, token, request).CheckoutURL(t); again != url {
		t.Errorf("%s before the restart, %s after it", url, again)
	}
	s.Pay(t, url)
	shoptest.Eventually(t, "the session is closed by the payment", func() bool { return s.CreateOrder(t, token, request).Status == 409 })
}

// TestFresh: --fresh starts over, and is refused while another crepe uses the directory.
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

func readDevFile(t testing.TB, data string) *demo.File {
	t.Helper()
	file, err := demo.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	if file.BaseURL == "" || len(file.PrivateKey) != 2 || len(file.Products) != 2 || file.Products[0].Type != checkout.OneTime ||
		file.Products[1].Type != checkout.Subscription || !strings.Contains(file.CheckoutURL, file.StoreSlug) {
		t.Errorf("dev.json holds %+v", file)
	}
	return file
}

// shopOn returns the demo shop of a running binary.
func shopOn(t testing.TB, data string) *shoptest.Shop {
	t.Helper()
	file := readDevFile(t, data)
	return shoptest.New(t, file.BaseURL, file)
}
