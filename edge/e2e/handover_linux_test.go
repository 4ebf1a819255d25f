package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/certificate/certtest"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

var handovers = flag.Int("handovers", 5, "how often TestHandover replaces the server")

// TestHandover replaces a server under load again and again as "systemctl restart" does with crepe.socket: SIGTERM, wait for the end, start
// the next one with the same listening socket. No request fails, neither on connections that are kept nor on new ones, and every order
// that was acknowledged is there at the end.
func TestHandover(t *testing.T) {
	t.Parallel()
	t.Run("embedded database, TLS", func(t *testing.T) {
		t.Parallel()
		data, pair := initialise(t), certtest.New(t)
		demo := stock(t, data, makeMerchant(t, data, "Acme").Merchant.ID, 1)[0]
		h := newHandover(t, pair.Pool, "--data", data, "--tls-cert", pair.Cert, "--tls-key", pair.Key)
		h.link = "/store/" + demo.Store.Slug + "/product/" + demo.Products[0].ID + "?test=true&currency=EUR"
		h.replaceUnderLoad(*handovers)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		data := t.TempDir()
		h := newHandover(t, nil, "--data", data, "--store", startPostgres(t).Schema(t, "store", migrated))
		shop := sell(t, data, h.address)
		h.link = "/store/" + shop.File.StoreSlug + "/product/" + shop.File.Products[0].ID + "?test=true&currency=EUR"
		h.replaceUnderLoad(max(2, *handovers/2))
	})
}

// handover is a server whose listening socket the test owns.
type handover struct {
	*testing.T
	address, url string
	link         string // opens a session
	socket       *os.File
	args         []string
	process      *exec.Cmd
	log          shoptest.Buffer
	client       *http.Client
}

// newHandover starts a server with a socket of the test; with a pool it serves TLS.
func newHandover(t *testing.T, pool *x509.CertPool, args ...string) *handover {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	h := &handover{T: t, address: listener.Addr().String(), args: append([]string{"serve", "--sandbox"}, args...)}
	h.url = "http://" + h.address
	if pool != nil {
		h.url = "https://" + h.address
	}
	if h.socket, err = listener.(*net.TCPListener).File(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.socket.Close() })
	h.client = h.newClient(pool, false)
	h.start()
	t.Cleanup(func() {
		h.process.Process.Kill()
		h.process.Wait()
		if t.Failed() {
			t.Log(&h.log)
		}
	})
	return h
}

func (h *handover) newClient(pool *x509.CertPool, fresh bool) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: fresh, MaxIdleConnsPerHost: 8},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}
}

// start starts a server as systemd does: the socket is file descriptor 3, and the variables name the process.
func (h *handover) start() {
	h.Helper()
	h.process = exec.Command("sh", append([]string{"-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`, binary.path}, h.args...)...)
	h.process.ExtraFiles = []*os.File{h.socket}
	h.process.Stdout, h.process.Stderr = &h.log, &h.log
	if err := h.process.Start(); err != nil {
		h.Fatal(err)
	}
}

// replace ends the server and starts the next. It returns how long there was none.
func (h *handover) replace() time.Duration {
	h.Helper()
	if err := h.process.Process.Signal(syscall.SIGTERM); err != nil {
		h.Fatal(err)
	}
	if err := h.process.Wait(); err != nil {
		h.Fatalf("the old server: %v", err)
	}
	ended := time.Now()
	h.start()
	h.get(h.client, "/readyz") // waits in the backlog
	return time.Since(ended)
}

// replaceUnderLoad replaces the server n times while clients order.
func (h *handover) replaceUnderLoad(n int) {
	h.Helper()
	h.get(h.client, "/readyz")
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var mutex sync.Mutex
	var acks []acknowledgement
	for i := range 4 {
		transport := h.client.Transport.(*http.Transport)
		client := h.newClient(transport.TLSClientConfig.RootCAs, i%2 == 0)
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				a := h.order(client)
				if a.url == "" {
					return // has failed
				}
				mutex.Lock()
				acks = append(acks, a)
				mutex.Unlock()
			}
		})
	}
	var pauses []time.Duration
	for range n {
		time.Sleep(300 * time.Millisecond)
		pauses = append(pauses, h.replace().Round(time.Millisecond))
	}
	time.Sleep(300 * time.Millisecond)
	close(stop)
	clients.Wait()
	h.Logf("%d hand-overs, %d orders, a start took %v", n, len(acks), pauses)
	if len(acks) < 2*n {
		h.Errorf("only %d orders: the test no longer tests", len(acks))
	}
	for _, a := range acks {
		if again := h.createOrder(h.client, a.session); again != a.url {
			h.Fatalf("the order of %s has the URL %q, acknowledged was %q", a.session, again, a.url)
		}
	}
}

