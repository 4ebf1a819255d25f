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
	"github.com/crepe-checkout/crepe/core/problem"
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
func (p *provider) Webhook(func(string) string, []byte, time.Time) (psp.Event, error) {
	return psp.Event{}, errors.New("not used")
}

func (p *provider) Render(in psp.CheckoutParams) (psp.RenderedRequest, error) {
	if p.unfit != "" && in.SuccessTo == p.unfit {
		return psp.RenderedRequest{}, errors.New("cannot be rendered")
	}
	a := in.Order.Quote.Assessment
	return psp.RenderedRequest{Path: "/pay", Body: fmt.Appendf(nil, "%s %d %d %d %s", in.OrderID, in.Attempt, a.Total, in.ExpiresAt.Unix(), in.SuccessTo)}, nil
}

func (p *provider) Create(_ time.Time, w psp.RenderedRequest, key string) (psp.Checkout, *psp.CallError) {
	remote, callErr := p.make(w, key)
	if meanwhile := p.creating; meanwhile != nil {
		p.creating = nil
		meanwhile()
	}
	return remote, callErr
}

func (p *provider) make(w psp.RenderedRequest, key string) (psp.Checkout, *psp.CallError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, sentCreate{key, string(w.Body)})
	if len(p.faults) > 0 {
		callErr := p.faults[0]
		p.faults = p.faults[1:]
		if callErr != nil {
			return psp.Checkout{}, callErr
		}
	}
	if r, ok := p.checkouts[key]; ok {
		return r, nil
	}
	var total, expires int64
	r := psp.Checkout{Status: psp.CheckoutOpen, Ref: "ref_" + key, URL: "https://psp.example/" + key}
	fmt.Sscanf(string(w.Body), "%s %d %d %d", &r.OrderID, &r.Attempt, &total, &expires)
	r.Total = money.Amount{Minor: total + p.skew, Currency: "EUR"}
	if p.checkouts == nil {
		p.checkouts = make(map[string]psp.Checkout)
	}
	p.checkouts[key] = r
	return r, nil
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
	ahead  time.Duration // of the real clock
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
	d := &desk{provider: p, db: db, log: log}
	d.config = orders.Config{Store: db, Providers: map[checkout.Environment]orders.Provider{checkout.Test: unlimited(p)},
		Now: func() time.Time { return time.Now().Add(d.ahead) }, Rand: rand.Reader, Log: logger, TryTimeout: 50 * time.Millisecond, Budget: 100 * time.Millisecond}
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
	return d.Service.Create(context.Background(), &checkout.Request{
		Caller: checkout.Caller{Environment: checkout.Test, StoreID: "STO_1"}, SessionID: sessionID,
		Billing: &billing.Input{Country: country, IsBusiness: &business}, BuyerEmail: "ada@example.com", SuccessURL: successURL,
	}, "", nil)
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

// TestFailedCalls: whatever the provider's failure proves, the buyer gets an error that is no refusal, and the same
// request succeeds afterwards; under the old key and with the old bytes exactly when the first call may have had effect.
func TestFailedCalls(t *testing.T) {
	for _, c := range []struct {
		name    string
		fault   psp.CallError
		state   orders.State
		attempt orders.AttemptState
		replay  bool
	}{
		{"refused for good", psp.CallError{Class: psp.Definitive, Status: 400}, orders.RolledBack, orders.Refused, false},
		{"certainly not executed", psp.CallError{Class: psp.NotExecuted, Status: 401}, orders.RolledBack, orders.Refused, false},
		{"stuck", psp.CallError{Class: psp.KeyBurned, Status: 500}, orders.RolledBack, orders.Abandoned, false},
		{"unknown", psp.CallError{Class: psp.Unknown, Err: errors.New("timeout")}, orders.Pending, orders.Unresolved, true},
		{"in progress", psp.CallError{Class: psp.InProgress, Status: 409}, orders.Pending, orders.Unresolved, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := openDesk(t)
			d.faults = []*psp.CallError{&c.fault}
			_, err := d.order("DE")
			var refusal problem.List
			if err == nil || errors.As(err, &refusal) {
				t.Fatalf("got %v", err)
			}
			session, o := d.stored(t)
			if o.State != c.state || o.Current().State != c.attempt {
				t.Errorf("order %s, attempt %s", o.State, o.Current().State)
			}
			if _, visible := o.Published(); visible {
				t.Error("the merchant sees the order")
			}
			if session.Billing != nil || session.BuyerEmail != "" {
				t.Error("the session is not as it was before")
			}
			url, err := d.order("DE")
			if err != nil || url == "" {
				t.Fatalf("again: %q, %v", url, err)
			}
			if same := d.sent[0] == d.sent[1]; len(d.sent) != 2 || same != c.replay || (d.sent[0].key == d.sent[1].key) != c.replay {
				t.Errorf("sent %q", d.sent)
			}
		})
	}
}

