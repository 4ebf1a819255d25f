package e2e

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/pgtest"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

var (
	scaleStored = flag.String("scale-stored", "10000,100000", "at how many stored orders BenchmarkScale measures; 1000000 takes minutes more")
	scaleOrders = flag.Int("scale-orders", 3000, "how many orders BenchmarkScale creates for each number of clients")
	scaleURL    = flag.String("scale-parameters", "", "parameters of the database's URL in BenchmarkScale, such as default_query_exec_mode=cache_statement")
)

// BenchmarkScale measures create-order over HTTP on the loopback with the records in PostgreSQL. The binary with the sandbox provider,
// the database and the clients share the cores. The same run measures the references: commits of one row of the size of an order's
// record, by pgbench on the same server, and the binary with its embedded database. CPU time and commits are the database's own, so
// that their ratios can be compared between machines.
func BenchmarkScale(b *testing.B) {
	cluster, err := pgtest.Start()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			b.Error(err)
		}
	})
	db := openDatabase(b, cluster)
	url := cluster.URL() + "?" + *scaleURL
	if _, err := pgstore.Migrate(b.Context(), url); err != nil {
		b.Fatal(err)
	}
	clients := []int{1, 8, 64}
	embedded := startScaled(b, "", *scaleOrders*len(clients))
	shared := startScaled(b, url, *scaleOrders*len(clients))

	floor := make(map[int]usage)
	table := newTable("\tclients\tcommits/s or orders/s\tp50 ms\tp99 ms\tserver CPU µs\tdatabase CPU µs\tCPU / commit\twrites\ttransactions\t")
	for i, n := range clients {
		fresh := i * *scaleOrders
		r := embedded.create(b, n, fresh, *scaleOrders)
		table.row("create-order, Badger", n, fmt.Sprintf("%.0f", r.rate), r.p50, r.p99, r.cpu)
		var created measured
		cost := db.cost(b, *scaleOrders, func() { created = shared.create(b, n, fresh, *scaleOrders) })
		floor[n] = db.bench(b, n, 4**scaleOrders) // they are short
		table.row("one row, pgbench", n, fmt.Sprintf("%.0f", floor[n].rate), "", "", "", floor[n].cpu, "", floor[n].writes, floor[n].transactions)
		table.row("create-order, PostgreSQL", n, fmt.Sprintf("%.0f", created.rate), created.p50, created.p99, created.cpu, cost.cpu, cost.cpu/floor[n].cpu,
			cost.writes, cost.transactions)
		b.ReportMetric(cost.cpu/floor[n].cpu, fmt.Sprintf("CPU/commit@%d", n))
		b.ReportMetric(created.rate/r.rate, fmt.Sprintf("Badger@%d", n))
	}
	b.Logf("a record has %d bytes\n%s", len(db.record(b)), table)
	shared.grow(b, db, url)
}

// grow measures an order, reads and a start at several numbers of stored orders.
func (s *scaledShop) grow(b *testing.B, db *database, url string) {
	b.Helper()
	table := newTable("stored orders\tfilled in s\tdatabase CPU µs/order\tserver CPU µs/order\tp50 ms\twrites\tfirst 20 ms\tcount ms\tcount again ms\tstart ms\tMB\t")
	scope := fmt.Sprintf("storeId: %q", s.storeID)
	first := 0.0
	for _, text := range strings.Split(*scaleStored, ",") {
		stored, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		db.fill(b, stored)
		filled := time.Since(began)
		started := s.restart(b)
		from := s.copySessions(b, *scaleOrders)
		s.create(b, 8, from, *scaleOrders/4) // connections and caches
		var r measured
		cost := db.cost(b, *scaleOrders*3/4, func() { r = s.create(b, 8, from+*scaleOrders/4, *scaleOrders*3/4) })
		_, page := s.ask(b, `{onetimeOrders(`+scope+`, limit: 20){id status buyerEmail priceSnapshot{currency total} product{name} payments{id status} createdAt}}`)
		count, again := s.ask(b, `{onetimeOrdersCount(`+scope+`)}`)
		table.row(stored, fmt.Sprintf("%.0f", filled.Seconds()), cost.cpu, r.cpu, r.p50, cost.writes, page, count, again, float64(started.Milliseconds()),
			db.number(b, "SELECT pg_database_size(current_database()) / 1000000"))
		first = cmp.Or(first, cost.cpu)
		b.ReportMetric(cost.cpu/first, fmt.Sprintf("CPU@%d", stored))
	}
	b.Log("\n" + table.String())
}

// scaledShop is a server with a store, a product and unsold sessions.
type scaledShop struct {
	*target
	url                string // of the database, "" for the embedded one
	server             *exec.Cmd
	merchant           *demo.Client
	storeID, productID string
	sessions, tokens   []string
}

// startScaled runs crepe serve with n sessions and a buyer's token for each.
func startScaled(b *testing.B, url string, n int) *scaledShop {
	b.Helper()
	s := &scaledShop{url: url, target: &target{data: b.TempDir(), address: freeAddress(b)}}
	s.restart(b)
	made := makeMerchant(b, s.data, "Bench")
	key := makeKey(b, s.data, made.Merchant.ID, checkout.Test)
	s.merchant = signer(b, "http://"+s.address, made.Merchant.ID, key.PrivateKey)
	s.storeID = operateJSON[admin.Store](b, "store", "create", "--name", "Bench", "--seller-country", "DE", "--data", s.data).ID
	var product struct{ Product struct{ ID string } }
	if err := s.merchant.Call("/v1/actions/onetime-product/create-product", map[string]any{"storeId": s.storeID, "name": "Notebook",
		"prices": map[string]any{"EUR": map[string]any{"amount": "29.00", "taxCategory": "saas"}}}, &product); err != nil {
		b.Fatal(err)
	}
	s.productID = product.Product.ID
	s.copySessions(b, n)
	return s
}

