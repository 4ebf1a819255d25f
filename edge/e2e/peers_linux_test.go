package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/pgtest"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

var (
	peerRounds = flag.Int("peer-rounds", 0, "the rounds of BenchmarkPeers; 0 leaves it out")
	peerPool   = flag.Int("peer-pool", 20, "the connections of a Vendure process to PostgreSQL")
	peerNote   = flag.String("peer-note", "", "what else the machine did, for the table of BENCHMARKS.md")
)

// peerClients are the numbers of clients, and peerShare the part of a peer's orders that so many clients place in a round.
var (
	peerClients = []int{1, 8, 64}
	peerShare   = []float64{.1, .4, 1}
)

// BenchmarkPeers places orders with Vendure on PostgreSQL and with the binary, in alternating rounds. Vendure is suspended in the rounds
// of the others. The clients share the cores with the servers. It prints the tables of BENCHMARKS.md; -update writes them there.
func BenchmarkPeers(b *testing.B) {
	if *peerRounds == 0 {
		b.Skip("-peer-rounds is 0")
	}
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
	db.exec(b, "CREATE DATABASE vendure")
	if _, err := pgstore.Migrate(b.Context(), cluster.URL()); err != nil {
		b.Fatal(err)
	}
	v := startVendure(b, strings.TrimSuffix(cluster.URL(), "postgres")+"vendure")
	embedded, shared := startScaled(b, "", 0), startScaled(b, cluster.URL(), 0)
	programs := []*peerProgram{
		{name: "Vendure: server and worker", restart: v.restart, processes: v.processes},
		{name: "Crêpe", restart: embedded.restart, processes: embedded.processes, embedded: true},
		{name: "Crêpe on PostgreSQL", restart: shared.restart, processes: shared.processes},
	}
	for _, p := range programs {
		p.startup(b)
	}
	v.suspend(b) // it asks the database for jobs several times a second
	first, second := newBuyer(embedded), newBuyer(shared)
	rows := []*peerRow{
		{name: "Vendure, six requests, to the settled payment", program: programs[0], orders: 128, prepare: v.resume, place: v.sixRequests, finish: v.suspend},
		{name: "Vendure, the six mutations in one request", program: programs[0], orders: 128, prepare: v.resume, place: v.oneRequest, finish: v.suspend},
		{name: "Crêpe, session, token, order and payment, to the completed order", program: programs[1], orders: 1000, place: first.purchase, finish: first.settled},
		{name: "the same on PostgreSQL", program: programs[2], orders: 1000, place: second.purchase, finish: second.settled},
		{name: "Crêpe, create-order alone, to the payment's URL", program: programs[1], orders: 2000, prepare: first.open, place: first.orderOpened},
		{name: "the same on PostgreSQL", program: programs[2], orders: 2000, prepare: second.open, place: second.orderOpened},
	}
	for _, r := range rows {
		r.round(b, db, 8, r.orders) // warms up
	}
	for round := range *peerRounds {
		for i, clients := range peerClients {
			for _, r := range rows {
				cost := r.round(b, db, clients, int(float64(r.orders)*peerShare[i]))
				r.costs[i] = append(r.costs[i], cost)
				fmt.Fprintf(os.Stderr, "round %d, %d clients, %s: %+v\n", round, clients, r.name, cost)
			}
		}
	}
	v.check(b)
	tables := peerTables(b, rows, programs, v.dir)
	fmt.Print("\n", tables)
	if *shoptest.Update {
		writePeers(b, tables)
	}
}

// peerProgram is one or more processes that are started together.
type peerProgram struct {
	name      string
	restart   func(*testing.B) time.Duration
	processes func() []*os.Process
	embedded  bool // without PostgreSQL
	starts    []time.Duration
	idle      float64 // megabytes
}

// startup measures starts, and the memory of the last one at rest.
func (p *peerProgram) startup(b *testing.B) {
	b.Helper()
	for range max(3, *peerRounds) {
		p.starts = append(p.starts, p.restart(b))
	}
	time.Sleep(3 * time.Second)
	p.idle = p.resident(b, "VmRSS")
}

func (p *peerProgram) resident(b *testing.B, name string) (sum float64) {
	b.Helper()
	for _, process := range p.processes() {
		sum += (&target{process: process}).resident(b, name)
	}
	return sum
}

func (p *peerProgram) cpu(b *testing.B) (sum float64) {
	b.Helper()
	for _, process := range p.processes() {
		sum += (&target{process: process}).cpu(b)
	}
	return sum
}

