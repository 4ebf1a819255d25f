package e2e

import (
	"bytes"
	"crypto/rand"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/shoptest"
	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"
)

// The size of a run of BenchmarkLoopback: enough for a p99, within a minute.
const (
	loopbackOrders = 6000 // for each number of clients
	loopbackFloor  = 30_000
	syncFor        = 2 * time.Second
)

// BenchmarkLoopback measures create-order over HTTP on the loopback: the binary with its durable database in one process, a provider
// that answers at once in another one, and the clients in this process on the same cores. The CPU time is that of the first. The same run measures
// the references: a server that sends the same bytes without work, the handler without a commit (the same order again), and synced
// appends to the disk. The ratios of the table can be compared between machines, the times cannot.
func BenchmarkLoopback(b *testing.B) {
	syncs, synced := syncRate(b)
	bare := startBare(b)
	crepe, sessions := startSeeded(b, 3*loopbackOrders+1, startInstant(b))
	token := crepe.token(b)

	floor := bare.drive(b, load{clients: 64, requests: loopbackFloor, body: func(int) string { return shoptest.OrderBody(sessions[0]) }, token: token})
	crepe.drive(b, load{clients: 1, requests: 1, body: func(int) string { return shoptest.OrderBody(sessions[0]) }, token: token})
	again := crepe.drive(b, load{clients: 64, requests: loopbackFloor, body: func(int) string { return shoptest.OrderBody(sessions[0]) }, token: token})

	table := new(strings.Builder)
	rows := tabwriter.NewWriter(table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(rows, "\tclients\trequests/s\tp50 ms\tp99 ms\tserver CPU µs\trate / fdatasync\tCPU / bare\t")
	row := func(name string, clients int, r measured) {
		fmt.Fprintf(rows, "%s\t%d\t%.0f\t%.2f\t%.2f\t%.0f\t%.2f\t%.2f\t\n", name, clients, r.rate, r.p50, r.p99, r.cpu, r.rate/syncs, r.cpu/floor.cpu)
	}
	row("the same bytes without work", 64, floor)
	row("the same order again, no commit", 64, again)
	for i, clients := range []int{1, 8, 64} {
		fresh := sessions[1+i*loopbackOrders:]
		r := crepe.drive(b, load{clients: clients, requests: loopbackOrders, body: func(i int) string { return shoptest.OrderBody(fresh[i]) }, token: token})
		row("create-order, durable", clients, r)
		b.ReportMetric(r.cpu/floor.cpu, fmt.Sprintf("bare-CPU@%d", clients))
		switch clients {
		case 1:
			b.ReportMetric(r.p50/synced, "fdatasync@1-p50")
		case 64:
			b.ReportMetric(r.p99, "ms@64-p99")
		}
	}
	rows.Flush()
	b.ReportMetric(again.cpu/floor.cpu, "bare-CPU@again")
	b.Logf("fdatasync of an appended 4 KiB: %.0f/s, p50 %.2f ms\n%s", syncs, synced, table)
}

var memoryOrders = flag.Int("memory-orders", 200_000, "how many orders BenchmarkMemory creates")

// BenchmarkMemory measures the memory of the binary when it has started, and after so many orders that caches and memtables have reached
// their size; the disk blocks that an order takes, and the bytes that the disk writes for it, whoever writes them; and the CPU time of the
// last tenth of the orders in proportion to that of the first.
func BenchmarkMemory(b *testing.B) {
	orders := *memoryOrders
	crepe, sessions := startSeeded(b, orders, startProvider(b))
	token := crepe.token(b)
	b.ReportMetric(crepe.resident(b, "VmRSS"), "MB-idle")
	before, wrote, began := stored(b, crepe.data), written(b, crepe.data), time.Now()
	var first, last measured
	for tenth := range slices.Chunk(sessions[:orders], max(1, orders/10)) {
		last = crepe.drive(b, load{clients: 64, requests: len(tenth), body: func(i int) string { return shoptest.OrderBody(tenth[i]) }, token: token})
		if first.cpu == 0 {
			first = last
		}
	}
	b.ReportMetric(float64(orders)/time.Since(began).Seconds(), "orders/s")
	b.ReportMetric(last.cpu/first.cpu, "CPU-last/first-tenth")
	b.ReportMetric(crepe.resident(b, "VmRSS"), "MB-resident")
	b.ReportMetric(crepe.resident(b, "RssAnon"), "MB-anonymous")
	b.ReportMetric(crepe.resident(b, "VmHWM"), "MB-peak")
	b.ReportMetric((stored(b, crepe.data)-before)/float64(orders), "disk-B/order")
	b.ReportMetric((written(b, crepe.data)-wrote)/float64(orders), "written-B/order")
}

// written returns how many bytes the disk of a directory has written, 0 where that is no disk. The figures of a process would count a
// mapped page each time it becomes dirty.
func written(b *testing.B, dir string) float64 {
	b.Helper()
	var stat syscall.Stat_t
	if err := syscall.Stat(dir, &stat); err != nil {
		b.Fatal(err)
	}
	text, err := os.ReadFile(fmt.Sprintf("/sys/dev/block/%d:%d/stat", unix.Major(stat.Dev), unix.Minor(stat.Dev)))
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 7 {
		return 0
	}
	sectors, err := strconv.ParseFloat(fields[6], 64)
	if err != nil {
		b.Fatal(err)
	}
	return sectors * 512
}

// stored returns the bytes of the disk blocks that the server's database has.
func stored(b *testing.B, data string) (bytes float64) {
	b.Helper()
	files, err := os.ReadDir(filepath.Join(data, ownDatabase))
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil { // a file that is removed meanwhile has none
			bytes += float64(info.Sys().(*syscall.Stat_t).Blocks * 512)
		}
	}
	return bytes
}