// restart starts the server, again if it runs, and returns the time until it was ready.
func (s *scaledShop) restart(b *testing.B) time.Duration {
	b.Helper()
	s.stop()
	args := []string{"serve", "--sandbox", "--data", s.data, "--listen", s.address}
	if s.url != "" {
		args = append(args, "--store", s.url)
	}
	began := time.Now()
	s.server, _ = launch(b, args...)
	s.process = s.server.Process
	waitReady(b, s.address)
	return time.Since(began)
}

func (s *scaledShop) stop() {
	if s.server != nil {
		s.server.Process.Kill()
		s.server.Wait()
	}
}

// copySessions stores n more sessions and issues a token for each. It returns the index of the first.
func (s *scaledShop) copySessions(b *testing.B, n int) (from int) {
	b.Helper()
	made, err := s.merchant.CreateSession(s.productID, "")
	if err != nil {
		b.Fatal(err)
	}
	s.tokens = append(s.tokens, make([]string, n)...)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := len(s.sessions) + worker; i < len(s.tokens); i += 8 {
				if s.tokens[i], err = s.merchant.IssueToken(s.storeID); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	if s.url == "" {
		s.stop() // one process owns the database
		defer s.restart(b)
	}
	store := s.open(b)
	defer store.Close()
	session, err := store.Session(b.Context(), made.SessionID)
	if err != nil {
		b.Fatal(err)
	}
	from = len(s.sessions)
	s.sessions = append(s.sessions, shoptest.CopySessions(b, store, session, n)...)
	return from
}

func (s *scaledShop) open(b *testing.B) record.Store {
	b.Helper()
	var store record.Store
	var err error
	if s.url != "" {
		store, err = pgstore.Open(b.Context(), s.url, pgstore.Options{Timeout: time.Minute})
	} else {
		store, err = badgerstore.Open(filepath.Join(s.data, ownDatabase), badgerstore.Options{})
	}
	if err != nil {
		b.Fatal(err)
	}
	return store
}

// create orders from n sessions, the first of them at an index.
func (s *scaledShop) create(b *testing.B, clients, from, n int) measured {
	b.Helper()
	return s.drive(b, load{clients: clients, requests: n, token: func(i int) string { return s.tokens[from+i] },
		body: func(i int) string { return shoptest.OrderBody(s.sessions[from+i]) }})
}

// ask returns the time of a query the first time, and the median of repetitions, in milliseconds. It is signed once: a client's work is
// not measured.
func (s *scaledShop) ask(b *testing.B, query string) (first, median float64) {
	b.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		b.Fatal(err)
	}
	header, err := s.merchant.Sign("/v1/graphql", body)
	if err != nil {
		b.Fatal(err)
	}
	took := make([]time.Duration, 21)
	for i := range took {
		began := time.Now()
		answer, err := demo.Post("http://"+s.address+"/v1/graphql", body, header)
		if took[i] = time.Since(began); err != nil || strings.Contains(string(answer), `"errors"`) {
			b.Fatalf("%v: %s", err, answer)
		}
	}
	milli := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	first = milli(took[0])
	slices.Sort(took)
	return first, milli(took[len(took)/2])
}

// resultTable is a table of numbers.
type resultTable struct {
	text strings.Builder
	*tabwriter.Writer
}

func newTable(header string) *resultTable {
	t := new(resultTable)
	t.Writer = tabwriter.NewWriter(&t.text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, header)
	return t
}

func (t *resultTable) row(cells ...any) {
	for _, cell := range cells {
		if number, ok := cell.(float64); ok {
			cell = strconv.FormatFloat(number, 'f', 2, 64)
		}
		fmt.Fprint(t, cell, "\t")
	}
	fmt.Fprintln(t)
}

func (t *resultTable) String() string {
	t.Flush()
	return t.text.String()
}

// benchRate is the line of pgbench with the transactions a second.
var benchRate = regexp.MustCompile(`tps = ([0-9.]+) `)

// bench lets pgbench insert n rows of the size of an order's record, each by a transaction of one prepared statement.
func (d *database) bench(b *testing.B, clients, n int) (u usage) {
	b.Helper()
	d.exec(b, "CREATE TABLE IF NOT EXISTS floor (id bigint PRIMARY KEY, record json NOT NULL)")
	script := filepath.Join(b.TempDir(), "script")
	if err := os.WriteFile(script, []byte("\\set id random(1, 9000000000000000000)\nINSERT INTO floor (id, record) VALUES (:id, :record);\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	var rate float64
	u = d.cost(b, n, func() {
		c := exec.Command("pgbench", "--host", "127.0.0.1", "--port", strconv.Itoa(d.cluster.Port), "--username", "crepe", "--no-vacuum", "--protocol", "prepared",
			"--client", strconv.Itoa(clients), "--transactions", strconv.Itoa(n/clients), "--file", script, "--define", "record="+d.record(b), "postgres")
		output, err := c.CombinedOutput()
		m := benchRate.FindSubmatch(output)
		if err != nil || m == nil {
			b.Fatalf("pgbench: %v: %s", err, output)
		}
		rate, _ = strconv.ParseFloat(string(m[1]), 64)
	})
	u.rate = rate
	return u
}
