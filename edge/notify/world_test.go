package notify_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/shoptest"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// world is a service on a database, with a clock that can be put forward.
type world struct {
	testing.TB
	db      *badgerstore.DB
	service *notify.Service
	log     *shoptest.Buffer
	ahead   atomic.Int64
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

func (w *world) pass(d time.Duration) { w.ahead.Add(int64(d)) }

// open returns a world whose service runs until the test ends. store, if not nil, is between the service and its database.
func open(t testing.TB, store func(notify.Store) notify.Store) *world {
	t.Helper()
	db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, db: db, log: new(shoptest.Buffer)}
	var s notify.Store = db
	if store != nil {
		s = store(db)
	}
	documents := invoices.New(invoices.Config{Store: db, Orders: db, Catalog: db, PublicURL: "https://pay.example", Now: w.now, Rand: rand.Reader})
	w.service = notify.New(notify.Config{Store: s, Orders: db, Catalog: db, Invoices: documents, Reach: notify.Private, Now: w.now, Rand: rand.Reader,
		Log: slog.New(slog.NewTextHandler(w.log, nil))})
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// shop is a store of a merchant.
type shop struct {
	*world
	notify.Owner
	store, product, version string
}

var last atomic.Int64

// shop adds a store to a merchant.
func (w *world) shop(merchantID string) *shop {
	w.Helper()
	id := func(prefix string) string { return shortid.Format(prefix, shortid.NewV7(time.Now(), rand.Reader)) }
	s := &shop{w, notify.Owner{Environment: checkout.Test, MerchantID: merchantID}, id(shortid.Store), id(shortid.Product), id(shortid.ProductVersion)}
	if _, err := w.db.Merchant(w.Context(), merchantID); err != nil {
		w.must(w.db.Put(w.Context(), catalog.Change{Merchant: &catalog.Merchant{ID: merchantID}}))
	}
	w.must(w.db.Put(w.Context(), catalog.Change{
		Store: &catalog.Store{ID: s.store, MerchantID: merchantID, Slug: fmt.Sprint("shop-", last.Add(1)), Name: "Crêpe & Co"},
		Products: []*catalog.Product{{ID: s.product, StoreID: s.store, Type: checkout.OneTime,
			Test: catalog.Listing{Version: &catalog.Version{ID: s.version, Number: 1, Name: "Kit", Metadata: map[string]catalog.JSON{"sku": `"K1"`, "pages": `12`}}}}}}))
	return s
}

// sell stores an order that has just been paid, with its fact.
func (s *shop) sell(env checkout.Environment) *orders.Order {
	s.Helper()
	id := func(prefix string) string { return shortid.Format(prefix, shortid.NewV7(time.Now(), rand.Reader)) }
	session := &sessions.Session{Session: checkout.Session{ID: "cs_" + shortid.NewV4(rand.Reader).String(), Environment: env, StoreID: s.store,
		Product: checkout.Product{ID: s.product, VersionID: s.version, Type: checkout.OneTime, Name: "Kit"}},
		MerchantID: s.MerchantID, Metadata: map[string]string{"campaign": "autumn"}, ExternalID: "EXT-1"}
	rate, _ := money.ParseRate("9.975")
	placed := checkout.Order{SessionID: session.ID, Environment: env, StoreID: s.store, Product: session.Product,
		Quote: checkout.Quote{Currency: "CAD", ListPrice: 10500, Discount: checkout.Discount{Label: "Autumn", Minor: 500}, Assessment: tax.Assessment{Subtotal: 10000, Tax: 998, Total: 10998,
			Components: []tax.Component{{Jurisdiction: "CA-QC", Tax: "qst", Rate: rate, Base: 100, Taxable: 10000, Amount: 998}}}},
		Billing:    billing.Detail{Country: "CA", State: "QC", IsBusiness: true, BusinessName: "A & B", TaxID: "123"},
		BuyerEmail: "ada@example.com", BuyerIdentity: "user-17"}
	payment := orders.Payment{ID: id(shortid.Payment), Attempt: 1, Status: orders.Succeeded, Provider: "stripe", Ref: "pi_1", Method: "card", Last4: "4242",
		At: time.Date(2026, 4, 18, 23, 30, 0, 0, time.UTC).UnixMilli()}
	order := &orders.Order{ID: id(shortid.Order), SessionID: session.ID, MerchantID: s.MerchantID, StoreID: s.store, Environment: env, State: orders.Paid,
		Attempts: []orders.Attempt{{N: 1, State: orders.Settled, Placed: placed}}, Payments: []orders.Payment{payment}}
	session.OrderID = order.ID
	fact := orders.Fact{Kind: orders.OrderCompleted, Environment: env, StoreID: s.store, OrderID: order.ID, EventID: payment.ID, At: s.now().UnixMilli()}
	s.must(s.db.Commit(s.Context(), orders.Change{Session: session, Order: order, Facts: []orders.Fact{fact}}))
	s.service.FactAdded()
	return order
}

// subscribe adds an endpoint for order.completed in the test environment.
func (s *shop) subscribe(url string) *notify.Endpoint {
	s.Helper()
	test := true
	e, err := s.service.AddEndpoint(s.Context(), s.Owner, notify.NewEndpoint{StoreID: s.store, URL: url, Events: []string{"order.completed"}, TestMode: &test})
	s.must(err)
	return e
}

// deliveries are those of the shop in the test environment, the newest first.
func (s *shop) deliveries() []notify.Delivery {
	s.Helper()
	page, err := s.db.Deliveries(s.Context(), checkout.Test, s.store, "", 1000)
	s.must(err)
	return page.Items
}

// delivery waits until the only delivery of the shop is as it should be.
func (s *shop) delivery(what string, want func(*notify.Delivery) bool) notify.Delivery {
	s.Helper()
	var got []notify.Delivery
	shoptest.Eventually(s.TB, what, func() bool {
		got = s.deliveries()
		return len(got) == 1 && want(&got[0])
	})
	return got[0]
}

// receiver is a merchant's server.
type receiver struct {
	*httptest.Server
	mutex    sync.Mutex
	requests []request
	answer   func(n int, w http.ResponseWriter) // of the n-th request, from 1
}

type request struct {
	signature, body string
}

func receive(t testing.TB, answer func(n int, w http.ResponseWriter)) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, got *http.Request) {
		body, _ := io.ReadAll(got.Body)
		r.mutex.Lock()
		r.requests = append(r.requests, request{got.Header.Get("X-Waffo-Signature"), string(body)})
		n := len(r.requests)
		r.mutex.Unlock()
		r.answer(n, w)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) got() []request {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return append([]request(nil), r.requests...)
}

func status(code int) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) { w.WriteHeader(code) }
}
