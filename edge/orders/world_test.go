package orders_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

const (
	providerKey   = "sk_test_canary_of_the_key"
	webhookSecret = "whsec_canary_of_the_secret"
)

// world is the simulation: our process with its database, the provider on a machine of its own, buyers. It lives in a
// synctest bubble, where waiting costs nothing.
type world struct {
	broken    mutant // what is wrong with the flow, on purpose
	ours      record.Store
	view      orders.Store // ours, as the service sees it
	theirs    *durable.DB
	directory string
	provider  *sandbox.Sandbox
	inbox     *fasthttputil.InmemoryListener // where the provider's webhooks arrive
	server    *fasthttp.Server
	log       *buffer
	ahead     atomic.Int64 // nanoseconds that were leapt over
	skew      atomic.Int64 // nanoseconds that the provider's clock is ahead of ours

	mutex      sync.Mutex
	current    *life // gets what comes in
	zombie     *life // a process that ought to have ended; nil for none
	answers    []*answer
	instants   int // beginnings and ends of answers
	events     []received
	before     map[string]*orders.Order // by id, at the last look
	violations []violation
	over       map[string]time.Time // when checkouts of the provider were seen to be over, by id
	faulty     bool                 // calls of the provider were to go wrong
	stalled    bool                 // something was held up
	held       int                  // and how much still is
	crashes    int
	dieAgain   int           // the boundary at which the next process dies; 0 for none
	setBack    time.Duration // how far the clock was
	latest     time.Time     // and the latest that it was before
	deaf       bool          // webhooks are accepted, and nothing comes of them
	recovered  time.Duration // how long it took until nothing was in doubt
}

// answer is what came of one create-order.
type answer struct {
	life    *life // that was asked
	session int
	country string
	url     string
	err     error
	done    bool      // the buyer has it; a process that dies answers nothing
	asked   time.Time // in simulated time
	began   int       // when, counting all beginnings and ends
	ended   int
	took    time.Duration // in simulated time
	latest  time.Time     // that it ever was up to then
}

// received is a webhook as it arrived.
type received struct {
	signature string
	body      []byte
}

// header looks up a header of the request.
func (r received) header(name string) string {
	if name == "Stripe-Signature" {
		return r.signature
	}
	return ""
}

// mutant breaks the flow between the service and its ports. The zero value breaks nothing.
type mutant struct {
	postgres string // the URL of our database; "" is one in a directory
	store    func(orders.Store) orders.Store
	provider func(psp.Provider) psp.Provider
}

// shops is how many checkout sessions a simulation has.
const shops = 2

func sessionOf(n int) string { return fmt.Sprintf("cs_550e8400-e29b-41d4-a716-44665544000%d", n) }

// emailOf is a canary: it must turn up in no log and no key.
func emailOf(session int, country string) string {
	return fmt.Sprintf("canary-%d-%s@buyer.example", session, country)
}

// inWorld runs a function in a new simulation, in which nothing has happened, and ends it.
func inWorld(t *testing.T, m mutant, do func(*world)) {
	t.Helper()
	startClocks(t)
	directory, err := os.MkdirTemp(inMemory(), "world")
	must(err)
	defer os.RemoveAll(directory)
	synctest.Test(t, func(t *testing.T) {
		leaveYear2000()
		w := &world{broken: m, directory: directory, log: new(buffer), before: make(map[string]*orders.Order),
			over: make(map[string]time.Time)}
		w.ahead.Store(int64(time.Hour)) // it can be set back, and stays ahead of the clock by which the guard waits for a turn
		w.begin()
		do(w)
		w.end()
	})
}

// leaveYear2000, in which a bubble begins and our rules do not hold yet.
func leaveYear2000() {
	time.Sleep(time.Until(time.Date(2026, time.June, 1, 9, 0, 0, 0, time.UTC)))
}

// inMemory is a directory that needs no disk, where there is one: power cuts are for other tests.
func inMemory() string {
	if _, err := os.Stat("/dev/shm"); err == nil {
		return "/dev/shm"
	}
	return ""
}

var clocks sync.Once

