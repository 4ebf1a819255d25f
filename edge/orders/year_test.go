package orders_test

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/limit"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

var (
	yearStep = flag.Duration("year-step", 14*24*time.Hour, "TestYear: the server is restarted and orders come in this often; TestYearPostgres: a ninth as often")
	yearRate = flag.Int("year-rate", 1, "TestYear: orders of each kind in a step")
)

// The records of a store, by the parts of Badger's keys and by tables. What is kept grows with the orders; the rest ends.
var yearKept = strings.Fields(`or ol pl tl fl op oc sd iv in id cs cl at
	orders payments tickets refunds documents sessions`)

// TestYear: within a year of a constant number of sessions, orders, refunds, webhooks and tokens, what is transient stays as much as it
// was after its longest retention, and what is kept grows with the orders only. So do the files; goroutines do not.
func TestYear(t *testing.T) {
	startClocks(t)
	merchant := merchantServer(t)
	directory, err := os.MkdirTemp(inMemory(), "year")
	must(err)
	defer os.RemoveAll(directory)
	synctest.Test(t, func(t *testing.T) {
		leaveYear2000()
		live(t, &year{T: t, directory: directory, merchant: merchant.URL, open: func() record.Store {
			db, err := badgerstore.Open(filepath.Join(directory, "ours"), badgerstore.Options{NoSync: true, KeepSessions: 2 * time.Hour})
			must(err)
			return db
		}, step: *yearStep, count: countKeys})
	})
}

// TestYearPostgres is [TestYear] on PostgreSQL, whose rows that have expired are removed by a job.
func TestYearPostgres(t *testing.T) {
	startClocks(t)
	merchant, url := merchantServer(t), postgres(t)
	directory, err := os.MkdirTemp(inMemory(), "year")
	must(err)
	defer os.RemoveAll(directory)
	synctest.Test(t, func(t *testing.T) {
		leaveYear2000()
		live(t, &year{T: t, directory: directory, merchant: merchant.URL, open: func() record.Store {
			db, err := pgstore.Open(context.Background(), url, pgstore.Options{KeepSessions: 2 * time.Hour})
			must(err)
			return db
		}, step: 9 * *yearStep, count: func(record.Store) map[string]int { return countRows(url) }})
	})
}

// merchantServer takes webhooks. It runs outside of the bubble, and keeps no connection in it.
func merchantServer(t *testing.T) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Connection", "close")
	}))
	t.Cleanup(server.Close)
	return server
}

// year is a server that lives for one.
type year struct {
	*testing.T
	directory, merchant string
	step                time.Duration
	open                func() record.Store
	count               func(record.Store) map[string]int

	db       record.Store
	theirs   *durable.DB
	provider *sandbox.Sandbox
	inbox    *fasthttputil.InmemoryListener
	webhooks psp.Webhooks
	orders   *orders.Service
	sessions *sessions.Service
	auth     *auth.Service
	notify   *notify.Service
	guard    *idempotency.Guard
	stop     []func()
	conns    []net.Conn
}

const (
	yearStore    = "STO_0000000000000000000001"
	yearProduct  = "PROD_0000000000000000000001"
	yearMerchant = "MER_0000000000000000000001"
)

// live runs a year in steps, and compares what is there after each.
func live(t *testing.T, y *year) {
	var counts []map[string]int
	var goroutines, sizes []int
	for passed := time.Duration(0); passed < 365*24*time.Hour; passed += y.step {
		y.start(len(counts) == 0)
		for range *yearRate {
			y.trade()
		}
		time.Sleep(70 * time.Second) // webhooks, receipts, and the job that removes what has expired
		goroutines = append(goroutines, runtime.NumGoroutine())
		counts = append(counts, y.count(y.db))
		y.end()
		sizes = append(sizes, sizeOf(filepath.Join(y.directory, "ours")))
		time.Sleep(y.step)
	}
	y.compare(counts)
	last, half := len(counts)-1, len(counts)/2
	if goroutines[last] > goroutines[2]+5 {
		t.Errorf("%d goroutines, %d at the beginning", goroutines[last], goroutines[2])
	}
	t.Logf("%d orders; %d goroutines, %d at the beginning", orderCount(counts[last]), goroutines[last], goroutines[2])
	if sizes[last] > 0 {
		perOrder := (sizes[last] - sizes[half]) / (orderCount(counts[last]) - orderCount(counts[half]))
		t.Logf("tables of %d bytes, %d after half of the year: %d bytes an order", sizes[last], sizes[half], perOrder)
	}
}

func orderCount(n map[string]int) int { return n["or"] + n["orders"] }

