package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/certificate/certtest"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// snippet reads a proxy's configuration from edge/README.md.
func snippet(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "<!-- proxy "+name+" -->\n```\n")
	configuration, _, closed := strings.Cut(rest, "```\n")
	if !found || !closed {
		t.Fatalf("edge/README.md has no configuration of %s", name)
	}
	return configuration
}

// substitute replaces texts that must occur.
func substitute(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the configuration does not have %q:\n%s", pairs[i], text)
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// TestProxies runs the proxies with the configurations of edge/README.md; only addresses and certificates differ. The page behind them is
// that of the release, and the server limits each of their clients by its own address, whatever that claims.
func TestProxies(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T, server, listen string, p *certtest.Pair){"caddy": startCaddy, "nginx": startNginx} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pair, data := certtest.New(t), initialise(t)
			demo := stock(t, data, makeMerchant(t, data, "Acme").Merchant.ID, 1)[0]
			server, listen := freeAddress(t), freeAddress(t)
			_, port, _ := net.SplitHostPort(listen)
			public := "https://localhost:" + port
			link := public + "/store/" + demo.Store.Slug + "/product/" + demo.Products[0].ID + "?test=true&currency=EUR"
			serve := []string{"serve", "--sandbox", "--data", data, "--listen", server, "--public-url", public, "--trusted-proxies", "127.0.0.1/32", "--client-rate", "0.2"}
			crepe, _ := launch(t, serve...)
			waitReady(t, server)
			start(t, server, listen, pair)
			client := clientFrom(pair, "127.0.0.1")
			shoptest.Eventually(t, "the proxy serves", func() bool { return statusAt(client, public+"/readyz") == 200 })

			verify := exec.Command(binary.path, "verify-page", "--quiet", link)
			verify.Env = append(os.Environ(), "SSL_CERT_FILE="+pair.Authority)
			if output, err := verify.CombinedOutput(); err != nil || len(output) > 0 {
				t.Errorf("the page behind the proxy differs: %v\n%s", err, output)
			}
			limited := func(address string) bool {
				client := clientFrom(pair, address)
				for range 20 {
					if statusAt(client, link) == http.StatusServiceUnavailable {
						return true
					}
				}
				return false
			}
			if !limited("127.0.0.2") {
				t.Error("a client that claims other addresses is not limited")
			}
			if statusAt(clientFrom(pair, "127.0.0.3"), link) != http.StatusSeeOther {
				t.Error("all clients share one limit")
			}
			if name == "caddy" {
				waitsForServer(t, client, public, crepe, serve)
			}
		})
	}
}

// waitsForServer sends a request while no server runs: the proxy answers it when the next one does.
func waitsForServer(t *testing.T, client *http.Client, public string, crepe *exec.Cmd, serve []string) {
	t.Helper()
	if err := crepe.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := crepe.Wait(); err != nil {
		t.Fatal(err)
	}
	answer := make(chan int, 1)
	go func() { answer <- statusAt(client, public+"/healthz") }()
	time.Sleep(300 * time.Millisecond)
	launch(t, serve...)
	if status := <-answer; status != http.StatusOK {
		t.Errorf("a request during a restart is answered %d", status)
	}
}

// clientFrom is a client at a loopback address that claims another address with each request.
func clientFrom(p *certtest.Pair, address string) *http.Client {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Client{
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.Pool}, DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return dialer.DialContext(ctx, "tcp4", address)
			}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}
}

// statusAt is the status of a GET that claims a new client address; 0 if it gets no answer.
func statusAt(client *http.Client, url string) int {
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return 0
	}
	request.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", time.Now().UnixNano()%250))
	answer, err := client.Do(request)
	if err != nil {
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

func startCaddy(t *testing.T, server, listen string, p *certtest.Pair) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "Caddyfile")
	_, port, _ := net.SplitHostPort(listen)
	text := "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + substitute(t, snippet(t, "caddy"), "pay.example.com {",
		"https://localhost:"+port+" {\n\tbind 127.0.0.1\n\ttls "+p.Cert+" "+p.Key, "127.0.0.1:8787", server)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := exec.Command("caddy", "run", "--adapter", "caddyfile", "--config", file)
	proxy.Env = append(os.Environ(), "HOME="+t.TempDir())
	runService(t, proxy)
}

func startNginx(t *testing.T, server, listen string, p *certtest.Pair) {
	t.Helper()
	dir := t.TempDir()
	site := substitute(t, snippet(t, "nginx"), "listen 443 ssl", "listen "+listen+" ssl", "pay.example.com;", "localhost;",
		"/etc/letsencrypt/live/pay.example.com/fullchain.pem", p.Cert, "/etc/letsencrypt/live/pay.example.com/privkey.pem", p.Key, "127.0.0.1:8787", server)
	text := "daemon off;\nmaster_process off;\npid " + dir + "/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		text += kind + "_temp_path " + dir + "/" + kind + ";\n"
	}
	if os.Geteuid() == 0 {
		text = "user root;\n" + text // reads the files of the test
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(text+site+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runService(t, exec.Command("nginx", "-c", file, "-p", dir, "-e", "stderr"))
}
