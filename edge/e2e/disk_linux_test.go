package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/shoptest"
	"github.com/goccy/go-json"
)

// disk is a small file system for one test.
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

// fill fills the disk until the given number of bytes is free.
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

// TestDiskFull: on a full disk the binary refuses orders with 503 and Retry-After and still reads; when there is space it accepts
// orders again. It loses no acknowledged order, and an order that is paid meanwhile is completed.
func TestDiskFull(t *testing.T) {
	d := mountDisk(t, 512)
	data, address := filepath.Join(string(d), "data"), freeAddress(t)
	running := start(t, data, address)
	s := shopOn(t, data)
	token, waiting := s.Token(t, "user-2"), shoptest.OrderFor(s.Session(t, nil).SessionID)
	unpaid := s.CreateOrder(t, token, waiting).CheckoutURL(t)
	c := newCustomers(t, s, 4, 60)
	defer c.stop()

	c.waitFor(t, "orders", &c.placed, 8)
	d.fill(t, 100<<20) // less than the reserve
	c.waitFor(t, "refusals", &c.refused, 8)
	if response, err := http.Get(running.url); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("the page of a session: %v, %v", response, err)
	}
	s.Pay(t, unpaid)
	shoptest.Eventually(t, "an order is paid while new ones are refused", func() bool { return s.CreateOrder(t, token, waiting).Status == 409 })
	c.waitFor(t, "refusals after the payment", &c.refused, 8)
	wantProbe(t, s, "/healthz", 200, "ok")
	wantProbe(t, s, "/readyz", 503, "not ready: the disk is full")
	d.empty(t)
	c.waitFor(t, "orders after the space came back", &c.placed, 8)
	wantProbe(t, s, "/readyz", 200, "ready")
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
	audit(t, data, c.acks)
	keepFaultRows(t, "disk", "A full disk",
		"The binary runs on a small disk that another process fills while clients order. Orders are refused with 503 and Retry-After, "+
			"and accepted again when there is space. Started on a full disk, it reports that and ends.",
		"fault\tacknowledged orders\trefused\tlost",
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

func newCustomers(t *testing.T, s *shoptest.Shop, clients, sessions int) *customers {
	t.Helper()
	c := &customers{told: make(chan acknowledgement, 100_000), quit: make(chan struct{})}
	token := s.Token(t, "user-1")
	for range clients {
		ids := make([]string, sessions)
		for i := range ids {
			ids[i] = s.Session(t, nil).SessionID
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

// order calls create-order, which must return a URL or 503 with Retry-After.
func (c *customers) order(t *testing.T, s *shoptest.Shop, token string, a acknowledgement) {
	request, err := http.NewRequest("POST", s.URL+shoptest.CreateOrderPath, strings.NewReader(shoptest.OrderBodyTo(a.session, a.country)))
	if err != nil {
		t.Error(err)
		return
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range shoptest.Bearer(token) {
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