// compare checks each kind of record: a transient one has no more records in the second half of the year than in the first, a kept
// one has grown as much in the last quarter as in the one before.
func (y *year) compare(counts []map[string]int) {
	last := len(counts) - 1
	for _, kind := range slices.Sorted(maps.Keys(counts[last])) {
		at := func(n int) int { return counts[n][kind] }
		most := 0
		for n := range last/2 + 1 {
			most = max(most, at(n))
		}
		y.Logf("%-20s %5d %5d %5d %5d", kind, at(0), at(last/2), at(last*3/4), at(last))
		switch {
		case !slices.Contains(yearKept, kind):
			if at(last) > most+most/4 { // a reconciliation at the start may apply an event before its webhook, under another id
				y.Errorf("%s: %d records after the year, at most %d in its first half", kind, at(last), most)
			}
		case kind == "sd" || kind == "in" || kind == "oc": // one for each day, year and list
		case perOrder(counts, kind, last/2, last) > perOrder(counts, kind, 0, last/2)*1.01:
			y.Errorf("%s grows faster than orders: %d, then %d, then %d", kind, at(0), at(last/2), at(last))
		}
	}
	if n, m := counts[last]["cs"]+counts[last]["sessions"], orderCount(counts[last]); n > m+2**yearRate {
		y.Errorf("%d sessions are kept with %d orders", n, m)
	}
}

func perOrder(counts []map[string]int, kind string, from, to int) float64 {
	return float64(counts[to][kind]-counts[from][kind]) / float64(orderCount(counts[to])-orderCount(counts[from]))
}

// countKeys counts the keys of Badger by their third part.
func countKeys(db record.Store) map[string]int {
	n := make(map[string]int)
	must(db.(*badgerstore.DB).Scan("", "", func(key string, _ []byte) bool {
		n[strings.SplitN(key, "/", 4)[2]]++
		return true
	}))
	return n
}

func countRows(url string) map[string]int {
	conn, err := pgx.Connect(context.Background(), url)
	must(err)
	defer conn.Close(context.Background())
	rows, err := conn.Query(context.Background(), "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()")
	must(err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(err)
	n := make(map[string]int)
	for _, table := range tables {
		var rows int
		must(conn.QueryRow(context.Background(), "SELECT count(*) FROM "+table).Scan(&rows))
		n[table] = rows
	}
	return n
}

// sizeOf returns the size of the SSTables in a directory.
func sizeOf(directory string) (size int) {
	_ = filepath.WalkDir(directory, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".sst" {
			if info, err := entry.Info(); err == nil {
				size += int(info.Size())
			}
		}
		return nil
	})
	return size
}

// accepting is a mail server that takes everything.
type accepting struct{}

func (accepting) Send(context.Context, *invoices.Message) error { return nil }

// start opens the databases and starts a server.
func (y *year) start(first bool) {
	y.db = y.open()
	var err error
	y.theirs, err = durable.Open(filepath.Join(y.directory, "theirs"), durable.Options{NoSync: true})
	must(err)
	y.inbox = fasthttputil.NewInmemoryListener()
	inbox := &fasthttp.Server{Handler: y.receive, CloseOnShutdown: true}
	go inbox.Serve(y.inbox)
	y.provider = sandbox.New(sandbox.Config{Store: sandbox.NewStore(y.theirs, checkout.Test), Key: providerKey, PublicURL: "https://psp.example",
		WebhookURL: "http://merchant/webhook", WebhookSecret: webhookSecret, WebhookDial: func(string) (net.Conn, error) { return y.inbox.Dial() }})
	provider := stripe.New(stripe.Config{Key: providerKey, WebhookSecret: webhookSecret, BaseURL: "http://psp", Dial: func(string) (net.Conn, error) {
		conn, err := y.provider.Dial("")
		y.conns = append(y.conns, conn)
		return conn, err
	}})
	y.webhooks = provider
	log := slog.New(slog.DiscardHandler)
	y.sessions = sessions.New(sessions.Config{Store: y.db, Catalog: y.db, Providers: map[checkout.Environment]psp.Provider{checkout.Test: provider},
		PublicURL: "https://pay.example", Now: time.Now, Rand: rand.Reader})
	documents := invoices.New(invoices.Config{Store: y.db, Orders: y.db, Catalog: y.db, VATChecks: y.db, PublicURL: "https://pay.example", Now: time.Now,
		Rand: rand.Reader, Mailer: accepting{}, MailIn: []checkout.Environment{checkout.Test}, Log: log})
	y.notify = notify.New(notify.Config{Store: y.db, Orders: y.db, Catalog: y.db, Invoices: documents, Reach: notify.Private, Now: time.Now, Rand: rand.Reader, Log: log})
	y.orders = orders.New(orders.Config{Store: y.db, Providers: map[checkout.Environment]orders.Provider{checkout.Test: orders.Limited(limit.New(provider, limit.Limits{Trip: 5}))},
		Now: time.Now, Rand: rand.Reader, Log: log, FactAdded: y.notify.FactAdded})
	y.auth = auth.New(auth.Config{Deployment: "year", Catalog: y.db, Keys: y.db, Tokens: y.db, Now: time.Now, Rand: rand.Reader})
	must(y.auth.Rotate(context.Background()))
	y.guard = idempotency.NewGuard(y.db, time.Now, log)
	if first {
		y.openShop()
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 3)
	for _, run := range []func(context.Context){y.orders.Run, y.notify.Run, documents.Run} {
		go func() { run(ctx); done <- struct{}{} }()
	}
	y.stop = []func(){cancel, func() { <-done; <-done; <-done }, func() { must(inbox.Shutdown()) }}
}

