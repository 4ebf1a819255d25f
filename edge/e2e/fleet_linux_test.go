package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/pgtest"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// The account that the servers of a fleet have at the sandbox. Neither text may come up in a log.
const (
	fleetKey    = "sk_test_fleet_4f9a1c"
	fleetSecret = "whsec_fleet_77d02e"
)

// patience is how long the balancer and the buyers wait for a server, which may be suspended.
const patience = 2 * time.Second

// fleet is some servers on one database behind a balancer, and the sandbox provider that they share.
type fleet struct {
	*testing.T
	database *pgtest.Cluster
	servers  []*member
	balancer *httptest.Server
	provider *wiretap
	sandbox  string // its data directory
	stop     func() // the sandbox
}

// member is a server of a fleet.
type member struct {
	*fleet
	address, data string
	log           shoptest.Buffer
	mu            sync.Mutex
	process       *exec.Cmd // nil while it does not run
}

// newFleet starts a database, a sandbox provider and, at the same moment, n servers. The database has tables and no row.
func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	database, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Stop(); err != nil {
			t.Error(err)
		}
	})
	if output, err := exec.Command(binary.path, "migrate", "up", "--store", database.URL()).CombinedOutput(); err != nil {
		t.Fatalf("crepe migrate up: %v\n%s", err, output)
	}
	f := &fleet{T: t, database: database, sandbox: t.TempDir()}
	for range n {
		f.servers = append(f.servers, &member{fleet: f, address: freeAddress(t), data: t.TempDir()})
	}
	f.balancer = httptest.NewServer(f.balance())
	t.Cleanup(f.balancer.Close)
	f.startSandbox()
	for _, m := range f.servers {
		m.start()
	}
	for _, m := range f.servers {
		m.awaitReady()
	}
	return f
}

// balance is a proxy that gives each request to the next server, whether it runs or not.
func (f *fleet) balance() http.Handler {
	var next atomic.Uint64
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			m := f.servers[next.Add(1)%uint64(len(f.servers))]
			r.SetURL(&url.URL{Scheme: "http", Host: m.address})
			r.Out.Host = r.In.Host
		},
		Transport:    &http.Transport{ResponseHeaderTimeout: patience, DisableKeepAlives: true},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
}

func (f *fleet) startSandbox() {
	address := freeAddress(f)
	var log shoptest.Buffer
	c := exec.Command(binary.path, "sandbox", "--data", f.sandbox, "--listen", address, "--webhook-url", f.balancer.URL)
	c.Env, c.Stderr = fleetAccount, &log
	if err := c.Start(); err != nil {
		f.Fatal(err)
	}
	f.stop = sync.OnceFunc(func() { c.Process.Signal(syscall.SIGTERM); c.Wait() })
	f.Cleanup(f.stop)
	f.await("http://"+address+"/healthz", &log)
	f.provider = newWiretap("http://" + address)
	f.Cleanup(f.provider.Close)
}

var fleetAccount = []string{"CREPE_STRIPE_TEST_KEY=" + fleetKey, "CREPE_STRIPE_TEST_WEBHOOK_SECRET=" + fleetSecret}

// command returns crepe serve as a server of the fleet runs it.
func (f *fleet) command(data, address string, more ...string) *exec.Cmd {
	c := exec.Command(binary.path, append([]string{"serve", "--store", f.database.URL(), "--data", data, "--listen", address,
		"--public-url", f.balancer.URL, "--stripe-test-url", f.provider.URL, "--private-webhooks"}, more...)...)
	c.Env = append(os.Environ(), fleetAccount...)
	return c
}

// open opens the records. The caller closes them.
func (f *fleet) open() *pgstore.DB {
	f.Helper()
	db, err := pgstore.Open(context.Background(), f.database.URL(), pgstore.Options{})
	if err != nil {
		f.Fatal(err)
	}
	return db
}

// addDemo adds a merchant with a store and two products, and returns its shop behind the balancer.
func (f *fleet) addDemo() *shoptest.Shop {
	f.Helper()
	made, err := catalog.NewDemo(time.Now(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	db := f.open()
	defer db.Close()
	if err := db.Put(context.Background(), made.Change()); err != nil {
		f.Fatal(err)
	}
	return shoptest.New(f, f.balancer.URL, &demo.File{MerchantID: made.Merchant.ID, PrivateKey: made.PrivateKeys, StoreID: made.Store.ID,
		StoreSlug: made.Store.Slug, Products: []demo.Product{{ID: made.Products[0].ID}, {ID: made.Products[1].ID}}})
}

// at returns the shop of one server.
func (m *member) at(t testing.TB, s *shoptest.Shop) *shoptest.Shop {
	return shoptest.New(t, "http://"+m.address, s.File)
}

func (m *member) start() {
	c := m.command(m.data, m.address)
	c.Stdout, c.Stderr = io.Discard, &m.log
	if err := c.Start(); err != nil {
		m.Fatal(err)
	}
	m.mu.Lock()
	m.process = c
	m.mu.Unlock()
	m.Cleanup(m.kill)
}

func (m *member) awaitReady() {
	m.Helper()
	m.await("http://"+m.address+"/readyz", &m.log)
}

// await waits until a URL of a process answers 200.
func (f *fleet) await(url string, log *shoptest.Buffer) {
	f.Helper()
	for end := time.Now().Add(time.Minute); !answers(url); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			f.Fatalf("%s does not answer 200:\n%s", url, log)
		}
	}
}

// answers reports whether a URL answers 200.
func answers(url string) bool {
	response, err := http.Get(url)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// kill ends the server by SIGKILL, also while it is suspended.
func (m *member) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process != nil {
		m.process.Process.Kill()
		m.process.Wait()
		m.process = nil
	}
}

// suspend stops the server for a time.
func (m *member) suspend(d time.Duration) {
	m.mu.Lock()
	process := m.process.Process
	m.mu.Unlock()
	process.Signal(syscall.SIGSTOP)
	time.Sleep(d)
	process.Signal(syscall.SIGCONT)
}

// holder returns the server with the lease of a task, nil if none has it.
func (f *fleet) holder(db *pgstore.DB, task string) *member {
	l, err := db.Lease(context.Background(), task)
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(f.servers, func(m *member) bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.process != nil && strings.Contains(l.Holder, fmt.Sprintf("/%d/", m.process.Process.Pid))
	})
	if i < 0 {
		return nil
	}
	return f.servers[i]
}

// wiretap is a proxy before the sandbox that keeps the distinct bodies under each idempotency key.
type wiretap struct {
	*httptest.Server
	mu     sync.Mutex
	bodies map[string][]string
}

func newWiretap(to string) *wiretap {
	w := &wiretap{bodies: make(map[string][]string)}
	target, _ := url.Parse(to)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 32}, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if key := r.Header.Get("Idempotency-Key"); key != "" {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return // the server was killed while it sent
			}
			w.keep(key, string(body))
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		proxy.ServeHTTP(rw, r)
	}))
	return w
}

func (w *wiretap) keep(key, body string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.bodies[key], body) {
		w.bodies[key] = append(w.bodies[key], body)
	}
}

// webhookPublicKey is the key that the fleet's webhooks of the test environment are verified with, as one server tells it.
func (m *member) webhookPublicKey() string {
	output, err := exec.Command(binary.path, "webhook", "key", "--env", string(checkout.Test), "--data", m.data).Output()
	if err != nil {
		m.Fatal(err)
	}
	return string(output)
}
