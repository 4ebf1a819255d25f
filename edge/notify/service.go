package notify

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/metrics"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// Config configures a [Service]. Every field but Reach, Keep, VIES and Metrics is needed.
type Config struct {
	Store    Store
	Orders   Orders
	Catalog  catalog.Records
	Invoices *invoices.Service
	VIES     *vies.Service // makes the checks of VAT numbers; nil for none
	Reach    Reach         // which endpoints may be sent to
	Keep     time.Duration // how long a delivery is kept after its end; 0 is [Retention]
	Now      func() time.Time
	Rand     io.Reader    // for ids; crypto/rand in production
	Metrics  *metrics.Set // nil for none
	Log      *slog.Logger
}

// Orders reads what an event tells of.
type Orders interface {
	Order(ctx context.Context, env checkout.Environment, id string) (*orders.Order, error)
	Session(ctx context.Context, id string) (*sessions.Session, error)
}

const (
	// lookEvery is how often the service looks for work that nobody has announced.
	lookEvery = time.Second
	// logEvery is how often the log repeats that something goes on failing.
	logEvery = time.Hour
)

// Service turns facts into deliveries and sends them. One service runs on a store. It is safe for concurrent use.
type Service struct {
	Config
	client *http.Client
	added  chan struct{} // a fact
	due    chan struct{} // deliveries that are not queued
	lanes  *lanes
	tries  *metrics.Counter

	mutex   sync.Mutex
	signers map[checkout.Environment]*Signer
	logged  map[string]time.Time // when an error was last logged, by what it is about
}

// New returns a service; it starts nothing.
func New(c Config) *Service {
	return &Service{Config: c, client: newClient(c.Reach), added: make(chan struct{}, 1), due: make(chan struct{}, 1),
		lanes: newLanes(), tries: c.Metrics.Counter("crepe_webhook_delivery_tries_total", "Tries to send a delivery to a merchant's webhook endpoint, by outcome: ok, the class of another status, or error.", "environment", "outcome"),
		signers: make(map[checkout.Environment]*Signer), logged: make(map[string]time.Time)}
}

// FactAdded tells the service that the outbox has a new fact. It does not block.
func (s *Service) FactAdded() { signal(s.added) }

// signal wakes who waits for a channel of capacity 1, or will.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run dispatches and sends until ctx ends. Then it waits for the deliveries that are being sent, for [Timeout] at most.
func (s *Service) Run(ctx context.Context) {
	var loops sync.WaitGroup
	loops.Go(func() { s.repeat(ctx, s.added, s.dispatch) })
	loops.Go(func() { s.repeat(ctx, s.due, s.read) })
	loops.Wait()
	s.lanes.all.Wait()
	s.client.CloseIdleConnections()
}

// repeat calls do at once, then whenever there is something new, and every second.
func (s *Service) repeat(ctx context.Context, news <-chan struct{}, do func(context.Context)) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		do(ctx)
		select {
		case <-news:
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// Signer returns the signer of an environment.
func (s *Service) Signer(ctx context.Context, env checkout.Environment) (*Signer, error) {
	s.mutex.Lock()
	signer := s.signers[env]
	s.mutex.Unlock()
	if signer != nil {
		return signer, nil
	}
	signer, err := NewSigner(ctx, s.Store, env)
	if err != nil {
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.signers[env] = signer
	return signer, nil
}

// logError logs an error, unless the same about the same was logged within the hour.
func (s *Service) logError(about, message string, args ...any) {
	s.mutex.Lock()
	now := s.Now()
	last, known := s.logged[about+message]
	again := !known || now.Sub(last).Abs() >= logEvery
	if again {
		if len(s.logged) >= maxLogged {
			clear(s.logged)
		}
		s.logged[about+message] = now
	}
	s.mutex.Unlock()
	if again {
		s.Log.Error(message, args...)
	}
}

// maxLogged is how many errors the service remembers to have logged.
const maxLogged = 10_000