// openShop makes the merchant, the store with its product, and a webhook endpoint.
func (y *year) openShop() {
	version := &catalog.Version{ID: "PRODVER_0000000000000000000001", Number: 1, Name: "A thing",
		Prices: []catalog.Price{{Amount: money.Amount{Minor: 2900, Currency: "EUR"}, Category: tax.SaaS}}}
	must(y.db.Put(context.Background(), catalog.Change{Merchant: &catalog.Merchant{ID: yearMerchant, Name: "Year"},
		Store:    &catalog.Store{ID: yearStore, MerchantID: yearMerchant, Slug: "year-a1b2c3", Name: "Year", Seller: tax.Seller{Country: "HK", Everywhere: true}},
		Products: []*catalog.Product{{ID: yearProduct, StoreID: yearStore, Type: checkout.OneTime, Test: catalog.Listing{Version: version}}}}))
	test := true
	_, err := y.notify.AddEndpoint(context.Background(), notify.Owner{Environment: checkout.Test, MerchantID: yearMerchant}, notify.NewEndpoint{StoreID: yearStore,
		URL: y.merchant, Events: []string{"order.completed", "refund.succeeded"}, TestMode: &test})
	must(err)
}

// end stops the server, and waits until nothing of it is left.
func (y *year) end() {
	for _, stop := range y.stop {
		stop()
	}
	for _, conn := range y.conns {
		conn.Close()
	}
	y.conns = nil
	must(y.provider.Close())
	must(y.theirs.Close())
	must(y.db.Close())
}

func (y *year) receive(ctx *fasthttp.RequestCtx) {
	message := received{string(ctx.Request.Header.Peek("Stripe-Signature")), slices.Clone(ctx.PostBody())}
	event, err := y.webhooks.Webhook(message.header, message.body, time.Now())
	if err == nil {
		err = y.orders.Apply(context.Background(), checkout.Test, event)
	}
	if err != nil {
		y.Errorf("a webhook: %v", err)
		ctx.SetStatusCode(fasthttp.StatusInternalServerError)
	}
}

// trade opens a session that is left, and sells thrice: one order expires, one is paid, one is refunded.
func (y *year) trade() {
	y.openSession()
	expired, paid, refunded := y.order(), y.order(), y.order()
	y.trigger("checkout.session.expired", expired)
	y.trigger("payment_intent.payment_failed", paid)
	y.trigger("checkout.session.completed", paid)
	y.trigger("checkout.session.completed", refunded)
	for _, id := range []string{paid, refunded} {
		for n := 0; y.stored(id).State != orders.Paid; n++ {
			if n > 100 {
				y.Fatalf("%s is not paid", id)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	payment := y.stored(refunded).CompletedBy()
	_, _, err := y.orders.CreateTicket(context.Background(), orders.Scope{Environment: checkout.Test, MerchantID: yearMerchant},
		orders.TicketRequest{PaymentID: payment.ID, Reason: "broken", Amount: "29.00", Currency: "EUR"}, "")
	must(err)
}

func (y *year) trigger(event, order string) {
	for _, t := range sandbox.Triggers() {
		if t.Event == event {
			_, err := y.provider.Trigger(t, order, nil)
			must(err)
		}
	}
}

func (y *year) stored(id string) *orders.Order {
	o, err := y.db.Order(context.Background(), checkout.Test, id)
	must(err)
	return o
}

func (y *year) openSession() *sessions.Session {
	s, err := y.sessions.Create(context.Background(), sessions.Seller{Environment: checkout.Test, MerchantID: yearMerchant},
		&sessions.Request{ProductID: yearProduct, Currency: "EUR", ExternalID: "external"})
	must(err)
	return s
}

// order creates an order with a token that it uses up, under an idempotency key, and returns its id.
func (y *year) order() string {
	s, business := y.openSession(), false
	issued, err := y.auth.IssueShopper(context.Background(), auth.Caller{Environment: checkout.Test, StoreID: yearStore}, &s.Session)
	must(err)
	token := auth.Token{ID: issued.Token, ExpiresAt: time.Now().Add(time.Hour).UnixMilli()}
	spend := &orders.SpentToken{Environment: checkout.Test, ID: token.ID, ExpiresAt: token.ExpiresAt}
	y.db.Touch(checkout.Test, token, time.Now().UnixMilli())
	key := idempotency.Key{Environment: checkout.Test, Credential: []string{yearMerchant}, Path: "/order", Value: strings.ReplaceAll(s.ID, "_", "-")}
	_, err = y.guard.Do(context.Background(), key, []byte(s.ID), func() ([]byte, error) {
		url, err := y.orders.Create(context.Background(), &orders.Request{Request: checkout.Request{
			Caller: checkout.Caller{Environment: checkout.Test, StoreID: yearStore}, SessionID: s.ID,
			Billing: &billing.Input{Country: "DE", IsBusiness: &business}, BuyerEmail: fmt.Sprintf("buyer-%s@example.com", s.ID)}}, "", spend)
		return []byte(url), err
	})
	must(err)
	stored, err := y.db.Session(context.Background(), s.ID)
	must(err)
	return stored.OrderID
}