// syncRate returns how many sequential appends of 4 KiB the disk syncs in a second, and the median time of one in milliseconds.
func syncRate(b *testing.B) (rate, p50 float64) {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "sync"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	var times []time.Duration
	for began := time.Now(); time.Since(began) < syncFor; {
		before := time.Now()
		if _, err := f.Write(block); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(before))
	}
	slices.Sort(times)
	return float64(len(times)) / syncFor.Seconds(), times[len(times)/2].Seconds() * 1000
}

// target is a server in another process.
type target struct {
	process *os.Process
	address string
	data    string
	shop    *demo.File
}

func startBare(b *testing.B) *target {
	b.Helper()
	address := freeAddress(b)
	return startSelf(b, address, bareAddress+"="+address)
}

// startInstant runs the provider of which [serveInstant] tells, and returns its URL.
func startInstant(b *testing.B) string {
	b.Helper()
	address := freeAddress(b)
	startSelf(b, address, instantProvider+"="+address+" "+startProvider(b))
	return "http://" + address
}

// startSelf runs this test program as a server.
func startSelf(b *testing.B, address, variable string) *target {
	b.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), variable)
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Process.Kill(); c.Wait() })
	shoptest.Eventually(b, variable+" listens", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return &target{process: c.Process, address: address}
}

// startSeeded runs crepe serve with the demo merchant, n checkout sessions and a provider.
func startSeeded(b *testing.B, n int, provider string) (*target, []string) {
	b.Helper()
	t, sessions := seed(b, n)
	server := exec.Command(binary.path, "serve", "--data", t.data, "--listen", t.address, "--stripe-test-url", provider)
	t.run(b, server, "/readyz")
	return t, sessions
}

// seed makes a data directory with the demo merchant and n checkout sessions, for a server that is to be run.
func seed(b *testing.B, n int) (*target, []string) {
	b.Helper()
	t := &target{data: b.TempDir(), address: freeAddress(b)}
	db, err := badgerstore.Open(filepath.Join(t.data, ownDatabase), badgerstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	made, err := catalog.NewDemo(time.Now(), rand.Reader)
	if err == nil {
		err = db.Put(b.Context(), made.Change())
	}
	if err != nil {
		b.Fatal(err)
	}
	t.shop = &demo.File{MerchantID: made.Merchant.ID, PrivateKey: made.PrivateKeys, StoreID: made.Store.ID}
	provider := stripe.New(stripe.Config{Key: loopbackAccount.Key, WebhookSecret: loopbackAccount.WebhookSecret})
	first, err := sessions.New(sessions.Config{Store: db, Catalog: db, PublicURL: "http://" + t.address, Now: time.Now, Rand: rand.Reader,
		Providers: map[checkout.Environment]psp.Provider{checkout.Test: provider}}).Create(b.Context(),
		sessions.Seller{Environment: checkout.Test, MerchantID: made.Merchant.ID}, &sessions.Request{ProductID: made.Products[0].ID, Currency: "EUR"})
	if err != nil {
		b.Fatal(err)
	}
	return t, shoptest.CopySessions(b, db, first, n)
}

// startProvider runs crepe sandbox and returns its URL.
func startProvider(b *testing.B) string {
	b.Helper()
	t := &target{data: b.TempDir(), address: freeAddress(b)}
	provider := exec.Command(binary.path, "sandbox", "--data", t.data, "--listen", t.address)
	provider.Env = []string{} // it has no rate limits that could be off
	t.run(b, provider, "/healthz")
	return "http://" + t.address
}

// run runs the server until the end of the benchmark, and waits until a path answers 200.
func (t *target) run(b *testing.B, server *exec.Cmd, ready string) {
	b.Helper()
	server.Env, server.Stderr = append(server.Environ(), "CREPE_STRIPE_TEST_KEY="+loopbackAccount.Key, "CREPE_STRIPE_TEST_WEBHOOK_SECRET="+loopbackAccount.WebhookSecret), os.Stderr
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { server.Process.Kill(); server.Wait() })
	t.process = server.Process
	shoptest.Eventually(b, "the server serves", func() bool { return answers("http://" + t.address + ready) })
}