// TestTotalOutsideLimits: a total that the provider cannot charge is refused with the limit, and nothing is written or sent.
func TestTotalOutsideLimits(t *testing.T) {
	for minor, want := range map[int64]string{
		49:        "Order total cannot be charged: expected at least 0.50 EUR",
		1e12 + 50: "Order total cannot be charged: expected at most 10000000000.00 EUR",
	} {
		d := openDesk(t)
		session, _ := d.db.Session(context.Background(), sessionID)
		session.Terms.Price.Minor = minor
		session.Terms.Seller = tax.Seller{Country: "HK"}
		if err := d.db.WriteSession(context.Background(), session); err != nil {
			t.Fatal(err)
		}
		_, err := d.order("HK")
		var refused *problem.Problem
		if !errors.As(err, &refused) || refused.Kind != problem.Invalid || refused.Message != want {
			t.Errorf("%d: %v", minor, err)
		}
		if session, err := d.db.Session(context.Background(), sessionID); err != nil || session.OrderID != "" || len(d.sent) != 0 {
			t.Errorf("%d left the order %q and %d calls", minor, session.OrderID, len(d.sent))
		}
	}
}

// TestRefusalsOfTheCaller: what the provider refuses and the caller can mend is the caller's refusal, and the session can be
// ordered from again.
func TestRefusalsOfTheCaller(t *testing.T) {
	for refuses, want := range map[psp.Refusal]string{
		psp.RefusesSmallTotal: "Order total cannot be charged: below the payment provider's minimum",
		psp.RefusesLargeTotal: "Order total cannot be charged: above the payment provider's maximum",
		psp.RefusesCurrency:   "Unsupported currency: EUR",
		psp.RefusesEmail:      "Invalid buyerEmail",
		psp.RefusesSuccessURL: "Invalid successUrl",
	} {
		d := openDesk(t)
		d.faults = []*psp.CallError{{Class: psp.Definitive, Status: 400, Refuses: refuses}}
		_, err := d.order("DE")
		var refused *problem.Problem
		if !errors.As(err, &refused) || refused.Kind != problem.Invalid || refused.Message != want {
			t.Errorf("%d: %v", refuses, err)
		}
		if _, o := d.stored(t); o.State != orders.RolledBack {
			t.Errorf("%d: the order is %s", refuses, o.State)
		}
		if url, err := d.order("DE"); err != nil || url == "" {
			t.Errorf("%d: again: %v", refuses, err)
		}
	}
}

// TestRetriesWithinBudget: a passing failure costs the buyer nothing but time.
func TestRetriesWithinBudget(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(2 * time.Second))
	d.faults = []*psp.CallError{{Class: psp.Unknown}, {Class: psp.NotExecuted, Status: 429}}
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	if len(d.sent) != 3 || d.sent[0] != d.sent[1] || d.sent[1] != d.sent[2] {
		t.Errorf("sent %q", d.sent)
	}
}

// TestNotExecutedAfterUnknown: a later "I did not do it" says nothing about the earlier try.
func TestNotExecutedAfterUnknown(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(time.Second))
	d.faults = []*psp.CallError{{Class: psp.Unknown}, {Class: psp.NotExecuted, Status: 401}}
	if _, err := d.order("DE"); err == nil {
		t.Fatal("no error")
	}
	if _, o := d.stored(t); o.Current().State != orders.Unresolved {
		t.Errorf("the attempt is %s", o.Current().State)
	}
}