// peerRow is a way to place orders, and its costs for each number of clients.
type peerRow struct {
	name    string
	program *peerProgram
	orders  int
	prepare func(b *testing.B, n int) // not measured; nil for nothing
	place   func(i int) error
	finish  func(b *testing.B) // waits for what follows an order; nil for nothing
	costs   [3][]peerCost
}

// peerCost is orders a second, and CPU time in milliseconds for an order: of the servers and of PostgreSQL.
type peerCost struct{ rate, cpu, db float64 }

func (c peerCost) sum() float64 { return c.cpu + c.db }

// round places n orders.
func (r *peerRow) round(b *testing.B, db *database, clients, n int) peerCost {
	b.Helper()
	if r.prepare != nil {
		r.prepare(b, n)
	}
	cpu, dbCPU, began := r.program.cpu(b), db.cpu(b), time.Now()
	placeAll(b, clients, n, r.place)
	if r.finish != nil {
		r.finish(b)
	}
	took := time.Since(began).Seconds()
	each := func(before, after float64) float64 { return (after - before) / 1000 / float64(n) }
	cost := peerCost{rate: float64(n) / took, cpu: each(cpu, r.program.cpu(b))}
	if !r.program.embedded {
		cost.db = each(dbCPU, db.cpu(b))
	}
	return cost
}