// token returns the token of all requests.
func (t *target) token(b *testing.B) func(int) string {
	b.Helper()
	token := shoptest.New(b, "http://"+t.address, t.shop).Token(b, "bench")
	return func(int) string { return token }
}

// cpu returns the process's CPU time, user and system, in microseconds.
func (t *target) cpu(b *testing.B) float64 {
	b.Helper()
	stat := readStat(b, t.process.Pid)
	if stat == nil {
		b.Fatal("the server has ended")
	}
	return float64((stat[utime] + stat[stime]) * tick)
}

// Fields of /proc/PID/stat (proc(5)), counted from the parent's id.
const (
	ppid       = 0
	utime      = 10
	stime      = 11
	cutime     = 12 // of children that have ended
	cstime     = 13
	tick   int = 10_000 // microseconds: USER_HZ is 100 wherever Linux has a proc
)

// readStat returns the fields of a process's stat from the parent's id on; nil if the process has ended.
func readStat(b testing.TB, pid int) (fields []int) {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	for _, text := range strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))[1:15] { // after name and state
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		fields = append(fields, n)
	}
	return fields
}

// resident reads one of the process's memory figures (proc(5), status), in megabytes.
func (t *target) resident(b testing.TB, name string) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", t.process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, line, found := strings.Cut(string(status), name+":")
	var kilobytes float64
	if _, err := fmt.Sscan(line, &kilobytes); err != nil || !found {
		b.Fatalf("no %s: %v", name, err)
	}
	return kilobytes / 1000
}

// load is what drive sends.
type load struct {
	clients, requests int
	body              func(i int) string
	token             func(i int) string
}

// measured is the result: requests a second, latencies in milliseconds, the server's CPU time for a request in microseconds.
type measured struct{ rate, p50, p99, cpu float64 }

// drive sends the requests. Each client sends the next one after the response.
func (t *target) drive(b *testing.B, l load) measured {
	b.Helper()
	client := &fasthttp.HostClient{Addr: t.address, MaxConns: l.clients}
	defer client.CloseIdleConnections()
	latency := make([]time.Duration, l.requests)
	var next atomic.Int64
	var all sync.WaitGroup
	before, began := t.cpu(b), time.Now()
	for range l.clients {
		all.Go(func() {
			req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			req.SetRequestURI("http://" + t.address + shoptest.CreateOrderPath)
			req.Header.SetMethod("POST")
			req.Header.SetContentType("application/json")
			req.Header.Set("X-Environment", "test")
			for i := int(next.Add(1)) - 1; i < l.requests; i = int(next.Add(1)) - 1 {
				req.Header.Set("Authorization", "Bearer "+l.token(i))
				req.SetBodyString(l.body(i))
				sent := time.Now()
				if err := client.Do(req, resp); err != nil || resp.StatusCode() != 200 {
					b.Errorf("%v, %d %s", err, resp.StatusCode(), resp.Body())
					return
				}
				latency[i] = time.Since(sent)
			}
		})
	}
	all.Wait()
	took, cpu := time.Since(began), t.cpu(b)-before
	if b.Failed() {
		b.FailNow()
	}
	slices.Sort(latency)
	milli := func(q int) float64 { return float64(latency[len(latency)*q/100].Microseconds()) / 1000 }
	n := float64(l.requests)
	return measured{n / took.Seconds(), milli(50), milli(99), cpu / n}
}