// order opens a session by the link, loads its page and creates the order. It fails the test at the first request that fails.
func (h *handover) order(client *http.Client) (a acknowledgement) {
	location, _ := h.get(client, h.link)
	page, err := url.Parse(location)
	if err != nil || location == "" {
		h.Errorf("the link leads to %q: %v", location, err)
		return a
	}
	h.get(client, page.Path)
	a.session = path.Base(page.Path)
	a.url = h.createOrder(client, a.session)
	return a
}

func (h *handover) createOrder(client *http.Client, session string) string {
	slug, _, _ := strings.Cut(strings.TrimPrefix(h.link, "/store/"), "/")
	visitor := map[string]string{"X-Store-Slug": slug, "X-Environment": "test"}
	var issued struct {
		Data struct{ Token, CheckoutURL string }
	}
	h.post(client, "/v1/actions/auth/issue-shopper-token", `{"checkoutSessionId":"`+session+`"}`, visitor, &issued)
	h.post(client, shoptest.CreateOrderPath, shoptest.OrderBody(session), shoptest.Bearer(issued.Data.Token), &issued)
	return issued.Data.CheckoutURL
}

func (h *handover) get(client *http.Client, target string) (location, body string) {
	request, err := http.NewRequest("GET", h.url+target, nil)
	if err != nil {
		h.Error(err)
		return "", ""
	}
	return h.send(client, request)
}

func (h *handover) post(client *http.Client, target, body string, header map[string]string, answer any) {
	request, err := http.NewRequest("POST", h.url+target, strings.NewReader(body))
	if err != nil {
		h.Error(err)
		return
	}
	request.GetBody = nil // so that the client does not send it again by itself
	request.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	_, text := h.send(client, request)
	if err := json.Unmarshal([]byte(text), answer); err != nil {
		h.Errorf("%s: %v: %s", target, err, text)
	}
}

// send fails the test unless the answer is a 200 or a redirect.
func (h *handover) send(client *http.Client, request *http.Request) (location, body string) {
	began := time.Now()
	response, err := client.Do(request)
	if err != nil {
		h.Errorf("after %v: %v", time.Since(began), err)
		return "", ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK && response.StatusCode != http.StatusSeeOther {
		h.Errorf("%s %s: %s %v %s", request.Method, request.URL, response.Status, err, text)
	}
	return response.Header.Get("Location"), string(text)
}

// TestSocketActivation: crepe serve takes the socket that systemd's own tool passes, and refuses two.
func TestSocketActivation(t *testing.T) {
	t.Parallel()
	address, data := freeAddress(t), t.TempDir()
	runService(t, exec.Command("systemd-socket-activate", "--listen", address, binary.path, "serve", "--data", data, "--listen", "127.0.0.1:1"))
	waitReady(t, address)
	two := exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=2 exec "$0" serve --data "$1"`, binary.path, t.TempDir())
	if output, err := two.CombinedOutput(); err == nil || !strings.Contains(string(output), "2 sockets were passed, expected one") {
		t.Errorf("two sockets: %v: %s", err, output)
	}
	file := exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" serve --data "$1" 3</dev/null`, binary.path, t.TempDir())
	if output, err := file.CombinedOutput(); err == nil || !strings.Contains(string(output), "not a listening socket") {
		t.Errorf("a file: %v: %s", err, output)
	}
}
