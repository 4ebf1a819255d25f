package orders_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp/limit"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
	"github.com/crepe-checkout/crepe/edge/throttle"
)

const (
	burstStores = 10
	burstWait   = 5 * time.Second // the longest wait within a request
)

var (
	burstBuyers = flag.Int("buyers", 1000, "of TestBurst")
	burstSeed   = flag.Uint64("burst-seed", uint64(time.Now().UnixNano()), "of TestBurst")
)

// TestBurst: buyers of ten stores come at once, forty times as many as the provider takes in a second. Each gets one checkout. The
// stores are served in turn. The median wait is that of half the queue at the provider's rate. Retry-After is true: the request that
// comes then is served, and has a place before all who came later. Where the stores' buyers come by turns, it waits for less than a
// second. Where they do not, the turns of a store that has come later put off those of the others, so that some of these have to
// wait longer, or are told a second time.
func TestBurst(t *testing.T) {
	t.Logf("-buyers=%d -burst-seed=%d", *burstBuyers, *burstSeed)
	shuffled := mathrand.New(mathrand.NewPCG(*burstSeed, 0)).Perm(*burstBuyers)
	table := newTable("A burst of buyers", fmt.Sprintf("In virtual time, %d buyers of ten stores come at once to a sandbox that takes 25 calls a second and answers "+
		"in 350 ms. They come again when Retry-After says. Each gets one checkout. A store's lead is how many of its "+
		"buyers more were served than of another store whose buyers still wait.", *burstBuyers),
		"buyers come", "median wait", "half the queue at the rate", "longest wait", "told once", "told twice", "longest wait then", "largest lead")
	some := *burstBuyers / 40
	for _, c := range []struct {
		name  string
		store func(buyer int) int
		slack time.Duration // how long a request may wait that comes when it was told to
		again int           // how many buyers may have to be told twice
		lead  int
	}{
		{"stores by turns", func(i int) int { return i % burstStores }, time.Second, 0, 5},
		{"at random", func(i int) int { return shuffled[i] % burstStores }, burstWait, *burstBuyers / 10, some},
		{"store after store", func(i int) int { return i * burstStores / *burstBuyers }, burstWait, *burstBuyers, some},
	} {
		inSale(t, func(s *sale) {
			var all sync.WaitGroup
			for i := range *burstBuyers {
				all.Go(func() { s.buy(c.store(i)) })
				synctest.Wait()
			}
			all.Wait()
			r := s.result()
			t.Logf("%s: %+v", c.name, r)
			if r.checkouts != *burstBuyers || r.lost != 0 || r.limited != 0 {
				t.Errorf("%s: %d checkouts, %d buyers without one, %d calls beyond the rate", c.name, r.checkouts, r.lost, r.limited)
			}
			expected := time.Duration(*burstBuyers) * time.Second / 2 / overloadRate
			if (r.median - expected).Abs() > expected/10 {
				t.Errorf("%s: the median wait is %v, not %v", c.name, r.median, expected)
			}
			if r.told[2] > c.again || len(r.told) > 3 || r.slack > c.slack+overloadAnswer {
				t.Errorf("%s: told how often: %v; the request that came in time took %v", c.name, r.told, r.slack)
			}
			if r.lead > c.lead {
				t.Errorf("%s: a store has a lead of %d", c.name, r.lead)
			}
			table.add(c.name, round(r.median), round(expected), round(r.longest), fmt.Sprint(r.told[1]), fmt.Sprint(r.told[2]), round(r.slack), fmt.Sprint(r.lead))
		})
	}
	table.write(t, "burst")
}

