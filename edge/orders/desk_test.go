package orders_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

const sessionID = "cs_550e8400-e29b-41d4-a716-446655440000"

// provider is a payment provider whose next answers a test decides. It keeps what it was sent, and behaves otherwise like
// a real one: the same key gives the same checkout, and an expired one cannot be paid.
type provider struct {
	psp.Webhooks // not used

	mu        sync.Mutex
	faults    []*psp.CallError // of the next creates; nil lets one through
	expire    *psp.CallError   // of every expire
	expiring  func()           // happens once, while the next expire is on its way back
	creating  func()           // happens once, while the next create is on its way back
	retrieve  *psp.CallError   // of every retrieve
	list      *psp.CallError   // of every list
	retrieves int
	unfit     string // a success URL that cannot be rendered
	complete  bool   // a buyer is faster than the expire
	skew      int64  // added to what is charged
	sent      []sentCreate
	checkouts map[string]psp.Checkout // by key
	account   psp.Account             // acct_1 where it is zero
	refunds
}

type sentCreate struct {
	key  string
	body string
}

func (p *provider) Name() string         { return "test" }
func (p *provider) Account() psp.Account { return cmp.Or(p.account, psp.Account{ID: "acct_1"}) }
func (p *provider) Amounts(money.Currency) (psp.Amounts, bool) {
	return psp.Amounts{SmallestUnit: 1, Min: 50, Max: 1e12}, true
}
func (p *provider) Retrieve(_ time.Time, ref string) (psp.Checkout, *psp.CallError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retrieves++; p.retrieve != nil {
		return psp.Checkout{}, p.retrieve
	}
	for _, r := range p.checkouts {
		if r.Ref == ref {
			return r, nil
		}
	}
	return psp.Checkout{Ref: ref, Status: psp.CheckoutMissing}, nil
}
func (p *provider) Render(in psp.CheckoutParams) (psp.RenderedRequest, error) {
	if p.unfit != "" && in.SuccessTo == p.unfit {
		return psp.RenderedRequest{}, errors.New("cannot be rendered")
	}
	a := in.Order.Quote.Assessment
	return psp.RenderedRequest{Path: "/pay", Body: fmt.Appendf(nil, "%s %d %d %d %s", in.OrderID, in.Attempt, a.Total, in.ExpiresAt.Unix(), in.SuccessTo)}, nil
}

func (p *provider) Create(_ time.Time, w psp.RenderedRequest, key string) (psp.Created, *psp.CallError) {
	remote, callErr := p.make(w, key)
	if meanwhile := p.creating; meanwhile != nil {
		p.creating = nil
		meanwhile()
	}
	return remote, callErr
}

func (p *provider) make(w psp.RenderedRequest, key string) (psp.Created, *psp.CallError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, sentCreate{key, string(w.Body)})
	if len(p.faults) > 0 {
		callErr := p.faults[0]
		p.faults = p.faults[1:]
		if callErr != nil {
			return psp.Created{}, callErr
		}
	}
	if r, ok := p.checkouts[key]; ok { // what was answered then, whatever has become of it
		r.Status, r.Paid, r.PaymentID, r.URL = psp.CheckoutOpen, false, "", "https://psp.example/"+key
		return psp.Created{Checkout: r, Replayed: true}, nil
	}
	var total, expires int64
	r := psp.Checkout{Status: psp.CheckoutOpen, Ref: "ref_" + key, URL: "https://psp.example/" + key}
	fmt.Sscanf(string(w.Body), "%s %d %d %d", &r.OrderID, &r.Attempt, &total, &expires)
	r.Total = money.Amount{Minor: total + p.skew, Currency: "EUR"}
	if p.checkouts == nil {
		p.checkouts = make(map[string]psp.Checkout)
	}
	p.checkouts[key] = r
	return psp.Created{Checkout: r}, nil
}

func (p *provider) Expire(_ time.Time, ref string) (psp.Checkout, *psp.CallError) {
	remote, callErr := p.end(ref)
	if meanwhile := p.expiring; meanwhile != nil {
		p.expiring = nil
		meanwhile()
	}
	return remote, callErr
}

func (p *provider) end(ref string) (psp.Checkout, *psp.CallError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.expire != nil {
		return psp.Checkout{}, p.expire
	}
	for key, r := range p.checkouts {
		if r.Ref != ref {
			continue
		}
		r.Status, r.URL = psp.CheckoutExpired, ""
		if p.complete {
			r.Status, r.Paid, r.PaymentID = psp.CheckoutComplete, true, "pi_1"
		}
		p.checkouts[key] = r
		return r, nil
	}
	return psp.Checkout{Ref: ref, Status: psp.CheckoutMissing}, nil
}

