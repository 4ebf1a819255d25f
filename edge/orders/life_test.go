package orders_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/limit"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// life is one run of the server's process. After its end its goroutines have no effect.
type life struct {
	*world
	service  *orders.Service
	webhooks psp.Webhooks
	over     chan struct{}
	cancel   context.CancelFunc

	mutex   sync.Mutex
	conns   []net.Conn
	passed  int           // how many boundaries its goroutines have passed
	dieAt   int           // the boundary at which it dies; 0 for none
	stallAt int           // the one at which it is held up,
	stall   time.Duration // and how long
	loseAt  int           // the commits from now until the one whose outcome is unknown; 0 for none
	written bool          // and whether it was done
}

func (w *world) newLife() *life {
	ctx, cancel := context.WithCancel(context.Background())
	l := &life{world: w, over: make(chan struct{}), cancel: cancel, dieAt: w.dieAgain}
	w.dieAgain = 0
	var store orders.Store = &boundStore{w.ours, l}
	if w.broken.store != nil {
		store = w.broken.store(store)
	}
	var provider psp.Provider = stripe.New(stripe.Config{Key: providerKey, WebhookSecret: webhookSecret, BaseURL: "http://psp", Dial: l.dial})
	provider = &boundProvider{provider, l}
	if w.broken.provider != nil {
		provider = w.broken.provider(provider)
	}
	l.webhooks = provider
	l.service = orders.New(orders.Config{Store: store, Providers: map[checkout.Environment]orders.Provider{checkout.Test: orders.Limited(limit.New(provider, limit.Limits{Trip: 5}))},
		Rules: w, Now: w.now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	go l.service.Run(ctx)
	return l
}

func (l *life) apply(message received, now time.Time) error {
	event, err := l.webhooks.Webhook(message.header, message.body, now)
	if err != nil {
		return err
	}
	return l.service.Apply(context.Background(), checkout.Test, event)
}

func (l *life) dial(string) (net.Conn, error) {
	conn, err := l.provider.Dial("")
	if err == nil {
		l.mutex.Lock()
		l.conns = append(l.conns, conn)
		l.mutex.Unlock()
	}
	return conn, err
}

func (l *life) ended() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// die ends the process as kill -9 does: its connections break, and that is all the others hear of it.
func (l *life) die() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.ended() {
		return
	}
	close(l.over)
	l.cancel()
	for _, conn := range l.conns {
		conn.Close()
	}
}

// live ends a goroutine whose process has ended.
func (l *life) live() {
	if l.ended() {
		runtime.Goexit()
	}
}

// boundary is where a crash makes a difference: before and after a commit, before and after a call.
func (l *life) boundary() {
	l.live()
	l.mutex.Lock()
	l.passed++
	dies, held := l.passed == l.dieAt, time.Duration(0)
	if l.passed == l.stallAt {
		held = l.stall
	}
	l.mutex.Unlock()
	l.hold(held)
	if dies {
		l.die()
	}
	l.live()
}

func (l *life) hold(d time.Duration) {
	if d == 0 {
		return
	}
	l.world.mutex.Lock()
	l.stalled = true
	l.held++
	l.world.mutex.Unlock()
	time.Sleep(d)
	l.world.mutex.Lock()
	l.held--
	l.world.mutex.Unlock()
}

// crashIn lets the process die at the n-th boundary from now; 0 is at once.
func (l *life) crashIn(n int) {
	if n == 0 {
		l.die()
		return
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.dieAt = l.passed + n
}

// stallIn holds up whatever passes the n-th boundary from now, as a page fault or a stopped machine does.
func (l *life) stallIn(n int, d time.Duration) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.stallAt, l.stall = l.passed+n, d
}

// carryOn calls off what was to happen at boundaries to come.
func (l *life) carryOn() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.dieAt, l.stallAt, l.loseAt = 0, 0, 0
}

// boundStore is the database as a process sees it while it lives.
type boundStore struct {
	orders.Store
	life *life
}

func (s *boundStore) Session(ctx context.Context, id string) (*sessions.Session, error) {
	s.life.live()
	return s.Store.Session(ctx, id)
}

func (s *boundStore) Order(ctx context.Context, env checkout.Environment, id string) (*orders.Order, error) {
	s.life.live()
	return s.Store.Order(ctx, env, id)
}

func (s *boundStore) Due(ctx context.Context, now int64, limit int) ([]orders.DueOrder, error) {
	s.life.live()
	return s.Store.Due(ctx, now, limit)
}

func (s *boundStore) Commit(ctx context.Context, c orders.Change) error {
	s.life.boundary()
	defer s.life.boundary()
	lost, written := s.life.loses()
	if lost && !written {
		return errLost
	}
	if err := s.Store.Commit(ctx, c); err != nil || !lost {
		return err
	}
	return errLost
}

var errLost = errors.New("the database does not say whether it has committed")

// loses reports whether a commit's outcome gets lost, and whether it was done.
func (l *life) loses() (lost, written bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.loseAt--
	return l.loseAt == 0, l.written
}

// loseIn lets the outcome of the n-th commit from now get lost.
func (l *life) loseIn(n int, written bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.loseAt, l.written = n, written
}

// boundProvider is the provider as a process sees it while it lives.
type boundProvider struct {
	psp.Provider
	life *life
}

// until translates a deadline in simulated time into one in the time of the synctest bubble, for the network.
func (l *life) until(deadline time.Time) time.Time {
	return deadline.Add(-time.Duration(l.ahead.Load()))
}

func (g *boundProvider) Create(deadline time.Time, w psp.RenderedRequest, key string) (psp.Created, *psp.CallError) {
	g.life.boundary()
	defer g.life.boundary()
	return g.Provider.Create(g.life.until(deadline), w, key)
}

func (g *boundProvider) Retrieve(deadline time.Time, ref string) (psp.Checkout, *psp.CallError) {
	g.life.boundary()
	defer g.life.boundary()
	return g.Provider.Retrieve(g.life.until(deadline), ref)
}

func (g *boundProvider) Expire(deadline time.Time, ref string) (psp.Checkout, *psp.CallError) {
	g.life.boundary()
	defer g.life.boundary()
	return g.Provider.Expire(g.life.until(deadline), ref)
}

func (g *boundProvider) ListCheckouts(deadline time.Time, created psp.Span, after string) (psp.Page[psp.Checkout], *psp.CallError) {
	g.life.boundary()
	defer g.life.boundary()
	return g.Provider.ListCheckouts(g.life.until(deadline), created, after)
}

func (g *boundProvider) UndeliveredEvents(deadline time.Time, after string) (psp.Page[psp.Event], *psp.CallError) {
	g.life.boundary()
	defer g.life.boundary()
	return g.Provider.UndeliveredEvents(g.life.until(deadline), after)
}

// buffer is a log that several goroutines write.
type buffer struct {
	mutex sync.Mutex
	bytes bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.Write(p)
}

func (b *buffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.String()
}
