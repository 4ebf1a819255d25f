package orders_test

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/orders"
)

var (
	histories  = flag.Int("histories", 40, "how many sessions TestLinearizable orders from")
	linearSeed = flag.Uint64("linear-seed", uint64(time.Now().UnixNano()), "of TestLinearizable")
)

// linearClients order at once from each session, half of them at one process and half at another.
const linearClients, linearOrders = 6, 5

// asked is what a client did: ordered to a country, or looked at the session where country is "".
type asked struct{ session, country string }

// told is what came of it: a URL, the country that the session shows, or doubt.
type told struct {
	url, country string
	doubt        bool
}

// shown is a session as one client after the other would see it.
type shown struct {
	country string // of the order that can be paid
	url     string // "?" while no client knows it
	ended   string // all URLs before, which must never come back
}

// end is all URLs that have ended when the one that is shown has, too. One that nobody knows need not be remembered.
func (s shown) end() string {
	if s.url == "" || s.url == "?" {
		return s.ended
	}
	return s.ended + " " + s.url
}

// oneAtATime says what a session does. A request for what is there already gets the same URL, any other a new one. What came
// to nothing or was in doubt may have had its effect, then or at any time later.
var oneAtATime = porcupine.Model{
	Init: func() any { return shown{} },
	Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
		bySession := make(map[string][]porcupine.Operation)
		for _, op := range history {
			id := op.Input.(asked).session
			bySession[id] = append(bySession[id], op)
		}
		for _, part := range bySession {
			parts = append(parts, part)
		}
		return parts
	},
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(shown), input.(asked), output.(told)
		switch {
		case in.country == "":
			return out.country == s.country, s
		case in.country == s.country && (out.doubt || out.url == s.url):
			return true, s
		case in.country == s.country && s.url == "?":
			return !strings.Contains(s.ended, out.url), shown{s.country, out.url, s.ended}
		case in.country == s.country:
			return false, s
		case out.doubt:
			return true, shown{in.country, "?", s.end()}
		default:
			return out.url != s.url && !strings.Contains(s.ended, out.url), shown{in.country, out.url, s.end()}
		}
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
}

// unsteady is a provider of whose calls so many in a hundred fail, before or after their effect.
type unsteady struct {
	*provider
	troubles int
	mu       sync.Mutex
	rng      *mathrand.Rand
}

func (u *unsteady) Create(deadline time.Time, w orders.Wire, key string) (orders.Remote, *orders.Fault) {
	u.mu.Lock()
	fate, trouble, wait := u.rng.IntN(3), u.rng.IntN(100) < u.troubles, time.Duration(u.rng.IntN(2000))*time.Microsecond
	u.mu.Unlock()
	time.Sleep(wait)
	switch {
	case !trouble:
		return u.provider.Create(deadline, w, key)
	case fate == 0:
		return orders.Remote{}, &orders.Fault{Class: orders.NotExecuted, Status: 401}
	case fate == 1:
		return orders.Remote{}, &orders.Fault{Class: orders.Unknown, Err: errors.New("lost on the way there")}
	default:
		u.provider.Create(deadline, w, key)
		return orders.Remote{}, &orders.Fault{Class: orders.Unknown, Err: errors.New("lost on the way back")}
	}
}

// history lets clients order from sessions and look at them, through two processes on one store, and writes down what they
// saw.
func history(t *testing.T, seed uint64, sessions, troubles int, countries []string,
	store func(orders.Store) orders.Store) []porcupine.Operation {
	t.Helper()
	db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	gateway := &unsteady{provider: new(provider), rng: mathrand.New(mathrand.NewPCG(seed, 0)), troubles: troubles}
	var processes [2]*orders.Service
	for i := range processes {
		processes[i] = orders.New(orders.Config{Store: store(db), Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
			Gateways:   map[checkout.Environment]orders.Gateway{checkout.Test: gateway},
			TryTimeout: 50 * time.Millisecond, Budget: 100 * time.Millisecond})
	}
	var history []porcupine.Operation
	var mu sync.Mutex
	began := time.Now()
	for n := range sessions {
		session := newSession(0, time.Now())
		session.ID = fmt.Sprintf("cs_550e8400-e29b-41d4-a716-%012d", n)
		if err := processes[0].Add(context.Background(), session); err != nil {
			t.Fatal(err)
		}
		var clients sync.WaitGroup
		for c := range linearClients {
			rng := mathrand.New(mathrand.NewPCG(seed, uint64(n*linearClients+c+1)))
			clients.Go(func() {
				for range linearOrders {
					in := asked{session: session.ID, country: countries[rng.IntN(len(countries))]}
					call := time.Since(began).Nanoseconds()
					out := act(t, processes[c%2], in)
					back := time.Since(began).Nanoseconds()
					if out.doubt {
						back = 1 << 60 // its effect may come at any time
					}
					mu.Lock()
					history = append(history, porcupine.Operation{ClientId: n*linearClients + c, Input: in, Output: out,
						Call: call, Return: back})
					mu.Unlock()
				}
			})
		}
		clients.Wait()
	}
	return history
}

func act(t *testing.T, s *orders.Service, in asked) told {
	ctx, business := context.Background(), false
	if in.country == "" {
		session, err := s.Session(ctx, in.session)
		if err != nil {
			t.Error(err)
			return told{}
		}
		if session.Billing == nil {
			return told{}
		}
		return told{country: session.Billing.Country}
	}
	url, err := s.Create(ctx, &checkout.Request{
		Caller: checkout.Caller{Environment: checkout.Test, StoreID: "STO_1"}, SessionID: in.session,
		Billing: &billing.Input{Country: in.country, IsBusiness: &business}, BuyerEmail: "ada@example.com",
	}, "", nil)
	return told{url: url, doubt: err != nil}
}

// TestLinearizable: whatever many clients see of a session, in two processes and with a provider that loses calls and
// answers, could have been seen by them one after the other.
func TestLinearizable(t *testing.T) {
	t.Logf("-histories=%d -linear-seed=%d", *histories, *linearSeed)
	ops := history(t, *linearSeed, *histories, 6, []string{"DE", "FR", "JP", ""}, func(s orders.Store) orders.Store { return s })
	doubts, urls := 0, make(map[string]bool)
	for _, op := range ops {
		if out := op.Output.(told); out.doubt {
			doubts++
		} else if out.url != "" {
			urls[out.url] = true
		}
	}
	t.Logf("%d operations, %d of them in doubt, %d URLs", len(ops), doubts, len(urls))
	if len(urls) < *histories || doubts == 0 {
		t.Fatal("too little happened: the test no longer tests")
	}
	if result := porcupine.CheckOperationsTimeout(oneAtATime, ops, time.Minute); result != porcupine.Ok {
		t.Errorf("%s: no order of these operations explains them", result)
	}
}

// TestLinearizableFindsRace: with a store in which the last writer wins, two processes give two URLs for one request, and the
// history shows it.
func TestLinearizableFindsRace(t *testing.T) {
	for try := range uint64(20) {
		ops := history(t, *linearSeed+try, 20, 0, []string{"DE", "FR"}, lastWriterWins)
		if porcupine.CheckOperationsTimeout(oneAtATime, ops, time.Minute) == porcupine.Illegal {
			t.Logf("found at try %d", try)
			return
		}
	}
	t.Fatal("a store in which the last writer wins passes")
}
