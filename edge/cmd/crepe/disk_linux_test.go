package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// disk is a small file system of a test's own.
type disk string

func mountDisk(t *testing.T, mebibytes int) disk {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mebibytes)); err != nil {
		t.Fatalf("a small disk cannot be mounted: %v; run the tests as root, or by: "+
			"unshare --user --map-root-user --mount go test ./...", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return disk(dir)
}

func (d disk) filler() string { return filepath.Join(string(d), "filler") }

// fill leaves so much of the disk free.
func (d disk) fill(t *testing.T, leave uint64) {
	t.Helper()
	var s syscall.Statfs_t
	f, err := os.OpenFile(d.filler(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		defer f.Close()
		err = syscall.Statfs(string(d), &s)
	}
	if err == nil {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil {
			err = syscall.Fallocate(int(f.Fd()), 0, 0, info.Size()+int64(s.Bavail*uint64(s.Bsize)-leave))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (d disk) empty(t *testing.T) {
	t.Helper()
	if err := os.Remove(d.filler()); err != nil {
		t.Fatal(err)
	}
}

// TestDiskFull: the binary on a disk that fills up refuses orders with 503 and Retry-After, goes on reading, goes on
// ordering when there is space, and has lost nothing of what it acknowledged. An order that is paid meanwhile becomes paid.
func TestDiskFull(t *testing.T) {
	d := mountDisk(t, 512)
	data, address := filepath.Join(string(d), "data"), freeAddress(t)
	running := start(t, data, address)
	s := &shop{server: &server{Config: Config{PublicURL: "http://" + address, Data: data}}, file: readDevFile(t, data)}
	var err error
	if s.merchant, err = newDemoMerchant(s.PublicURL, s.file.MerchantID, s.file.PrivateKey[checkout.Test]); err != nil {
		t.Fatal(err)
	}
	token, waiting := s.token(t, "user-2"), map[string]any{"checkoutSessionId": s.session(t, nil).SessionID,
		"buyerEmail": "ada@example.com", "billingDetail": map[string]any{"country": "DE", "isBusiness": false}}
	unpaid := s.createOrder(t, token, waiting).checkoutURL(t)
	c := newCustomers(t, s, 4, 60)
	defer c.stop()

	c.waitFor(t, "orders", &c.placed, 8)
	d.fill(t, 100<<20) // less than the reserve
	c.waitFor(t, "refusals", &c.refused, 8)
	if response, err := http.Get(running.url); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("the page of a session: %v, %v", response, err)
	}
	s.pay(t, unpaid)
	eventually(t, "an order is paid while new ones are refused", func() bool { return s.createOrder(t, token, waiting).status == 409 })
	c.waitFor(t, "refusals after the payment", &c.refused, 8)
	s.wantProbe(t, "/healthz", 200, "ok")
	s.wantProbe(t, "/readyz", 503, "not ready: the disk is full")
	d.empty(t)
	c.waitFor(t, "orders after the space came back", &c.placed, 8)
	s.wantProbe(t, "/readyz", 200, "ready")
	d.fill(t, 100<<20)
	c.waitFor(t, "refusals", &c.refused, 8)
	c.stop()
	running.kill()

	d.fill(t, 1<<20)
	if err := os.Remove(filepath.Join(data, ownDatabase, "BALLAST")); err != nil {
		t.Error(err)
	}
	d.fill(t, 1<<20) // no ballast either
	output, err := exec.Command(binary.path, "serve", "--data", data, "--listen", "127.0.0.1:0").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(output), "the disk is full") {
		t.Errorf("started on a full disk: %v: %s", err, output)
	}
	d.empty(t)
	t.Logf("%d orders acknowledged, %d refused", c.placed.Load(), c.refused.Load())
	audit(t, data, address, c.acks)
	keepFaultRows(t, "disk", "A full disk",
		"The binary on a small disk that somebody else fills up while clients order: orders are refused with 503 and Retry-After, and "+
			"placed again when there is space. Killed and started with nothing free, it says so and ends.",
		"fault\tacknowledged orders\trefused in time\tlost",
		fmt.Sprintf("disk full\t%d\t%d\t0", c.placed.Load(), c.refused.Load()))
}

// customers are clients that order from sessions of their own until they are stopped.
type customers struct {
	placed, refused atomic.Int64
	acks            []acknowledgement // complete once they have stopped
	told            chan acknowledgement
	quit            chan struct{}
	running         sync.WaitGroup
	once            sync.Once
}

func newCustomers(t *testing.T, s *shop, clients, sessions int) *customers {
	t.Helper()
	c := &customers{told: make(chan acknowledgement, 100_000), quit: make(chan struct{})}
	token := s.token(t, "user-1")
	for range clients {
		ids := make([]string, sessions)
		for i := range ids {
			ids[i] = s.session(t, nil).SessionID
		}
		c.running.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-c.quit:
					return
				default:
					c.order(t, s, token, acknowledgement{session: ids[i%len(ids)], country: []string{"DE", "FR", "JP"}[i/len(ids)%3]})
				}
			}
		})
	}
	return c
}

