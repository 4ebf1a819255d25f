package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/jackc/pgx/v5"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// vendure is a shop of Vendure with one product, peers/vendure.mjs.
type vendure struct {
	dir, address, database string
	server, worker         *exec.Cmd
	client                 *fasthttp.HostClient
	placed                 atomic.Int64
}

// startVendure installs Vendure and fills a database. restart starts it.
func startVendure(b *testing.B, database string) *vendure {
	b.Helper()
	v := &vendure{dir: npmInstall(b, "peers"), address: freeAddress(b), database: database}
	v.client = &fasthttp.HostClient{Addr: v.address, MaxConns: 64}
	populate := v.run(b, "populate")
	if err := populate.Wait(); err != nil {
		b.Fatalf("%v: %s", err, populate.Stdout)
	}
	return v
}

// run starts a command of vendure.mjs.
func (v *vendure) run(b *testing.B, command string) *exec.Cmd {
	b.Helper()
	node, _ := filepath.Glob(filepath.Join(v.dir, "node_modules/node-linux-*/bin/node"))
	if len(node) != 1 {
		b.Fatal("no Node for this machine in ", v.dir)
	}
	_, port, _ := strings.Cut(v.address, ":")
	c, out := exec.Command(node[0], "vendure.mjs", command), new(shoptest.Buffer)
	c.Dir, c.Stdout, c.Stderr = v.dir, out, out
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.Env = append(os.Environ(), "NODE_ENV=production", "VENDURE_DISABLE_TELEMETRY=true", "PORT="+port, "DATABASE="+v.database,
		fmt.Sprint("POOL=", *peerPool), "PASSWORD=not-the-default")
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c
}

// restart starts the server and the worker, again if they run, and returns the time until the server was ready.
func (v *vendure) restart(b *testing.B) time.Duration {
	b.Helper()
	if v.server != nil {
		for _, process := range v.processes() {
			process.Kill()
		}
		v.server.Wait()
		v.worker.Wait()
	}
	began := time.Now()
	v.server = v.run(b, "server")
	shoptest.Eventually(b, "Vendure is ready", func() bool {
		response, err := http.Get("http://" + v.address + "/health")
		if err == nil {
			response.Body.Close()
		}
		return err == nil && response.StatusCode == 200
	})
	took := time.Since(began)
	v.worker = v.run(b, "worker")
	return took
}

func (v *vendure) processes() []*os.Process { return []*os.Process{v.server.Process, v.worker.Process} }

func (v *vendure) suspend(b *testing.B) { v.signal(b, syscall.SIGSTOP) }

// resume also leaves connections that Node closes at once, because they were idle for its five seconds.
func (v *vendure) resume(b *testing.B, _ int) {
	v.client.CloseIdleConnections()
	v.signal(b, syscall.SIGCONT)
}

func (v *vendure) signal(b *testing.B, signal os.Signal) {
	b.Helper()
	for _, process := range v.processes() {
		if err := process.Signal(signal); err != nil {
			b.Fatal(err)
		}
	}
}

// vendureSteps are the mutations of an order by a guest. Each answers with the order or an error; the last one tells its state.
var vendureSteps = []string{
	`addItemToOrder(productVariantId: "1", quantity: 1) { __typename }`,
	`setCustomerForOrder(input: {firstName: "Ada", lastName: "Byron", emailAddress: $email}) { __typename }`,
	`setOrderShippingAddress(input: {streetLine1: "Street 1", city: "Berlin", postalCode: "10115", countryCode: "DE"}) { __typename }`,
	`setOrderShippingMethod(shippingMethodId: ["1"]) { __typename }`,
	`transitionOrderToState(state: "ArrangingPayment") { __typename }`,
	`addPaymentToOrder(input: {method: "dummy", metadata: {}}) { __typename ... on Order { state } }`,
}

func (v *vendure) sixRequests(int) error { return v.place(vendureSteps) }

func (v *vendure) oneRequest(int) error { return v.place([]string{strings.Join(vendureSteps, "\n")}) }

// place sends the requests of one order of a new customer.
func (v *vendure) place(steps []string) error {
	email := fmt.Sprintf("ada-%d@example.com", v.placed.Add(1))
	header := map[string]string{}
	for i, step := range steps {
		query := "mutation { " + step + " }"
		if strings.Contains(step, "$email") {
			query = "mutation ($email: String!) { " + step + " }"
		}
		body, _ := json.Marshal(map[string]any{"query": query, "variables": map[string]string{"email": email}})
		answer, err := send(v.client, "http://"+v.address+"/shop-api", "application/json", body, header, 200)
		if err != nil {
			return err
		}
		if token := answer.Header.Peek("vendure-auth-token"); len(token) > 0 {
			header["Authorization"] = "Bearer " + string(token)
		}
		if i == len(steps)-1 && !bytes.Contains(answer.Body(), []byte(`"state":"PaymentSettled"`)) {
			return fmt.Errorf("not paid: %s", answer.Body())
		}
	}
	return nil
}

// check compares the paid orders and settled payments of the database with the orders that were placed.
func (v *vendure) check(b *testing.B) {
	b.Helper()
	connection, err := pgx.Connect(b.Context(), v.database)
	if err != nil {
		b.Fatal(err)
	}
	defer connection.Close(b.Context())
	for _, sql := range []string{`SELECT count(*) FROM "order" WHERE state = 'PaymentSettled'`,
		`SELECT count(*) FROM payment WHERE state = 'Settled' AND amount = 3451`, // 29.00 and 19 %
	} {
		var n int64
		if err := connection.QueryRow(b.Context(), sql).Scan(&n); err != nil || n != v.placed.Load() {
			b.Errorf("%d of %d orders, %v: %s", n, v.placed.Load(), err, sql)
		}
	}
}

// installed counts Vendure's packages and returns their megabytes, and those of Node.
func installed(b *testing.B, dir string) (packages int, size, node float64) {
	b.Helper()
	var locked struct{ Packages map[string]any }
	if err := json.Unmarshal([]byte(read(b, filepath.Join(dir, "node_modules/.package-lock.json"))), &locked); err != nil {
		b.Fatal(err)
	}
	err := filepath.WalkDir(filepath.Join(dir, "node_modules"), func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil || !entry.Type().IsRegular():
		case !strings.Contains(path, "node_modules/node-linux-"):
			size += fileSize(b, path)
		case entry.Name() == "node":
			node = fileSize(b, path)
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return len(locked.Packages) - 1, size, node // Node is one of them
}

// fileSize is in megabytes.
func fileSize(b *testing.B, path string) float64 {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size()) / 1e6
}