// TestLostCommit: the process dies between the provider's answer and our writing it down. The next request finds the
// attempt sent, asks again with the same bytes, and gets the one checkout that exists.
func TestLostCommit(t *testing.T) {
	d := openDesk(t)
	failing := &failingStore{Store: d.db, failAt: 2}
	d.restart(withStore(failing))
	if _, err := d.order("DE"); !errors.Is(err, errPowerCut) {
		t.Fatalf("got %v", err)
	}
	d.restart(withStore(d.db))
	if _, o := d.stored(t); o.Current().State != orders.Sent {
		t.Fatalf("the attempt is %s", o.Current().State)
	}
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	if len(d.sent) != 2 || d.sent[0] != d.sent[1] || len(d.checkouts) != 1 {
		t.Errorf("sent %q, %d checkouts", d.sent, len(d.checkouts))
	}
}

var errPowerCut = errors.New("power cut")

// failingStore loses the commit of a given number.
type failingStore struct {
	orders.Store
	failAt, commits int
}

func (s *failingStore) Commit(ctx context.Context, c orders.Change) error {
	if s.commits++; s.commits == s.failAt {
		return errPowerCut
	}
	return s.Store.Commit(ctx, c)
}

// TestAnotherTotal: a provider that would charge something else is not shown to the buyer.
func TestAnotherTotal(t *testing.T) {
	d := openDesk(t)
	d.skew = 1
	if _, err := d.order("DE"); err == nil {
		t.Fatal("no error")
	}
	if _, o := d.stored(t); o.State != orders.RolledBack || o.Current().URL != "" {
		t.Errorf("the order is %s with URL %q", o.State, o.Current().URL)
	}
}

// TestSupersede: something else is asked for. The first checkout is ended before there is a second.
func TestSupersede(t *testing.T) {
	d := openDesk(t)
	first, err := d.order("DE")
	if err != nil {
		t.Fatal(err)
	}
	d.expire = &psp.CallError{Class: psp.Unknown}
	if _, err := d.order("FR"); err == nil {
		t.Fatal("an expiry whose outcome is unknown passed for an expiry")
	}
	if len(d.checkouts) != 1 {
		t.Fatal("a second checkout was made")
	}
	d.expire = nil
	second, err := d.order("FR")
	if err != nil || second == first {
		t.Fatalf("got %q, %v", second, err)
	}
	session, o := d.stored(t)
	if len(o.Attempts) != 2 || o.Attempts[0].State != orders.Ended || session.Billing.Country != "FR" {
		t.Errorf("attempts %+v, session %+v", o.Attempts, session.Billing)
	}
}

// TestSupersedesOnce: while one process ends a checkout for a changed request, another one answers the unchanged request with a
// new checkout. The changed request has had its effect; it does not end that checkout as well.
func TestSupersedesOnce(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(time.Minute))
	other := *d
	other.Service = orders.New(d.config)
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	var second string
	d.expiring = func() {
		var err error
		if second, err = other.order("DE"); err != nil {
			t.Error(err)
		}
	}
	url, err := d.order("FR")
	if refusal, ok := errors.AsType[*problem.Problem](err); !ok || refusal.Kind != problem.Unavailable {
		t.Errorf("the changed request got %q, %v", url, err)
	}
	if again, err := d.order("DE"); err != nil || again != second {
		t.Errorf("the buyer had %s and gets %s, %v", second, again, err)
	}
}

