package sandbox

import (
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
)

const (
	apiKey        = "sk_test_sandbox"
	webhookSecret = "whsec_sandbox"
)

// clock is a clock that a test can advance.
type clock struct {
	mutex sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.ahead += d
}

// shop is a sandbox with its store, a merchant's webhook endpoint and the adapter that drives it.
type shop struct {
	*Sandbox
	t       testing.TB
	config  Config
	clock   *clock
	gateway *stripe.Provider
	inbox   *inbox
}

func newShop(t testing.TB, change func(*Config)) *shop {
	t.Helper()
	s := &shop{t: t, clock: new(clock), inbox: newInbox(t)}
	s.config = Config{
		Store: openStore(t), Key: apiKey, WebhookURL: s.inbox.url, WebhookSecret: webhookSecret,
		PublicURL: "http://127.0.0.1/sandbox", Now: s.clock.now,
		Delay: 100 * time.Millisecond,
	}
	if change != nil {
		change(&s.config)
	}
	s.start()
	return s
}

// start starts the sandbox, or restarts it on the same store.
func (s *shop) start() {
	s.Sandbox = New(s.config)
	s.gateway = stripe.New(stripe.Config{
		Key: apiKey, WebhookSecret: webhookSecret, BaseURL: "http://sandbox.invalid", Dial: s.Sandbox.Dial,
	})
	s.t.Cleanup(func() { s.Sandbox.Close() })
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// inbox is an endpoint for webhooks.
type inbox struct {
	url      string
	received chan message
	mutex    sync.Mutex
	status   []int // of the next answers; then 200
}

type message struct{ signature, body string }

// header looks up a header of the request.
func (m message) header(name string) string {
	return map[string]string{"Stripe-Signature": m.signature}[name]
}

func newInbox(t testing.TB) *inbox {
	listener := listen(t)
	in := &inbox{url: "http://" + listener.Addr().String() + "/webhook", received: make(chan message, 100)}
	server := &http.Server{Handler: in}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return in
}

func (in *inbox) answer(status ...int) {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	in.status = status
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	in.mutex.Lock()
	defer in.mutex.Unlock()
	if len(in.status) > 0 {
		w.WriteHeader(in.status[0])
		in.status = in.status[1:]
	}
	in.received <- message{r.Header.Get("Stripe-Signature"), string(body)}
}

// event waits for the next webhook and reads it as the edge does.
func (s *shop) event() psp.Event {
	s.t.Helper()
	select {
	case m := <-s.inbox.received:
		e, err := s.gateway.Webhook(m.header, []byte(m.body), s.clock.now())
		if err != nil {
			s.t.Fatalf("%v: %s", err, m.body)
		}
		return e
	case <-time.After(10 * time.Minute):
		s.t.Fatal("no webhook came")
		panic("unreachable")
	}
}

// silence fails if a webhook arrives.
func (s *shop) silence() {
	s.t.Helper()
	select {
	case m := <-s.inbox.received:
		s.t.Fatalf("unexpected webhook: %s", m.body)
	case <-time.After(80 * time.Millisecond):
	}
}

// payable is an order of 29.00 + 2.10 = 31.10 USD.
func (s *shop) payable() psp.CheckoutParams {
	rate := tax.Component{Jurisdiction: "US-CA", Tax: "sales", Rate: 7250, Base: 100, Taxable: 2900, Amount: 210}
	return psp.CheckoutParams{
		OrderID: "ORD_1", Attempt: 1,
		Order: &checkout.Order{
			SessionID: "cs_550e8400-e29b-41d4-a716-446655440000", Product: checkout.Product{Name: "Northline Pro"},
			Quote: checkout.Quote{Currency: "USD", Assessment: tax.Assessment{
				Subtotal: 2900, Tax: 210, Total: 3110, Components: []tax.Component{rate},
			}},
			BuyerEmail: "ada@example.com",
		},
		SuccessTo: "https://shop.example/thanks?id={CHECKOUT_SESSION_ID}&q=a%20b", CancelTo: "https://shop.example/cart",
		ExpiresAt: s.clock.now().Add(time.Hour),
	}
}

func (s *shop) wire(change func(*psp.CheckoutParams)) psp.RenderedRequest {
	s.t.Helper()
	p := s.payable()
	if change != nil {
		change(&p)
	}
	w, err := s.gateway.Render(p)
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}

func soon() time.Time { return time.Now().Add(5 * time.Minute) }

// open creates a session with the adapter.
func (s *shop) open(key string) psp.Checkout {
	s.t.Helper()
	made, fault := s.gateway.Create(soon(), s.wire(nil), key)
	if fault != nil {
		s.t.Fatal(fault)
	}
	return made.Checkout
}

// choose lets the buyer choose an outcome.
func (s *shop) choose(remote psp.Checkout, outcome string) {
	s.t.Helper()
	if err := s.Choose(remote.Ref, outcome); err != nil {
		s.t.Fatal(err)
	}
}
