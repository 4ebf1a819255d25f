package orders_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/limit"
)

const (
	overloadRate   = 25 // calls a second that the provider takes
	overloadBuyers = 20 // of them: what buyers have at least
	overloadLasts  = 40 * time.Second
	overloadTries  = 4                      // of a buyer: the contract's first one and three more
	overloadAnswer = 350 * time.Millisecond // of the provider
)

// TestOverload: with three and ten times as many buyers as the provider can serve, it serves as many as without, and makes no
// checkout that nobody gets. All of it happens in virtual time.
func TestOverload(t *testing.T) {
	table := newTable("More buyers than the provider serves", "In virtual time, against a provider that takes 25 calls a second, of "+
		"which background work has a fifth if it needs it, and answers in 350 ms. Buyers who get a 503 come again when its Retry-After "+
		"says, three times at most. No checkout is made at the provider whose URL its buyer does not get.",
		"buyers, of those who can be served", "create-orders", "orders a second", "refused with 503", "checkouts for nobody", "longest answer")
	var peak float64
	for _, times := range []int{1, 3, 10} {
		inMarket(t, func(m *market) {
			r := m.flood(times * overloadBuyers)
			t.Logf("%d×: %+v", times, r)
			if peak = max(peak, r.goodput); r.goodput < 0.9*peak || r.goodput < 0.9*overloadBuyers {
				t.Errorf("%d× overload: %.1f orders a second, %.1f without", times, r.goodput, peak)
			}
			if r.forNobody != 0 || r.limited != 0 {
				t.Errorf("%d× overload: %d checkouts for nobody, %d calls beyond the provider's rate", times, r.forNobody, r.limited)
			}
			table.add(fmt.Sprintf("%d ×", times), fmt.Sprint(r.asked), fmt.Sprintf("%.1f", r.goodput), fmt.Sprint(r.refused),
				fmt.Sprint(r.forNobody), fmt.Sprint(r.longest.Round(100*time.Millisecond)))
		})
	}
	table.write(t, "overload")
}

// TestOverloadShares: a client with a hundred threads, which comes again as soon as it is refused, costs no buyer of another
// store a try, and no other client of the same store either.
func TestOverloadShares(t *testing.T) {
	inMarket(t, func(m *market) {
		end := time.Now().Add(overloadLasts)
		var attack, buyers sync.WaitGroup
		for range 100 {
			attack.Go(func() {
				for time.Now().Before(end) {
					if _, err := m.order("STO_1", "203.0.113.7"); err != nil {
						time.Sleep(50 * time.Millisecond)
					}
				}
			})
		}
		for i := range int(overloadLasts / time.Second) {
			for _, store := range []string{"STO_1", "STO_2"} {
				buyers.Go(func() {
					began := time.Now()
					if _, err := m.order(store, fmt.Sprintf("198.51.100.%d", i)); err != nil {
						t.Errorf("a buyer of %s beside the flood: %v", store, err)
					} else if took := time.Since(began); took > time.Second {
						t.Errorf("a buyer of %s waited %v", store, took)
					}
				})
			}
			time.Sleep(time.Second)
		}
		buyers.Wait()
		attack.Wait()
		if m.forNobody() != 0 {
			t.Errorf("%d checkouts for nobody", m.forNobody())
		}
	})
}

// TestOverloadRetryAfter: of two hundred buyers at once each is served at the second try at the latest, because those who were
// refused come back one after the other.
func TestOverloadRetryAfter(t *testing.T) {
	inMarket(t, func(m *market) {
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				if tries, err := m.persist("STO_1", fmt.Sprint(i)); tries > 2 || err != nil {
					t.Errorf("served at try %d, %v", tries, err)
				}
			})
		}
		all.Wait()
	})
}

// market is a service on a real database before a provider that takes only so much.
type market struct {
	*orders.Service
	*busyProvider
	config orders.Config
	db     *badgerstore.DB

	mutex    sync.Mutex
	sessions int
	told     map[string]bool // the URLs that buyers got
	outcome
}

// outcome is what came of a flood.
type outcome struct {
	asked, refused, forNobody, limited int
	goodput                            float64 // URLs that buyers got, a second
	longest                            time.Duration
}

// inMarket runs a function in a bubble of virtual time.
func inMarket(t *testing.T, do func(*market)) {
	t.Helper()
	directory, err := os.MkdirTemp(inMemory(), "market")
	must(err)
	defer os.RemoveAll(directory)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, time.June, 1, 9, 0, 0, 0, time.UTC))) // a bubble begins in the year 2000
		db, err := badgerstore.Open(directory, badgerstore.Options{NoSync: true})
		must(err)
		m := &market{db: db, busyProvider: &busyProvider{bucket: rate.NewLimiter(overloadRate, overloadRate)}, told: make(map[string]bool)}
		m.config = orders.Config{Store: db, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Providers: map[checkout.Environment]orders.Provider{checkout.Test: orders.Limited(limit.New(m.busyProvider, limit.Limits{Rate: overloadRate}))}}
		m.Service = orders.New(m.config)
		ctx, stop := context.WithCancel(t.Context())
		var sweeper sync.WaitGroup
		sweeper.Go(func() { m.Run(ctx) })
		do(m)
		time.Sleep(time.Minute) // what the sweeper might still do
		stop()
		sweeper.Wait()
		must(db.Close())
	})
}