// TestUnfitChangeEndsNothing: a changed request that the provider cannot be sent leaves the checkout of the unchanged one open,
// also where an earlier change was to end it.
func TestUnfitChangeEndsNothing(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(time.Minute))
	d.unfit = "https://shop.example/unfit"
	first, err := d.order("DE")
	if err != nil {
		t.Fatal(err)
	}
	unfit := func() {
		t.Helper()
		if url, err := d.orderTo("DE", d.unfit); err == nil {
			t.Errorf("got %q for a request that cannot be rendered", url)
		}
		for key, r := range d.checkouts {
			if r.Status != psp.CheckoutOpen {
				t.Errorf("%s was ended", key)
			}
		}
	}
	unfit()
	if again, err := d.order("DE"); again != first {
		t.Errorf("the unchanged request gets %q, %v", again, err)
	}
	d.expire = &psp.CallError{Class: psp.Unknown}
	if _, err := d.order("FR"); err == nil {
		t.Fatal("an expiry whose outcome is unknown passed for an expiry")
	}
	d.expire = nil
	unfit()
}

// TestTakenOver: a process sends again what another one is sending. The other one's try had no effect for certain, this one's
// may have had: the attempt is not refused.
func TestTakenOver(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(time.Minute))
	other := *d
	other.Service = orders.New(d.config)
	d.faults = []*psp.CallError{{Class: psp.NotExecuted, Status: 401}}
	made, over, taken := make(chan struct{}), make(chan struct{}), make(chan error)
	d.creating = func() { // the first call is on its way back
		d.creating = func() { close(made); <-over } // and the second until the first request is over
		go func() { _, err := other.order("DE"); taken <- err }()
		<-made
	}
	d.order("DE")
	close(over)
	if err := <-taken; err != nil {
		t.Error(err)
	}
	_, o := d.stored(t)
	for _, a := range o.Attempts {
		if _, made := d.checkouts[a.Key]; made && a.State == orders.Refused {
			t.Errorf("attempt %d of %d counts as refused, and there is a checkout for it", a.N, len(o.Attempts))
		}
	}
}

// TestSupersedeTooLate: the buyer has paid in another tab.
func TestSupersedeTooLate(t *testing.T) {
	d := openDesk(t)
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	d.complete = true
	_, err := d.order("FR")
	var refusal problem.List
	if !errors.As(err, &refusal) || refusal[0].Kind != problem.Conflict {
		t.Fatalf("got %v", err)
	}
	session, o := d.stored(t)
	if o.State != orders.Paid || !session.Closed || len(o.Payments) != 1 {
		t.Errorf("order %s, closed %t, payments %+v", o.State, session.Closed, o.Payments)
	}
	d.apply(t, d.event(o, 1, psp.EventCompleted, "evt_1"))
	if _, again := d.stored(t); len(again.Payments) != 1 || again.State != orders.Paid {
		t.Errorf("the webhook counted a second time: %s, %+v", again.State, again.Payments)
	}
}