// order is one create-order, which ends in a URL or in a refusal to come back later.
func (c *customers) order(t *testing.T, s *shop, token string, a acknowledgement) {
	body := `{"checkoutSessionId":"` + a.session + `","buyerEmail":"ada@example.com",` +
		`"billingDetail":{"country":"` + a.country + `","isBusiness":false}}`
	request, err := http.NewRequest("POST", s.PublicURL+createOrderPath, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range bearer(token) {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
		return
	}
	var answer struct{ Data struct{ CheckoutURL string } }
	switch {
	case response.StatusCode == http.StatusOK && json.Unmarshal(text, &answer) == nil && answer.Data.CheckoutURL != "":
		a.url = answer.Data.CheckoutURL
		c.told <- a
		c.placed.Add(1)
	case response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "":
		c.refused.Add(1)
		time.Sleep(5 * time.Millisecond)
	default:
		t.Errorf("%s: %s", response.Status, text)
	}
}

func (c *customers) waitFor(t *testing.T, what string, counter *atomic.Int64, more int64) {
	t.Helper()
	before, deadline := counter.Load(), time.Now().Add(10*time.Minute)
	for counter.Load() < before+more {
		if time.Now().After(deadline) {
			t.Fatalf("no %s after ten minutes", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (c *customers) stop() {
	c.once.Do(func() {
		close(c.quit)
		c.running.Wait()
		close(c.told)
		for a := range c.told {
			c.acks = append(c.acks, a)
		}
	})
}

// TestStopsAfterDiskError: when the disk has refused a write the server answers 500, is not ready any more, ends, and says
// why.
func TestStopsAfterDiskError(t *testing.T) {
	c := Config{Listen: "127.0.0.1:0", Data: t.TempDir(), Sandbox: map[checkout.Environment]bool{checkout.Test: true}}
	listener, err := c.listen()
	if err != nil {
		t.Fatal(err)
	}
	server, err := newServer(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer server.close()
	file, err := server.demo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.serveOn(t.Context(), openFront(listener, server.handle, server.log)) }()
	s := &shop{server: server, file: file}
	if s.merchant, err = newDemoMerchant(s.PublicURL, file.MerchantID, file.PrivateKey[checkout.Test]); err != nil {
		t.Fatal(err)
	}
	token, session := s.token(t, "user-1"), s.session(t, nil)
	breakFile(t, filepath.Join(c.Data, ownDatabase, "HEAD"))
	reply := s.createOrder(t, token, map[string]any{"checkoutSessionId": session.SessionID, "buyerEmail": "ada@example.com",
		"billingDetail": map[string]any{"country": "DE", "isBusiness": false}})
	if reply.status != http.StatusInternalServerError {
		t.Errorf("%d %s", reply.status, reply.body)
	}
	select {
	case err := <-served:
		if err == nil || !strings.Contains(err.Error(), "no more writes after") {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(10 * time.Minute):
		t.Fatal("it serves on")
	}
	if server.ready() == nil {
		t.Error("it counts as ready")
	}
}

// breakFile makes every further write to a file that this process has open fail.
func breakFile(t *testing.T, name string) {
	t.Helper()
	if resolved, err := filepath.EvalSymlinks(name); err == nil {
		name = resolved
	}
	reader, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		fd, err := strconv.Atoi(filepath.Base(link))
		if target, _ := os.Readlink(link); err == nil && target == name && fd != int(reader.Fd()) {
			if err := syscall.Dup3(int(reader.Fd()), fd, syscall.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("%s is not open", name)
}