// flood lets so many new buyers come each second.
func (m *market) flood(perSecond int) outcome {
	var all sync.WaitGroup
	end := time.Now().Add(overloadLasts)
	for i := 0; time.Now().Before(end); i++ {
		all.Go(func() { m.persist(fmt.Sprintf("STO_%d", i%3), fmt.Sprint(i)) })
		time.Sleep(time.Second / time.Duration(perSecond))
	}
	m.mutex.Lock()
	m.goodput = float64(len(m.told)) / overloadLasts.Seconds()
	m.mutex.Unlock()
	all.Wait()
	time.Sleep(time.Minute)
	m.outcome.forNobody, m.outcome.limited = m.forNobody(), m.busyProvider.limited
	return m.outcome
}

// persist is a buyer who comes again, as the contract has it.
func (m *market) persist(store, client string) (tries int, err error) {
	session := m.open(store)
	for tries = 1; ; tries++ {
		if _, err = m.try(session, store, client); err == nil || tries == overloadTries {
			return tries, err
		}
		var later interface{ RetryAfter() time.Duration }
		wait := 5 * time.Second
		if errors.As(err, &later) {
			wait = max(wait, later.RetryAfter())
		}
		time.Sleep(wait.Truncate(time.Second) + time.Second) // the header has whole seconds
	}
}

func (m *market) order(store, client string) (string, error) {
	return m.try(m.open(store), store, client)
}

// open makes a session to order from.
func (m *market) open(store string) string {
	m.mutex.Lock()
	m.sessions++
	session := newSession(0, time.Now())
	session.ID = fmt.Sprintf("cs_550e8400-e29b-41d4-a716-%012d", m.sessions)
	m.mutex.Unlock()
	session.StoreID = store
	must(m.db.WriteSession(context.Background(), session))
	return session.ID
}

// try is one create-order. A refusal must be one that may be sent again.
func (m *market) try(session, store, client string) (string, error) {
	business, began := false, time.Now()
	url, err := m.Service.Create(context.Background(), &orders.Request{Request: checkout.Request{
		Caller: checkout.Caller{Environment: checkout.Test, StoreID: store}, SessionID: session,
		Billing: &billing.Input{Country: "DE", IsBusiness: &business}, BuyerEmail: "ada@example.com",
	}}, client, nil)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.asked++
	m.longest = max(m.longest, time.Since(began))
	if err == nil {
		m.told[url] = true
		return url, nil
	}
	m.refused++
	var refusal *problem.Problem
	if !errors.As(err, &refusal) || refusal.Kind != problem.Unavailable {
		must(err)
	}
	return "", err
}

// forNobody is how many checkouts the provider has whose URL no buyer got.
func (m *market) forNobody() (n int) {
	m.busyProvider.mu.Lock()
	defer m.busyProvider.mu.Unlock()
	for _, r := range m.checkouts {
		if !m.told[r.URL] {
			n++
		}
	}
	return n
}

// busyProvider is a provider that takes so many calls a second, and time for each of them.
type busyProvider struct {
	provider
	bucket  *rate.Limiter
	limited int // calls that were too many
}

func (p *busyProvider) Create(deadline time.Time, w psp.RenderedRequest, key string) (psp.Created, *psp.CallError) {
	if !p.bucket.Allow() {
		p.mu.Lock()
		p.limited++
		p.mu.Unlock()
		return psp.Created{}, &psp.CallError{Class: psp.NotExecuted, Status: 429}
	}
	if time.Until(deadline) < overloadAnswer { // the call arrives, and its answer does not
		time.Sleep(time.Until(deadline))
		p.provider.Create(deadline, w, key)
		return psp.Created{}, &psp.CallError{Class: psp.Unknown, Err: context.DeadlineExceeded}
	}
	time.Sleep(overloadAnswer)
	return p.provider.Create(deadline, w, key)
}

func (p *busyProvider) ListCheckouts(time.Time, psp.Span, string) (psp.Page[psp.Checkout], *psp.CallError) {
	return psp.Page[psp.Checkout]{}, nil
}

func (p *busyProvider) UndeliveredEvents(time.Time, string) (psp.Page[psp.Event], *psp.CallError) {
	return psp.Page[psp.Event]{}, nil
}
