package orders_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp/limit"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// counter is a service on a real database, with the Stripe adapter on the sandbox behind limits, and the endpoint for its
// webhooks on a real port.
type counter struct {
	*orders.Service
	t       *testing.T
	db      *badgerstore.DB
	psp     *sandbox.Sandbox
	stripe  *stripe.Provider
	log     *bytes.Buffer // written by one goroutine at a time: nothing runs beside the tests but the endpoint, which logs nothing
	deaf    atomic.Bool   // the endpoint accepts nothing
	refused atomic.Int32  // webhooks
}

func openCounter(t *testing.T) *counter {
	t.Helper()
	c := &counter{t: t, log: new(bytes.Buffer)}
	var err error
	if c.db, err = badgerstore.Open(t.TempDir(), badgerstore.Options{}); err != nil {
		t.Fatal(err)
	}
	endpoint := httptest.NewServer(http.HandlerFunc(c.webhook))
	c.psp = sandbox.New(sandbox.Config{Store: sandbox.NewStore(c.db.DB, checkout.Test), Key: "sk_test_1", PublicURL: "http://127.0.0.1/sandbox",
		WebhookURL: endpoint.URL, WebhookSecret: "whsec_1", Record: true})
	t.Cleanup(func() {
		c.psp.Close()
		endpoint.Close()
		if err := c.db.Close(); err != nil {
			t.Error(err)
		}
	})
	c.stripe = stripe.New(stripe.Config{Key: "sk_test_1", WebhookSecret: "whsec_1", BaseURL: "http://sandbox", Dial: c.psp.Dial})
	c.Service = orders.New(orders.Config{Store: c.db, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(c.log, nil)),
		Deployment: "here",
		Providers:  map[checkout.Environment]orders.Provider{checkout.Test: orders.Limited(limit.New(c.stripe, limit.Limits{Trip: 1000}))}})
	return c
}

func (c *counter) webhook(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	ev, err := c.stripe.Webhook(r.Header.Get, body, time.Now())
	if c.deaf.Load() || err != nil || c.Apply(r.Context(), checkout.Test, ev) != nil {
		w.WriteHeader(http.StatusInternalServerError)
		c.refused.Add(1)
	}
}

// open makes the n-th checkout session and orders from it.
func (c *counter) open(n int) (id string, err error) {
	id = fmt.Sprintf("cs_550e8400-e29b-41d4-a716-%012d", n)
	session := &sessions.Session{MerchantID: "MER_1", PageURL: "https://pay.example/s", Session: checkout.Session{
		ID: id, Environment: checkout.Test, StoreID: "STO_1", ExpiresAt: time.Now().Add(time.Hour).UnixMilli(),
		Product: checkout.Product{ID: "PROD_1", Type: checkout.OneTime, Name: "A thing"},
		Terms: checkout.Terms{Price: money.Amount{Minor: 2900, Currency: "EUR"}, Category: tax.SaaS, Step: 1,
			Seller: tax.Seller{Country: "HK", Everywhere: true}},
	}}
	if err := c.db.WriteSession(context.Background(), session); err != nil {
		c.t.Fatal(err)
	}
	_, err = c.order(id, "DE")
	return id, err
}

func (c *counter) order(id, country string) (string, error) {
	business := false
	return c.Create(context.Background(), &orders.Request{Request: checkout.Request{
		Caller: checkout.Caller{Environment: checkout.Test, StoreID: "STO_1"}, SessionID: id,
		Billing: &billing.Input{Country: country, IsBusiness: &business}, BuyerEmail: "ada@example.com",
	}}, "", nil)
}

func (c *counter) stored(id string) (*sessions.Session, *orders.Order) {
	c.t.Helper()
	session, err := c.db.Session(context.Background(), id)
	if err != nil {
		c.t.Fatal(err)
	}
	o, err := c.Order(context.Background(), session)
	if err != nil {
		c.t.Fatal(err)
	}
	return session, o
}

// remote is how a checkout stands at the provider: "open", "complete", "expired".
func (c *counter) remote(ref string) string {
	c.t.Helper()
	all, err := c.psp.Sessions()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, s := range all {
		if s.ID == ref {
			return s.Status
		}
	}
	c.t.Fatalf("the provider has no %s", ref)
	return ""
}

// refOf finds the checkout that the provider has for a session's attempt, known to the order or not.
func (c *counter) refOf(sessionID, attempt string) (ref string) {
	c.t.Helper()
	all, err := c.psp.Sessions()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, s := range all {
		if s.Metadata["checkout_session_id"] == sessionID && s.Metadata["attempt"] == attempt {
			return s.ID
		}
	}
	c.t.Fatal("the provider has no such checkout")
	return ""
}

// reconcile runs once and reads the one line that sums it up.
func (c *counter) reconcile(checked, fixed, quarantined int) {
	c.t.Helper()
	c.log.Reset()
	if err := c.Reconcile(context.Background()); err != nil {
		c.t.Error(err)
	}
	want := fmt.Sprintf("msg=reconciled environment=test checked=%d fixed=%d quarantined=%d\n", checked, fixed, quarantined)
	if n := strings.Count(c.log.String(), "msg=reconciled"); n != 1 || !strings.Contains(c.log.String(), want) {
		c.t.Errorf("logged %q, want %q", c.log, want)
	}
}

// unchanged reconciles once more: nothing may happen.
func (c *counter) unchanged(checked int, ids ...string) {
	c.t.Helper()
	versions := func() (all []uint64) {
		for _, id := range ids {
			session, o := c.stored(id)
			all = append(all, session.Version, o.Version)
		}
		return all
	}
	before := versions()
	c.reconcile(checked, 0, 0)
	if after := versions(); fmt.Sprint(before) != fmt.Sprint(after) {
		c.t.Errorf("versions %v became %v", before, after)
	}
}