// TestManyAtOnce: a double click, two tabs and an impatient script lead to one checkout.
func TestManyAtOnce(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(5 * time.Second))
	const clients = 32
	urls := make([]string, clients)
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() {
			var err error
			if urls[i], err = d.order("DE"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, url := range urls {
		if url != urls[0] {
			t.Fatalf("two URLs: %s and %s", urls[0], url)
		}
	}
	if len(d.sent) != 1 {
		t.Errorf("%d calls to the provider", len(d.sent))
	}
}

// TestEventsSayWhatTheirObjectSays: the status and the payment of an event's checkout decide, and not what the event is called.
func TestEventsSayWhatTheirObjectSays(t *testing.T) {
	for _, c := range []struct {
		kind   psp.EventKind
		status psp.CheckoutStatus
		paid   bool
		want   orders.State
	}{
		{psp.EventSucceeded, psp.CheckoutComplete, false, orders.Processing},
		{psp.EventSucceeded, psp.CheckoutExpired, false, orders.Expired},
		{psp.EventSucceeded, psp.CheckoutOpen, false, orders.AwaitingPayment},
		{psp.EventCompleted, psp.CheckoutOpen, false, orders.AwaitingPayment},
		{psp.EventCompleted, psp.CheckoutUnknown, false, orders.AwaitingPayment},
		{psp.EventCompleted, psp.CheckoutExpired, false, orders.Expired},
		{psp.EventExpired, psp.CheckoutComplete, true, orders.Paid},
		{psp.EventExpired, psp.CheckoutComplete, false, orders.Processing},
		{psp.EventExpired, psp.CheckoutOpen, false, orders.AwaitingPayment},
		{psp.EventFailed, psp.CheckoutComplete, true, orders.Paid},
		{psp.EventFailed, psp.CheckoutComplete, false, orders.Failed},
		{psp.EventFailed, psp.CheckoutOpen, false, orders.AwaitingPayment},
	} {
		d := openDesk(t)
		if _, err := d.order("DE"); err != nil {
			t.Fatal(err)
		}
		_, o := d.stored(t)
		ev := d.event(o, 1, c.kind, "evt_1")
		ev.Checkout.Status, ev.Checkout.Paid = c.status, c.paid
		d.apply(t, ev)
		if _, o = d.stored(t); o.State != c.want {
			t.Errorf("an event of kind %d whose checkout has status %d, paid %t, made the order %s, want %s",
				c.kind, c.status, c.paid, o.State, c.want)
		}
	}
}

// TestEvents: what the provider reports may come twice, late, or about something that is not ours.
func TestEvents(t *testing.T) {
	d := openDesk(t)
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	_, o := d.stored(t)
	declined := d.event(o, 1, psp.EventDeclined, "evt_1")
	declined.Reason = "card_declined"
	d.apply(t, declined)
	_, o = d.stored(t)
	if status, _ := o.Published(); status != "pending" || len(o.Payments) != 1 || o.Payments[0].Status != orders.Declined {
		t.Errorf("after a declined card: %s, %+v", status, o.Payments)
	}

	wrong := d.event(o, 1, psp.EventCompleted, "evt_2")
	wrong.Checkout.Total.Minor--
	live := d.event(o, 1, psp.EventCompleted, "evt_3")
	live.Checkout.Live = true
	foreign := d.event(o, 1, psp.EventCompleted, "evt_4")
	foreign.Checkout.OrderID = "ORD_0"
	for _, ev := range []psp.Event{wrong, live, foreign} {
		d.apply(t, ev)
	}
	if _, o = d.stored(t); o.State != orders.AwaitingPayment {
		t.Fatalf("an event that fits nothing made the order %s", o.State)
	}

	paid := d.event(o, 1, psp.EventCompleted, "evt_5")
	d.apply(t, paid)
	d.apply(t, paid)
	paid.ID = "evt_6"
	d.apply(t, paid)
	d.apply(t, d.event(o, 1, psp.EventExpired, "evt_7"))
	session, o := d.stored(t)
	if o.State != orders.Paid || len(o.Payments) != 2 || !session.Closed {
		t.Errorf("order %s, payments %+v, closed %t", o.State, o.Payments, session.Closed)
	}
}

// TestTwoPayments: a superseded checkout that was paid all the same is money that must go back.
func TestTwoPayments(t *testing.T) {
	for _, order := range [][]int{{1, 2}, {2, 1}} {
		d := openDesk(t)
		for _, country := range []string{"DE", "FR"} {
			if _, err := d.order(country); err != nil {
				t.Fatal(err)
			}
		}
		_, o := d.stored(t)
		for _, n := range order {
			d.apply(t, d.event(o, n, psp.EventCompleted, fmt.Sprint("evt_", n)))
		}
		if _, o = d.stored(t); o.State != orders.RefundDue || len(o.Payments) != 2 {
			t.Errorf("paid in the order %v: %s, %+v", order, o.State, o.Payments)
		}
	}
}

// TestDelayedPayment: the buyer is through, the money comes days later or not at all.
func TestDelayedPayment(t *testing.T) {
	for _, c := range []struct {
		then  psp.EventKind
		state orders.State
	}{{psp.EventSucceeded, orders.Paid}, {psp.EventFailed, orders.Failed}} {
		d := openDesk(t)
		if _, err := d.order("DE"); err != nil {
			t.Fatal(err)
		}
		_, o := d.stored(t)
		through := d.event(o, 1, psp.EventCompleted, "evt_1")
		through.Checkout.Paid = false
		d.apply(t, through)
		if session, o := d.stored(t); o.State != orders.Processing || !session.Closed {
			t.Fatalf("order %s, closed %t", o.State, session.Closed)
		}
		d.apply(t, d.event(o, 1, c.then, "evt_2"))
		if session, o := d.stored(t); o.State != c.state || session.Closed != (c.state == orders.Paid) {
			t.Errorf("order %s, closed %t", o.State, session.Closed)
		}
	}
}

// TestDelayedPaymentOutOfOrder: the news that the money will not come may overtake the news that it is on its way, and comes
// as a declined payment, too.
func TestDelayedPaymentOutOfOrder(t *testing.T) {
	kinds := []psp.EventKind{psp.EventFailed, psp.EventCompleted, psp.EventDeclined}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		d := openDesk(t)
		if _, err := d.order("DE"); err != nil {
			t.Fatal(err)
		}
		_, o := d.stored(t)
		for _, i := range order {
			ev := d.event(o, 1, kinds[i], fmt.Sprint("evt_", i))
			ev.Checkout.Paid = false
			if kinds[i] == psp.EventDeclined {
				ev.Reason = "The payment failed."
			}
			d.apply(t, ev)
		}
		session, o := d.stored(t)
		if o.State != orders.Failed || session.Closed || o.DueAt() != 0 {
			t.Errorf("in the order %v: %s, closed %t", order, o.State, session.Closed)
		}
		if len(o.Payments) == 0 || len(o.Payments) > 2 {
			t.Errorf("in the order %v: %d payments", order, len(o.Payments))
		}
		if _, err := d.order("DE"); err != nil {
			t.Errorf("the buyer cannot try again: %v", err)
		}
	}
}