// placeAll places n orders. Each client places the next one after the one before.
func placeAll(b *testing.B, clients, n int, place func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := place(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	if all.Wait(); b.Failed() {
		b.FailNow()
	}
}

// send posts a body and returns the answer, which has a status.
func send(client *fasthttp.HostClient, uri, kind string, body []byte, header map[string]string, status int) (*fasthttp.Response, error) {
	request, answer := new(fasthttp.Request), new(fasthttp.Response)
	request.SetRequestURI(uri)
	request.Header.SetMethod("POST")
	request.Header.SetContentType(kind)
	for name, value := range header {
		request.Header.Set(name, value)
	}
	request.SetBody(body)
	err := client.Do(request, answer)
	if err == nil && answer.StatusCode() != status {
		err = fmt.Errorf("%s: %d %s", uri, answer.StatusCode(), answer.Body())
	}
	return answer, err
}

func (s *scaledShop) processes() []*os.Process { return []*os.Process{s.process} }

// buyer orders in a shop of ours over connections that stay open, and is its merchant's server, too.
type buyer struct {
	*scaledShop
	client *fasthttp.HostClient
	opened []openSession
	paid   atomic.Int64
}

type openSession struct{ id, token string }

func newBuyer(s *scaledShop) *buyer {
	return &buyer{scaledShop: s, client: &fasthttp.HostClient{Addr: s.address, MaxConns: 64}}
}

// call sends a request of the merchant's server.
func (y *buyer) call(path string, request map[string]string, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	header, err := y.merchant.Sign(path, body)
	if err != nil {
		return err
	}
	response, err := send(y.client, "http://"+y.address+path, "application/json", body, header, 200)
	if err != nil {
		return err
	}
	return json.Unmarshal(response.Body(), answer)
}

func (y *buyer) session() (openSession, error) {
	var session struct{ Data demo.Session }
	var token struct{ Data struct{ Token string } }
	err := y.call("/v1/actions/checkout/create-session", map[string]string{"productId": y.productID, "currency": "EUR"}, &session)
	if err == nil {
		err = y.call("/v1/actions/auth/issue-session-token", map[string]string{"storeId": y.storeID, "buyerIdentity": "buyer"}, &token)
	}
	return openSession{session.Data.SessionID, token.Data.Token}, err
}

// order returns the URL of the payment.
func (y *buyer) order(s openSession) (string, error) {
	response, err := send(y.client, "http://"+y.address+shoptest.CreateOrderPath, "application/json", []byte(shoptest.OrderBody(s.id)),
		shoptest.Bearer(s.token), 200)
	if err != nil {
		return "", err
	}
	var answer struct{ Data struct{ CheckoutURL string } }
	if err = json.Unmarshal(response.Body(), &answer); err == nil && answer.Data.CheckoutURL == "" {
		err = fmt.Errorf("no URL: %s", response.Body())
	}
	return answer.Data.CheckoutURL, err
}

// purchase makes a session and its token, creates the order and pays.
func (y *buyer) purchase(int) error {
	s, err := y.session()
	if err != nil {
		return err
	}
	url, err := y.order(s)
	if err != nil {
		return err
	}
	y.paid.Add(1)
	_, err = send(y.client, url, "application/x-www-form-urlencoded", []byte("outcome=succeeds"), nil, 303)
	return err
}

// settled waits until the provider's webhooks have completed all orders that were paid.
func (y *buyer) settled(b *testing.B) {
	b.Helper()
	query := fmt.Sprintf(`{onetimeOrdersCount(storeId: %q, filter: {status: {eq: "completed"}})}`, y.storeID)
	var counted struct {
		Data struct{ OnetimeOrdersCount int64 }
	}
	shoptest.Eventually(b, "all orders are completed", func() bool {
		if err := y.call("/v1/graphql", map[string]string{"query": query}, &counted); err != nil {
			b.Fatal(err)
		}
		return counted.Data.OnetimeOrdersCount == y.paid.Load()
	})
}

// open makes n sessions for orderOpened.
func (y *buyer) open(b *testing.B, n int) {
	b.Helper()
	y.opened = make([]openSession, n)
	placeAll(b, 8, n, func(i int) (err error) {
		y.opened[i], err = y.session()
		return err
	})
}

func (y *buyer) orderOpened(i int) error {
	_, err := y.order(y.opened[i])
	return err
}

// peerTables are the tables of BENCHMARKS.md.
func peerTables(b *testing.B, rows []*peerRow, programs []*peerProgram, dir string) string {
	b.Helper()
	var t strings.Builder
	fmt.Fprintf(&t, "Measured on %s by `make bench-peers`, on a machine of %d cores%s: medians of %d rounds.\n\n"+
		"| orders a second / server CPU, ms an order / PostgreSQL CPU, ms an order | 1 client | 8 clients | 64 clients | orders for the CPU of one of the first row: 1 / 8 / 64 clients |\n"+
		"|---|--:|--:|--:|--:|\n", time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), *peerNote, *peerRounds)
	for _, r := range rows {
		fmt.Fprintf(&t, "| %s |", r.name)
		var ratios []string
		for i, costs := range r.costs {
			cost := medianCost(costs)
			fmt.Fprintf(&t, " %s / %s / %s |", digits(cost.rate), digits(cost.cpu), digits(cost.db))
			ratios = append(ratios, digits(medianCost(rows[0].costs[i]).sum()/cost.sum()))
		}
		fmt.Fprintf(&t, " %s |\n", strings.Join(ratios, " / "))
	}
	packages, size, node := installed(b, dir)
	fmt.Fprint(&t, "\n| | installed | ready in, s | memory at rest, MB | at its peak, MB |\n|---|---|--:|--:|--:|\n")
	made := []string{fmt.Sprintf("%d npm packages, %.0f MB; Node, %.0f MB; PostgreSQL", packages, size, node),
		fmt.Sprintf("one file, %.0f MB", fileSize(b, binary.path)), "the same file; PostgreSQL"}
	for i, p := range programs {
		fmt.Fprintf(&t, "| %s | %s | %.2f | %.0f | %.0f |\n", p.name, made[i],
			median(p.starts, time.Duration.Seconds), p.idle, p.resident(b, "VmHWM"))
	}
	return t.String()
}

func medianCost(costs []peerCost) peerCost {
	return peerCost{median(costs, func(c peerCost) float64 { return c.rate }), median(costs, func(c peerCost) float64 { return c.cpu }),
		median(costs, func(c peerCost) float64 { return c.db })}
}

// digits is a number with one digit after the point below 10, and none from there on; 0 is a dash.
func digits(n float64) string {
	switch {
	case n == 0:
		return "–"
	case n < 10:
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.0f", n)
}

func median[T any](all []T, of func(T) float64) float64 {
	values := make([]float64, len(all))
	for i, v := range all {
		values[i] = of(v)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// writePeers writes the tables between their marks.
func writePeers(b *testing.B, tables string) {
	b.Helper()
	const file, begin, end = "../../BENCHMARKS.md", "<!-- peers:begin -->\n", "<!-- peers:end -->"
	text, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	before, rest, found := bytes.Cut(text, []byte(begin))
	_, after, ended := bytes.Cut(rest, []byte(end))
	if !found || !ended {
		b.Fatalf("%s has no %s and %s", file, begin, end)
	}
	if err := os.WriteFile(file, slices.Concat(before, []byte(begin+tables+end), after), 0o644); err != nil {
		b.Fatal(err)
	}
}