func round(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// TestBurstOthers: while the buyers of one store wait, those of another are served within a second, and background jobs get their
// fifth of the rate. Both put the burst off, and nobody of it is lost.
func TestBurstOthers(t *testing.T) {
	const lasts = 10 * time.Second
	inSale(t, func(s *sale) {
		var burst, others sync.WaitGroup
		for range 400 {
			burst.Go(func() { s.buy(0) })
		}
		background := 0
		for range 5 {
			others.Go(func() {
				for end := time.Now().Add(lasts); time.Now().Before(end); {
					if _, callErr := s.limiter.Background().Retrieve(time.Now().Add(4*time.Second), "cs_test_1"); callErr != nil {
						t.Errorf("a background job: %v", callErr)
					}
					s.mutex.Lock()
					background++
					s.mutex.Unlock()
				}
			})
		}
		for range int(lasts / time.Second) {
			others.Go(func() {
				if b := s.buy(1); b.served > time.Second {
					t.Errorf("a buyer of another store waited %v", b.served)
				}
			})
			time.Sleep(time.Second)
		}
		others.Wait()
		if want := int((overloadRate - overloadBuyers) * lasts.Seconds()); background < want {
			t.Errorf("%d calls of background jobs, not %d", background, want)
		}
		burst.Wait()
		if r := s.result(); r.lost != 0 || r.limited != 0 || len(r.told)-1 > 2 {
			t.Errorf("%+v", r)
		}
	})
}

// sale is a service on a real database before a sandbox that takes so many calls a second.
type sale struct {
	orders  *orders.Service
	db      *badgerstore.DB
	sandbox *sandbox.Sandbox
	limiter *limit.Limiter

	mutex   sync.Mutex
	buyers  []*shopper
	limited int // calls that were too many for the sandbox
}

// shopper is a buyer, and what he has seen.
type shopper struct {
	store  int
	told   []time.Duration // the Retry-After of each refusal
	url    string
	at     time.Time     // when it came
	served time.Duration // how long that took, from the first request
	last   time.Duration // how long the last request took
}

// inSale runs a function in a bubble of virtual time.
func inSale(t *testing.T, do func(*sale)) {
	t.Helper()
	startClocks(t)
	directory, err := os.MkdirTemp(inMemory(), "sale")
	must(err)
	defer os.RemoveAll(directory)
	synctest.Test(t, func(t *testing.T) {
		leaveYear2000()
		db, err := badgerstore.Open(filepath.Join(directory, "ours"), badgerstore.Options{NoSync: true})
		must(err)
		theirs, err := durable.Open(filepath.Join(directory, "theirs"), durable.Options{NoSync: true})
		must(err)
		s := &sale{db: db, sandbox: sandbox.New(sandbox.Config{Store: sandbox.NewStore(theirs, checkout.Test), Key: providerKey, PublicURL: "https://psp.example",
			WebhookURL: "http://merchant/webhook", WebhookSecret: webhookSecret, WebhookDial: func(string) (net.Conn, error) { return nil, net.ErrClosed }})}
		bucket := rate.NewLimiter(overloadRate, overloadRate)
		s.sandbox.Decide(func(fault.Call) fault.Spec { return s.answer(bucket.Allow()) })
		var conns []net.Conn
		provider := stripe.New(stripe.Config{Key: providerKey, WebhookSecret: webhookSecret, BaseURL: "http://psp", Dial: func(string) (net.Conn, error) {
			conn, err := s.sandbox.Dial("")
			s.mutex.Lock()
			defer s.mutex.Unlock()
			conns = append(conns, conn)
			return conn, err
		}})
		s.limiter = limit.New(provider, limit.Limits{Rate: overloadRate})
		s.orders = orders.New(orders.Config{Store: db, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
			Providers: map[checkout.Environment]orders.Provider{checkout.Test: orders.Limited(s.limiter)}})
		ctx, stop := context.WithCancel(t.Context())
		var sweeper sync.WaitGroup
		sweeper.Go(func() { s.orders.Run(ctx) })
		do(s)
		stop()
		sweeper.Wait()
		for _, conn := range conns {
			must(conn.Close())
		}
		must(s.sandbox.Close())
		must(theirs.Close())
		must(db.Close())
		time.Sleep(time.Minute) // timers that are left
	})
}

// answer is the sandbox's to a call, which is within its rate or not.
func (s *sale) answer(within bool) fault.Spec {
	if within {
		return fault.Spec("slow:" + overloadAnswer.String())
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.limited++
	return "429"
}

// buy is a new buyer, who comes again as the client does.
func (s *sale) buy(store int) *shopper {
	b := &shopper{store: store}
	s.mutex.Lock()
	s.buyers = append(s.buyers, b)
	id := fmt.Sprint(len(s.buyers))
	s.mutex.Unlock()
	session, first := newSession(0, time.Now()), time.Now()
	session.ID = fmt.Sprintf("cs_550e8400-e29b-41d4-a716-%012s", id)
	session.StoreID = fmt.Sprintf("STO_%d", store)
	must(s.db.WriteSession(context.Background(), session))
	for try := 1; ; try++ {
		business, began := false, time.Now()
		url, err := s.orders.Create(context.Background(), &orders.Request{Request: checkout.Request{
			Caller: checkout.Caller{Environment: checkout.Test, StoreID: session.StoreID}, SessionID: session.ID,
			Billing: &billing.Input{Country: "DE", IsBusiness: &business}, BuyerEmail: "ada@example.com",
		}}, id, nil)
		b.url, b.at, b.served, b.last = url, time.Now(), time.Since(first), time.Since(began)
		if err == nil {
			return b
		}
		var refusal *problem.Problem
		if !errors.As(err, &refusal) || refusal.Kind != problem.Unavailable {
			must(err)
		}
		seconds, err := strconv.Atoi(throttle.RetryAfter(err))
		must(err)
		b.told = append(b.told, time.Duration(seconds)*time.Second)
		if try == overloadTries {
			return b
		}
		time.Sleep(b.told[try-1])
	}
}

// burstResult is what came of a sale.
type burstResult struct {
	checkouts, lost, limited int
	median, longest          time.Duration // from a buyer's first request to the URL
	told                     []int         // by how often: the buyers who were told so often to come later
	slack                    time.Duration // the longest last request of a buyer who was told
	lead                     int           // how many buyers more of one store were served than of another with buyers who wait
}

func (s *sale) result() (r burstResult) {
	snapshots, err := s.sandbox.Sessions()
	must(err)
	r.checkouts, r.limited = len(snapshots), s.limited
	slices.SortFunc(s.buyers, func(a, b *shopper) int { return cmp.Compare(a.served, b.served) })
	r.median, r.longest = s.buyers[len(s.buyers)/2].served, s.buyers[len(s.buyers)-1].served
	urls, served, waiting := make(map[string]bool), make(map[int]int), make(map[int]int)
	for _, b := range s.buyers {
		if waiting[b.store]++; b.url == "" || urls[b.url] {
			r.lost++
		}
		urls[b.url] = true
		for len(r.told) <= max(2, len(b.told)) {
			r.told = append(r.told, 0)
		}
		if r.told[len(b.told)]++; len(b.told) > 0 {
			r.slack = max(r.slack, b.last)
		}
	}
	slices.SortFunc(s.buyers, func(a, b *shopper) int { return a.at.Compare(b.at) })
	for _, b := range s.buyers {
		served[b.store]++
		for store, all := range waiting {
			if served[store] < all {
				r.lead = max(r.lead, served[b.store]-served[store])
			}
		}
	}
	return r
}