// TestCanceled: a buyer who let the checkout end finds the order canceled and its session closed.
func TestCanceled(t *testing.T) {
	d := openDesk(t)
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	_, o := d.stored(t)
	d.apply(t, d.event(o, 1, psp.EventExpired, "evt_1"))
	_, o = d.stored(t)
	if status, _ := o.Published(); status != "canceled" {
		t.Errorf("the order is %s", status)
	}
	_, err := d.order("DE")
	var refusal problem.List
	if !errors.As(err, &refusal) || refusal[0].Kind != problem.Conflict {
		t.Errorf("got %v", err)
	}
}

// TestSpentToken: a token has one order, however many requests come at once.
func TestSpentToken(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(5 * time.Second))
	spend := &orders.SpentToken{Environment: checkout.Test, ID: "tok", ExpiresAt: time.Now().Add(time.Minute).UnixMilli()}
	results := make(chan error, 6)
	for i := range 6 {
		go func() {
			business := false
			_, err := d.Service.Create(context.Background(), &checkout.Request{
				Caller: checkout.Caller{Environment: checkout.Test, StoreID: "STO_1"}, SessionID: sessionID,
				Billing: &billing.Input{Country: "DE", IsBusiness: &business}, BuyerEmail: fmt.Sprintf("ada%d@example.com", i),
			}, "", spend)
			results <- err
		}()
	}
	placed := 0
	for range 6 {
		var refusal *problem.Problem
		switch err := <-results; {
		case err == nil:
			placed++
		case !errors.As(err, &refusal) || refusal.Kind != problem.Unauthenticated:
			t.Error(err)
		}
	}
	if placed != 1 || len(d.sent) != 1 {
		t.Errorf("%d orders placed, %d calls", placed, len(d.sent))
	}
}

// TestWithoutProvider: an order of an environment without a provider can be placed when there is one again, so that it is
// refused for the moment.
func TestWithoutProvider(t *testing.T) {
	d := openDesk(t)
	providers := d.config.Providers
	d.restart(func(c *orders.Config) { c.Providers = nil })
	var refused *problem.Problem
	if _, err := d.order("DE"); !errors.As(err, &refused) || refused.Kind != problem.Unavailable ||
		refused.Message != "No payment provider is configured for environment test" {
		t.Errorf("without a provider: %v", err)
	}
	d.restart(func(c *orders.Config) { c.Providers, c.Budget = providers, time.Minute })
	if _, err := d.order("DE"); err != nil {
		t.Errorf("with one again: %v", err)
	}
}