// startClocks has fasthttp start the clock of its Date header, which goes on for ever, outside of every bubble.
func startClocks(t *testing.T) {
	clocks.Do(func() {
		l := fasthttputil.NewInmemoryListener()
		go fasthttp.Serve(l, func(*fasthttp.RequestCtx) {})
		defer l.Close()
		c := fasthttp.HostClient{Addr: "clock", Dial: func(string) (net.Conn, error) { return l.Dial() }}
		if status, _, err := c.Get(nil, "http://clock/"); status != 200 || err != nil {
			t.Fatal(status, err)
		}
	})
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Decide is the rules of the store. Their discount changes every minute.
func (w *world) Decide(context.Context, *checkout.Order) (checkout.Discount, problem.List, error) {
	return checkout.Discount{Label: "Happy minute", Minor: int64(w.now().Minute()%4) * 100}, nil, nil
}

func (w *world) begin() {
	var err error
	w.theirs, err = durable.Open(filepath.Join(w.directory, "theirs"), durable.Options{NoSync: true})
	must(err)
	w.inbox = fasthttputil.NewInmemoryListener()
	w.server = &fasthttp.Server{Handler: w.receive, CloseOnShutdown: true, Logger: log.New(io.Discard, "", 0)}
	go w.server.Serve(w.inbox)
	w.provider = sandbox.New(sandbox.Config{
		Store: sandbox.NewStore(w.theirs, checkout.Test), Key: providerKey, PublicURL: "https://psp.example", Record: true,
		Now:        func() time.Time { return w.now().Add(time.Duration(w.skew.Load())) },
		WebhookURL: "http://merchant/webhook", WebhookSecret: webhookSecret,
		WebhookDial: func(string) (net.Conn, error) { return w.inbox.Dial() },
	})
	w.boot()
	for i := range shops {
		must(w.view.Commit(context.Background(), orders.Change{Session: newSession(i, w.now())}))
	}
}

func newSession(n int, now time.Time) *sessions.Session {
	return &sessions.Session{MerchantID: "MER_1", PageURL: "https://pay.example/s", Session: checkout.Session{
		ID: sessionOf(n), Environment: checkout.Test, StoreID: "STO_1", ExpiresAt: now.Add(30 * 24 * time.Hour).UnixMilli(),
		Product: checkout.Product{ID: "PROD_1", Type: checkout.OneTime, Name: "A thing"},
		Terms: checkout.Terms{Price: money.Amount{Minor: 2900, Currency: "EUR"}, Category: tax.SaaS, Step: 1,
			Seller: tax.Seller{Country: "HK", Everywhere: true}},
	}}
}

// end closes everything, and lets the last idle connection and whatever is still held up go: a bubble ends when its goroutines
// have.
func (w *world) end() {
	w.halt()
	must(w.ours.Close())
	must(w.provider.Close())
	must(w.theirs.Close())
	w.inbox.Close()
	w.server.Shutdown()
	time.Sleep(time.Minute)
}

// now is the simulated time: that of the synctest bubble and what was skipped.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// leap passes a stretch of time of which nobody sees the middle, as if the machine had slept, or sets the clock back; and then
// passes five seconds more.
func (w *world) leap(d time.Duration) {
	w.mutex.Lock()
	if d < 0 {
		w.setBack -= d
		w.latest = later(w.latest, w.now())
	}
	w.ahead.Add(int64(d))
	w.mutex.Unlock()
	time.Sleep(5 * time.Second)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// boot opens our database and starts a process on it.
func (w *world) boot() {
	w.ours = openStore(w.broken.postgres, filepath.Join(w.directory, "ours"))
	w.view = w.ours
	if w.broken.store != nil {
		w.view = w.broken.store(w.ours)
	}
	w.setCurrent(w.newLife())
	synctest.Wait()
}

func (w *world) setCurrent(l *life) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.current = l
}

func (w *world) currentLife() *life {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.current
}

// halt ends all our processes and waits until nothing of them moves.
func (w *world) halt() {
	w.current.die()
	w.retire()
	synctest.Wait()
}

func (w *world) retire() {
	if w.zombie != nil {
		w.zombie.die()
		w.zombie = nil
	}
}

// reboot is what happens after a crash: the database is opened again, from the same directory.
func (w *world) reboot() {
	w.crashes++
	w.halt()
	must(w.ours.Close())
	w.boot()
}

// overlap starts a second process beside the one that there is, which goes on.
func (w *world) overlap() {
	w.retire()
	w.zombie = w.current
	w.setCurrent(w.newLife())
}

// noteOver notes which checkouts are over by now.
func (w *world) noteOver() {
	sessions, err := w.provider.Sessions()
	must(err)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, s := range sessions {
		if _, known := w.over[s.ID]; !known && s.Status != "open" {
			w.over[s.ID] = w.now()
		}
	}
}

// settle waits until nothing can happen at this instant any more, and starts a process again where one has died.
func (w *world) settle() {
	for synctest.Wait(); w.current.ended(); synctest.Wait() {
		w.reboot()
	}
}

// submit is a buyer's create-order. It comes back at once.
func (w *world) submit(l *life, session int, country string) *answer {
	w.mutex.Lock()
	w.instants++
	a := &answer{life: l, session: session, country: country, began: w.instants, asked: w.now()}
	w.answers = append(w.answers, a)
	w.mutex.Unlock()
	business, start := false, w.now()
	go func() {
		url, err := l.service.Create(context.Background(), &orders.Request{Request: checkout.Request{
			Caller: checkout.Caller{Environment: checkout.Test, StoreID: "STO_1"}, SessionID: sessionOf(session),
			Billing: &billing.Input{Country: country, IsBusiness: &business}, BuyerEmail: emailOf(session, country),
		}}, "", nil)
		if l.ended() {
			return
		}
		w.mutex.Lock()
		w.instants++
		a.url, a.err, a.done, a.ended, a.took = url, err, true, w.instants, w.now().Sub(start)
		a.latest = later(w.latest, w.now())
		w.mutex.Unlock()
		if url != "" {
			w.check("I1", onePayable(w.look()))
		}
	}()
	return a
}

// receive takes a webhook as the API does. A process that dies meanwhile answers nothing.
func (w *world) receive(ctx *fasthttp.RequestCtx) {
	message := received{string(ctx.Request.Header.Peek("Stripe-Signature")), bytes.Clone(ctx.PostBody())}
	w.mutex.Lock()
	w.events = append(w.events, message)
	w.mutex.Unlock()
	if w.deaf {
		return
	}
	l, applied := w.currentLife(), make(chan error, 1)
	go func() { applied <- l.apply(message, w.now()) }()
	select {
	case err := <-applied:
		if err != nil {
			ctx.SetStatusCode(fasthttp.StatusInternalServerError)
		}
	case <-l.over:
		ctx.SetStatusCode(fasthttp.StatusBadGateway)
	}
}
