package page

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/limit"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// shop is the page with real dependencies: Badger in a temporary directory, the order service, the Stripe adapter and the
// sandbox that implements Stripe's API. Its clock is fixed, so far in the future that deadlines derived from it have not
// passed, and its random numbers are seeded.
type shop struct {
	*Handler
	orders   *orders.Service
	invoices *invoices.Service
	db       *badgerstore.DB
	now      time.Time
	exchange string // the file of exchange rates
	adapter  *stripe.Provider
	sandbox  *sandbox.Sandbox
	rules    ruling
}

const (
	slug    = "northline-a1b2c3"
	session = "cs_550e8400-e29b-41d4-a716-446655440000"
	pageURL = "/store/" + slug + "/checkout/" + session
)

func openShop(t *testing.T) *shop {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{db: db, now: time.Date(2099, 11, 23, 10, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return s.now }
	provider := sandbox.New(sandbox.Config{Store: sandbox.NewStore(db.DB, "test"), Key: "sk_test_sandbox", Now: clock,
		PublicURL: "http://127.0.0.1:8787/sandbox/test", WebhookSecret: "whsec_test"})
	t.Cleanup(func() {
		if err := provider.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	s.sandbox = provider
	s.adapter = stripe.New(stripe.Config{Key: "sk_test_sandbox", BaseURL: "http://sandbox", Dial: provider.Dial})
	s.orders = orders.New(orders.Config{Store: db, Providers: map[checkout.Environment]orders.Provider{"test": orders.Limited(limit.New(s.adapter, limit.Limits{}))},
		Now: clock, Rand: rand.NewChaCha8([32]byte{}), Log: log, Rules: &s.rules})
	s.invoices = invoices.New(invoices.Config{Store: db, Orders: db, Catalog: db, Now: clock, Rand: rand.NewChaCha8([32]byte{}), Rates: s.rates, Log: log})
	links := sessions.New(sessions.Config{Store: db, Catalog: db, Providers: map[checkout.Environment]psp.Provider{"test": s.adapter},
		PublicURL: "http://127.0.0.1:8787", Now: clock, Rand: rand.NewChaCha8([32]byte{})})
	s.Handler = New(Config{Sessions: db, Links: links, Orders: s.orders, Stores: db, Documents: s.invoices, Rules: &s.rules, Now: clock, Log: log,
		PayOrigins: []string{"https://checkout.stripe.com"}, Providers: map[checkout.Environment]string{"test": "Stripe", "prod": "Stripe"}})
	store := &catalog.Store{ID: "STO_2aUyqjCzEIiEcYMKj7TZtw", Slug: slug, Name: "Northline"}
	if err := db.Put(t.Context(), catalog.Change{Store: store}); err != nil {
		t.Fatal(err)
	}
	return s
}

// rates are the exchange rates, none at first.
func (s *shop) rates() *invoices.Rates {
	rates, err := invoices.ParseRates(strings.NewReader(s.exchange))
	if err != nil {
		return new(invoices.Rates)
	}
	return rates
}

// offer stores the session that the tests start from, after change, if it is not nil.
func (s *shop) offer(t *testing.T, change func(*sessions.Session)) {
	t.Helper()
	session := &sessions.Session{
		Session: checkout.Session{
			ID: session, Environment: checkout.Test, StoreID: "STO_2aUyqjCzEIiEcYMKj7TZtw",
			Product: checkout.Product{ID: "PROD_1", VersionID: "PVER_1", Type: checkout.OneTime,
				Name: "Northline Pro, lifetime licence", Description: "Route planning for macOS, Windows & iPad"},
			Terms: checkout.Terms{
				Price: money.Amount{Minor: 129_00, Currency: "USD"}, Category: tax.Software, Step: 1,
				Seller: tax.Seller{Country: "FR", Everywhere: true},
			},
			ExpiresAt: s.now.Add(45 * time.Minute).UnixMilli(),
		},
		PageURL: "http://127.0.0.1:8787" + pageURL, CreatedAt: s.now.UnixMilli(),
	}
	if change != nil {
		change(session)
	}
	if err := s.db.WriteSession(context.Background(), session); err != nil {
		t.Fatal(err)
	}
}

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

func german(session *sessions.Session) {
	session.BuyerEmail = "ada@fieldnotes.example"
	session.Billing = &billing.Input{Country: "de", IsBusiness: yes(), BusinessName: "Fieldnotes <GmbH>", TaxID: "DE 136 695 976"}
}

func ottawan(session *sessions.Session) {
	session.BuyerEmail = "ada@fieldnotes.example"
	session.Billing = &billing.Input{Country: "CA", IsBusiness: no(), State: "ON", Postcode: "K1A 0B1"}
}

// get requests a path.
func (s *shop) get(path string) *fasthttp.Response { return s.do("GET", path, nil) }

// post submits a form.
func (s *shop) post(path string, form url.Values) *fasthttp.Response { return s.do("POST", path, form) }

func (s *shop) do(method, path string, form url.Values) *fasthttp.Response {
	var request fasthttp.Request
	request.Header.SetMethod(method)
	request.SetRequestURI("http://127.0.0.1:8787" + path)
	if form != nil {
		request.Header.SetContentType("application/x-www-form-urlencoded")
		request.SetBodyString(form.Encode())
	}
	var ctx fasthttp.RequestCtx
	ctx.Init(&request, nil, nil)
	s.Handle(&ctx)
	return &ctx.Response
}

// expect checks the response's status and that its body contains every part.
func expect(t *testing.T, r *fasthttp.Response, status int, parts ...string) {
	t.Helper()
	if r.StatusCode() != status {
		t.Errorf("HTTP %d, want %d", r.StatusCode(), status)
	}
	for _, part := range parts {
		if !strings.Contains(string(r.Body()), part) {
			t.Errorf("the page does not contain %q", part)
		}
	}
	if t.Failed() {
		t.Logf("%s", r.Body())
	}
}

// order submits the form of a buyer in Ottawa and returns the order.
func (s *shop) order(t *testing.T) *orders.Order {
	t.Helper()
	return s.orderBy(t, ottawa())
}

// orderBy submits a form and returns the order.
func (s *shop) orderBy(t *testing.T, form url.Values) *orders.Order {
	t.Helper()
	expect(t, s.confirm(t, form), fasthttp.StatusSeeOther)
	stored, err := s.db.Session(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	order, err := s.orders.Order(t.Context(), stored)
	if err != nil {
		t.Fatal(err)
	}
	return order
}

// shownTotal is the button of a page that shows a total.
var shownTotal = regexp.MustCompile(`<button name="confirm" value="([^"]+)">`)

// confirm submits a form, and again with the total that the answer shows.
func (s *shop) confirm(t *testing.T, form url.Values) *fasthttp.Response {
	t.Helper()
	review := s.post(pageURL, form)
	shown := shownTotal.FindSubmatch(review.Body())
	if review.StatusCode() != fasthttp.StatusOK || shown == nil {
		t.Fatalf("the form shows no total to confirm: %d %s", review.StatusCode(), review.Body())
	}
	form.Set("confirm", string(shown[1]))
	return s.post(pageURL, form)
}

// report applies an event of the provider about an order.
func (s *shop) report(t *testing.T, order *orders.Order, kind psp.EventKind, paid bool) {
	t.Helper()
	attempt := order.Current()
	quote := &attempt.Placed.Quote
	status := psp.CheckoutComplete
	if kind == psp.EventExpired {
		status = psp.CheckoutExpired
	}
	err := s.orders.Apply(t.Context(), checkout.Test, psp.Event{
		ID: "evt_" + t.Name(), Kind: kind, Created: s.now, Method: "card", Last4: "4242",
		Checkout: psp.Checkout{Ref: attempt.Ref, OrderID: order.ID, Attempt: attempt.N, Status: status, Paid: paid, PaymentID: "pi_1",
			Total: money.Amount{Minor: quote.Assessment.Total, Currency: quote.Currency}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.issue(t)
}

// issue writes the documents of the outbox, as package notify does.
func (s *shop) issue(t *testing.T) {
	t.Helper()
	facts, err := s.db.Facts(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i := range facts {
		issued, err := s.invoices.Issue(t.Context(), &facts[i].Fact)
		if err == nil {
			err = s.db.CommitNotify(t.Context(), notify.Change{Fact: &facts[i], Document: issued.Document})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func ottawa() url.Values {
	return url.Values{"email": {" Ada@Fieldnotes.example "}, "country": {"CA"}, "state": {"CA-ON"}, "postcode": {"K1A 0B1"}}
}

// decorated are a store's look and links.
var decorated = catalog.Store{
	Logo: "https://cdn.northline.example/logo.png",
	Checkout: catalog.CheckoutSettings{
		Light: catalog.Theme{Primary: "#0f5c4a"}, Dark: catalog.Theme{Logo: "https://cdn.northline.example/logo-dark.png"}},
	Links: catalog.Links{Website: "https://northline.example/?a=1&b=2", SupportEmail: "help@northline.example",
		Terms: "https://northline.example/terms", Refunds: "https://northline.example/refunds", Privacy: "https://northline.example/privacy"},
}

// decorate changes the store's look and links.
func (s *shop) decorate(t *testing.T, more catalog.Store) {
	t.Helper()
	store, err := s.db.StoreBySlug(t.Context(), slug)
	if err != nil {
		t.Fatal(err)
	}
	store.Logo, store.Checkout, store.Links = more.Logo, more.Checkout, more.Links
	if err := s.db.Put(t.Context(), catalog.Change{Store: store}); err != nil {
		t.Fatal(err)
	}
}
