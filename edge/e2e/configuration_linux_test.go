package e2e

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/lease"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// configured is a server on a shared database with a configuration of its own.
type configured struct {
	*testing.T
	process *exec.Cmd
	address string
	out     shoptest.Buffer
	ended   chan struct{}
}

// serveWith starts crepe serve with a key of Stripe and a public URL.
func serveWith(t *testing.T, store, key, publicURL string) *configured {
	t.Helper()
	c := &configured{T: t, address: freeAddress(t), ended: make(chan struct{})}
	c.process = exec.Command(binary.path, "serve", "--store", store, "--data", t.TempDir(), "--listen", c.address, "--public-url", publicURL,
		"--stripe-test-url", "http://127.0.0.1:1") // where nobody answers
	c.process.Env = append(os.Environ(), "CREPE_STRIPE_TEST_KEY="+key, "CREPE_STRIPE_TEST_WEBHOOK_SECRET=whsec_1")
	c.process.Stdout, c.process.Stderr = io.Discard, &c.out
	if err := c.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.process.Wait(); close(c.ended) }()
	t.Cleanup(func() { c.process.Process.Kill(); <-c.ended })
	return c
}

// ready reports whether the server takes requests.
func (c *configured) ready() bool { return answers("http://" + c.address + "/readyz") }

func (c *configured) awaitReady() {
	c.Helper()
	shoptest.Eventually(c, "the server is ready", func() bool { return c.hasEnded() || c.ready() })
	if c.hasEnded() {
		c.Fatalf("the server has ended:\n%s", &c.out)
	}
}

func (c *configured) hasEnded() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// awaitEnd waits until the server has ended by itself because of its configuration.
func (c *configured) awaitEnd() {
	c.Helper()
	select {
	case <-c.ended:
	case <-time.After(time.Minute):
		c.Fatalf("the server goes on:\n%s", &c.out)
	}
	if code := c.process.ProcessState.ExitCode(); code != 1 || !strings.Contains(c.out.String(), "another configuration") {
		c.Errorf("the server ended with status %d:\n%s", code, &c.out)
	}
}

const (
	oneKey, otherKey = "sk_test_one_5f0c", "sk_test_other_9b2d"
	oneURL, otherURL = "http://one.example", "http://other.example"
)

// TestConfiguration: a server starts beside another one with the same configuration, and is refused with the keys of another account of the
// provider. One that waits for the end of the others reacts to SIGTERM at once.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	store := startPostgres(t).Schema(t, "store", migrated)
	first := serveWith(t, store, oneKey, oneURL)
	first.awaitReady()
	other, waiting := serveWith(t, store, otherKey, oneURL), serveWith(t, store, oneKey, otherURL)
	serveWith(t, store, oneKey, oneURL).awaitReady()
	shoptest.Eventually(t, "a server waits", func() bool { return strings.Contains(waiting.out.String(), "waits for the end") })
	stopped := time.Now()
	if err := waiting.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-waiting.ended
	if took := time.Since(stopped); took >= lease.Every || waiting.process.ProcessState.ExitCode() != 0 {
		t.Errorf("SIGTERM ended the server after %v with status %d:\n%s", took, waiting.process.ProcessState.ExitCode(), &waiting.out)
	}
	other.awaitEnd()
	text := other.out.String()
	here, there := lineOf(text, "here: "), lineOf(text, "there: ")
	if here == there || !strings.Contains(here, "test account stripe key_") || !strings.Contains(there, "test account stripe key_") {
		t.Errorf("here %q, there %q", here, there)
	}
	if strings.Contains(text, oneKey) || strings.Contains(text, otherKey) {
		t.Errorf("the refusal has a key: %s", text)
	}
	if !first.ready() {
		t.Error("the first server has stopped")
	}
}

// lineOf is the rest of the line that begins with a text.
func lineOf(text, begin string) string {
	_, rest, _ := strings.Cut(text, "\n"+begin)
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

// TestConfigurationLost: one server is suspended and one is cut off from the database for longer than the lease of their configuration, and
// one with another configuration starts. From then on neither of the old ones serves any request, also none that came meanwhile; both end.
func TestConfigurationLost(t *testing.T) {
	t.Parallel()
	cluster := startPostgres(t)
	store, proxy := cluster.Schema(t, "store", migrated), cluster.Proxy(t)
	old := map[string]*configured{"suspended": serveWith(t, store, oneKey, oneURL), "cut off": serveWith(t, proxy.Through(store), oneKey, oneURL)}
	var lost, moved atomic.Int64 // when the old servers were lost, and when the new one was ready, in Unix milliseconds
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for name, server := range old {
		server.awaitReady()
		for range 4 {
			clients.Go(func() {
				for ctx.Err() == nil && !server.hasEnded() {
					sent := time.Now().UnixMilli()
					status := readStore(ctx, server.address)
					after := lost.Load() > 0 && sent > lost.Load() && moved.Load() > 0 // an answer of before may only be late
					if after && status != 0 && status != http.StatusServiceUnavailable {
						t.Errorf("the server that was %s answered %d", name, status)
					}
					time.Sleep(50 * time.Millisecond)
				}
			})
		}
	}
	if status := readStore(ctx, old["suspended"].address); status != http.StatusNotFound {
		t.Fatalf("a store that does not exist: %d; the test shows nothing", status)
	}
	resume := func() { old["suspended"].process.Process.Signal(syscall.SIGCONT) }
	t.Cleanup(resume)
	began := time.Now()
	if err := old["suspended"].process.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	heal := proxy.Stall(t)
	time.Sleep(100 * time.Millisecond) // until the signal has its effect
	lost.Store(time.Now().UnixMilli())
	next := serveWith(t, store, otherKey, otherURL)
	next.awaitReady()
	if waited := time.Since(began); waited < lease.Duration-lease.Every {
		t.Errorf("the new server started after %v", waited)
	}
	moved.Store(time.Now().UnixMilli())
	heal()
	resume()
	for _, server := range old {
		server.awaitEnd()
	}
	stop()
	clients.Wait()
	if !next.ready() {
		t.Errorf("the new server has stopped:\n%s", &next.out)
	}
}

// readStore asks a server for a page that depends on the database, and returns the status; 0 is no answer.
func readStore(ctx context.Context, address string) int {
	request, err := http.NewRequestWithContext(ctx, "GET", "http://"+address+"/store/none/product/none", nil)
	if err != nil {
		return 0
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}