// desk is a service on a real database, with one session to order from.
type desk struct {
	*orders.Service
	*provider
	config orders.Config
	db     *badgerstore.DB
	log    *bytes.Buffer
	opened time.Time     // the time of the desk, which a slow machine does not use up
	ahead  time.Duration // of that
}

// restart starts a service with another configuration in place of the one that there is.
func (d *desk) restart(change func(*orders.Config)) {
	change(&d.config)
	d.Service = orders.New(d.config)
}

// budget gives a create-order time for more tries or fewer.
func budget(d time.Duration) func(*orders.Config) {
	return func(c *orders.Config) { c.Budget = d }
}

// withStore makes a service use another store.
func withStore(s orders.Store) func(*orders.Config) {
	return func(c *orders.Config) { c.Store = s }
}

func openDesk(t *testing.T) *desk {
	t.Helper()
	return openDeskIn(t, t.TempDir())
}

func openDeskIn(t *testing.T, directory string) *desk {
	t.Helper()
	log := new(bytes.Buffer)
	logger := slog.New(slog.NewTextHandler(log, nil))
	db, err := badgerstore.Open(directory, badgerstore.Options{Log: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	p := new(provider)
	d := &desk{provider: p, db: db, log: log, opened: time.Now()}
	d.config = orders.Config{Store: db, Providers: map[checkout.Environment]orders.Provider{checkout.Test: unlimited(p)},
		Now: func() time.Time { return d.opened.Add(d.ahead) }, Rand: rand.Reader, Log: logger, TryTimeout: 50 * time.Millisecond, Budget: 100 * time.Millisecond}
	d.Service = orders.New(d.config)
	session := &sessions.Session{MerchantID: "MER_1", PageURL: "https://pay.example/s", Session: checkout.Session{
		ID: sessionID, Environment: checkout.Test, StoreID: "STO_1", ExpiresAt: time.Now().Add(time.Hour).UnixMilli(),
		Product: checkout.Product{ID: "PROD_1", Type: checkout.OneTime, Name: "A thing"},
		Terms: checkout.Terms{Price: money.Amount{Minor: 2900, Currency: "EUR"}, Category: tax.SaaS, Step: 1,
			Seller: tax.Seller{Country: "HK", Everywhere: true}},
	}}
	if err := d.db.WriteSession(context.Background(), session); err != nil {
		t.Fatal(err)
	}
	return d
}

// sweep looks at what is due some time from now.
func (d *desk) sweep(t *testing.T, later time.Duration) *orders.Order {
	t.Helper()
	d.ahead += later
	if err := d.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, o := d.stored(t)
	return o
}

// order asks for an order to a country.
func (d *desk) order(country string) (string, error) { return d.orderTo(country, "") }

// orderTo asks for an order whose buyer returns to a URL.
func (d *desk) orderTo(country, successURL string) (string, error) {
	business := false
	return d.Service.Create(context.Background(), &orders.Request{Request: checkout.Request{
		Caller: checkout.Caller{Environment: checkout.Test, StoreID: "STO_1"}, SessionID: sessionID,
		Billing: &billing.Input{Country: country, IsBusiness: &business}, BuyerEmail: "ada@example.com", SuccessURL: successURL,
	}}, "", nil)
}

func (d *desk) stored(t *testing.T) (*sessions.Session, *orders.Order) {
	t.Helper()
	session, err := d.db.Session(context.Background(), sessionID)
	if err != nil {
		t.Fatal(err)
	}
	o, err := d.Order(context.Background(), session)
	if err != nil {
		t.Fatal(err)
	}
	return session, o
}

// event is what the provider reports of an attempt.
func (d *desk) event(o *orders.Order, n int, kind psp.EventKind, id string) psp.Event {
	a := o.Attempt(n)
	status := psp.CheckoutComplete
	if kind == psp.EventExpired {
		status = psp.CheckoutExpired
	}
	return psp.Event{ID: id, Kind: kind, Created: time.Now(), Checkout: psp.Checkout{Ref: a.Ref, OrderID: o.ID, Attempt: n, Status: status,
		Paid: kind == psp.EventCompleted || kind == psp.EventSucceeded, PaymentID: fmt.Sprintf("pi_%d", n),
		Total: money.Amount{Minor: a.Placed.Quote.Assessment.Total, Currency: "EUR"}}}
}

func (d *desk) apply(t *testing.T, ev psp.Event) {
	t.Helper()
	if err := d.Apply(context.Background(), checkout.Test, ev); err != nil {
		t.Fatal(err)
	}
}

// ListCheckouts returns all checkouts on one page, whenever they were created.
func (p *provider) ListCheckouts(time.Time, psp.Span, string) (page psp.Page[psp.Checkout], _ *psp.CallError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.checkouts {
		page.Items = append(page.Items, r)
	}
	return page, p.list
}

func (p *provider) UndeliveredEvents(time.Time, string) (page psp.Page[psp.Event], _ *psp.CallError) {
	return page, nil
}
