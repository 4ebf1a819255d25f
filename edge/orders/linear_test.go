package orders_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

var (
	histories  = flag.Int("histories", 40, "how many sessions TestLinearizable orders from by the virtual clock; a quarter of them by the real one, an eighth on PostgreSQL")
	linearSeed = flag.Uint64("linear-seed", uint64(time.Now().UnixNano()), "of TestLinearizable")
	busy       = flag.Int("busy", 0, "how many goroutines keep the processors busy during TestLinearizable")
	recorded   = flag.String("history", "", "a file with a history that TestLinearizable checks and draws instead of a new one")
)

// linearClients order at once from each session, linearOrders times each.
const linearClients, linearOrders = 6, 5

// operation is what one client did and what came of it: it ordered to a country, or looked at the session where Country is
// "". A call without a URL and with an Error is in doubt: it may have had its effect, or have it later.
type operation struct {
	Client, Process int
	Country         string // ordered to; of the session that was looked at, if Looked
	Looked          bool
	URL, Error      string
	Call, Return    int64 // nanoseconds since the history began

	doubt int // how many requests for the same country before this one are in doubt, too
}

func (op operation) String() string {
	switch {
	case op.Looked:
		return fmt.Sprintf("looks: %q", op.Country)
	case op.Error != "":
		return op.Country + ": " + op.Error
	}
	return op.Country + ": " + op.URL[strings.LastIndexByte(op.URL, '_')+1:]
}

// history is all operations on one session.
type history []operation

// shown is a session as one client after the other would see it. Its lists are sorted, so that states that mean the same are
// equal: the search for an order depends on it.
type shown struct {
	country string // of the order that can be paid
	url     string // "?" while no client knows it
	ended   string // all URLs before, which must never come back
	doubts  string // the countries of the requests in doubt that have had their effect
}

// after is the session after a request for another country.
func (s shown) after(country, url string) shown {
	if s.url != "" && s.url != "?" {
		s.ended = with(s.ended, s.url)
	}
	s.country, s.url = country, url
	return s
}

// isNew reports whether a URL is none that was ever shown.
func (s shown) isNew(url string) bool {
	return url != s.url && !slices.Contains(strings.Fields(s.ended), url)
}

// with adds a word to a sorted list.
func with(list, word string) string {
	words := append(strings.Fields(list), word)
	slices.Sort(words)
	return strings.Join(words, " ")
}

// oneAtATime says what a session does. A request for what is there already gets the same URL, any other a new one. What was
// in doubt has its effect once, then or at any time later; of two such requests for one country the first has it first, which
// excludes nothing, because the two could change places.
var oneAtATime = porcupine.Model{
	Init: func() any { return shown{} },
	Step: func(state, input, _ any) (bool, any) {
		s, op := state.(shown), input.(operation)
		changed := op.Country != s.country
		switch {
		case op.Looked:
			return !changed, s
		case op.Error != "":
			inTurn := strings.Count(s.doubts, op.Country) == op.doubt
			s.doubts = with(s.doubts, op.Country)
			if changed {
				s = s.after(op.Country, "?")
			}
			return inTurn, s
		case changed:
			return s.isNew(op.URL), s.after(op.Country, op.URL)
		case s.url == "?":
			isNew := s.isNew(op.URL)
			s.url = op.URL
			return isNew, s
		default:
			return op.URL == s.url, s
		}
	},
	DescribeOperation: func(input, _ any) string { return fmt.Sprint(input) },
}

// check looks for an order of the operations that explains them.
func (h history) check() (porcupine.CheckResult, porcupine.LinearizationInfo) {
	slices.SortFunc(h, func(a, b operation) int { return cmp.Compare(a.Call, b.Call) })
	doubts := make(map[string]int)
	var ops []porcupine.Operation
	for _, op := range h {
		if op.Error != "" {
			op.doubt = doubts[op.Country]
			doubts[op.Country]++
			op.Return = 1 << 60 // its effect may come at any time
		}
		ops = append(ops, porcupine.Operation{ClientId: op.Client, Input: op, Call: op.Call, Return: op.Return})
	}
	return porcupine.CheckOperationsVerbose(oneAtATime, ops, time.Minute)
}

// mustBeLinear fails the test for a history that nothing explains, and leaves it in a file and as a picture.
func (h history) mustBeLinear(t *testing.T, n int) {
	t.Helper()
	result, info := h.check()
	if result == porcupine.Ok && *recorded == "" {
		return
	}
	name := cmp.Or(*recorded, fmt.Sprintf("%s/history-%d.json", os.TempDir(), time.Now().UnixNano()))
	if *recorded == "" {
		must(os.WriteFile(name, h.lines(), 0o600))
	}
	must(porcupine.VisualizePath(oneAtATime, info, name+".html"))
	t.Logf("%s.html draws it; go test ./edge/orders -run 'TestLinearizable$' -history=%s checks it again", name, name)
	if result != porcupine.Ok {
		t.Fatalf("%s: no order of the operations on session %d explains them:\n%s", result, n, h.lines())
	}
}

// lines is a history as JSON, an operation a line.
func (h history) lines() []byte {
	var all bytes.Buffer
	for _, op := range h {
		must(json.NewEncoder(&all).Encode(op))
	}
	return all.Bytes()
}

func readHistory(t *testing.T, name string) (h history) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := json.NewDecoder(file); lines.More(); {
		var op operation
		if err := lines.Decode(&op); err != nil {
			t.Fatal(err)
		}
		h = append(h, op)
	}
	return h
}

// pauses holds up whoever passes a boundary: mostly a little, at times for longer than a call may take.
type pauses struct {
	mu  sync.Mutex
	rng *mathrand.Rand
}

func newPauses(seed, n uint64) *pauses { return &pauses{rng: mathrand.New(mathrand.NewPCG(seed, n))} }

func (p *pauses) boundary() {
	p.mu.Lock()
	d := time.Duration(1 + p.rng.IntN(2e6))
	switch p.rng.IntN(40) {
	case 0:
		d *= 30
	case 1, 2, 3, 4:
		d *= 5
	}
	p.mu.Unlock()
	time.Sleep(d)
}

// below draws a number.
func (p *pauses) below(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rng.IntN(n)
}

// pausingStore holds up every read and commit, before and after its effect.
type pausingStore struct {
	orders.Store
	*pauses
}

func (s pausingStore) Session(ctx context.Context, id string) (*sessions.Session, error) {
	s.boundary()
	return s.Store.Session(ctx, id)
}

func (s pausingStore) Order(ctx context.Context, env checkout.Environment, id string) (*orders.Order, error) {
	s.boundary()
	return s.Store.Order(ctx, env, id)
}

func (s pausingStore) Commit(ctx context.Context, c orders.Change) error {
	s.boundary()
	defer s.boundary()
	return s.Store.Commit(ctx, c)
}

// unsteady is a provider of whose creates so many in a hundred fail, before or after their effect.
type unsteady struct {
	*provider
	*pauses
	troubles int
}

func (u unsteady) Create(deadline time.Time, w psp.RenderedRequest, key string) (psp.Created, *psp.CallError) {
	u.boundary()
	defer u.boundary()
	if u.below(100) >= u.troubles {
		return u.provider.Create(deadline, w, key)
	}
	switch u.below(3) {
	case 0:
		return psp.Created{}, &psp.CallError{Class: psp.NotExecuted, Status: 401}
	case 1:
		return psp.Created{}, &psp.CallError{Class: psp.Unknown, Err: errors.New("lost on the way there")}
	default:
		u.provider.Create(deadline, w, key)
		return psp.Created{}, &psp.CallError{Class: psp.Unknown, Err: errors.New("lost on the way back")}
	}
}

func (u unsteady) Expire(deadline time.Time, ref string) (psp.Checkout, *psp.CallError) {
	u.boundary()
	defer u.boundary()
	return u.provider.Expire(deadline, ref)
}

// process is a service with its view of the store.
type process struct {
	store orders.Store
	*orders.Service
}

// crowd is clients who order from sessions and look at them, through processes on one store.
type crowd struct {
	seed      uint64
	processes int
	troubles  int
	countries []string
	store     func(orders.Store) orders.Store
	postgres  string // the URL of the database; "" is one in a directory
}

// visit opens a store, lets the crowd order from one session after the other, and returns what it saw of each.
func (c crowd) visit(t *testing.T, sessions int) (seen []history) {
	t.Helper()
	db := openStore(c.postgres, t.TempDir())
	defer db.Close()
	for n := range sessions {
		session := newSession(0, time.Now())
		session.ID = fmt.Sprintf("cs_550e8400-e29b-41d4-a716-%012d", n)
		if err := db.Commit(context.Background(), orders.Change{Session: session}); err != nil {
			t.Fatal(err)
		}
		seen = append(seen, c.order(t, db, session.ID, uint64(n)))
	}
	return seen
}

// visitVirtually is visit in a bubble of virtual time.
func (c crowd) visitVirtually(t *testing.T, sessions int) (seen []history) {
	synctest.Test(t, func(t *testing.T) {
		leaveYear2000()
		seen = c.visit(t, sessions)
	})
	return seen
}

// order lets the crowd order from one session. What it does, and how long each step takes, comes from the seed and n.
func (c crowd) order(t *testing.T, db orders.Store, session string, n uint64) (h history) {
	provider, budget := new(provider), 100*time.Millisecond<<(n%2*4) // too little time for a second try, or enough
	processes := make([]process, c.processes)
	for i := range processes {
		p := newPauses(c.seed, n<<8+uint64(i))
		provider := unsteady{provider, p, c.troubles}
		store := c.store(pausingStore{db, p})
		processes[i] = process{store, orders.New(orders.Config{Store: store, Now: time.Now, Rand: rand.Reader,
			Log: slog.New(slog.DiscardHandler), Providers: map[checkout.Environment]orders.Provider{checkout.Test: unlimited(provider)},
			TryTimeout: budget / 2, Budget: budget})}
	}
	began := time.Now()
	var mu sync.Mutex
	var clients sync.WaitGroup
	for i := range linearClients {
		p := newPauses(c.seed, n<<8+1<<7+uint64(i))
		clients.Go(func() {
			for range linearOrders {
				p.boundary()
				op := operation{Client: i, Process: i % c.processes, Country: c.countries[p.below(len(c.countries))]}
				op.Call = time.Since(began).Nanoseconds()
				op.act(t, processes[op.Process], session)
				op.Return = time.Since(began).Nanoseconds()
				mu.Lock()
				h = append(h, op)
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	return h
}

func (op *operation) act(t *testing.T, s process, id string) {
	ctx, business := context.Background(), false
	if op.Looked = op.Country == ""; op.Looked {
		session, err := s.store.Session(ctx, id)
		if err != nil {
			t.Error(err)
		} else if session.Billing != nil {
			op.Country = session.Billing.Country
		}
		return
	}
	var err error
	if op.URL, err = s.Create(ctx, &orders.Request{Request: checkout.Request{
		Caller: checkout.Caller{Environment: checkout.Test, StoreID: "STO_1"}, SessionID: id,
		Billing: &billing.Input{Country: op.Country, IsBusiness: &business}, BuyerEmail: "ada@example.com",
	}}, "", nil); err != nil {
		op.Error = err.Error()
	}
	if refusal, ok := errors.AsType[problem.List](err); ok {
		t.Error(refusal)
	}
}

// TestLinearizable: whatever many clients see of a session, in several processes and with a provider that loses calls and
// answers, could have been seen by them one after the other. By the virtual clock each client has a process of its own, and a
// seed gives the same history each time; by the real one two processes also meet within a step.
func TestLinearizable(t *testing.T) {
	if *recorded != "" {
		readHistory(t, *recorded).mustBeLinear(t, 0)
		return
	}
	t.Logf("-histories=%d -linear-seed=%d -busy=%d", *histories, *linearSeed, *busy)
	keepBusy(t, *busy)
	c := crowd{seed: *linearSeed, troubles: 6, countries: []string{"DE", "FR", "JP", ""}, store: func(s orders.Store) orders.Store { return s }}
	t.Run("virtual clock", func(t *testing.T) {
		c.processes = linearClients
		if doubts, urls := allLinear(t, c.visitVirtually(t, *histories)); doubts == 0 || urls < *histories {
			t.Fatal("too little happened: the test no longer tests")
		}
	})
	t.Run("real clock", func(t *testing.T) {
		c.processes = 2
		allLinear(t, c.visit(t, (*histories+3)/4))
	})
	t.Run("PostgreSQL", func(t *testing.T) { // by the real clock, which its server has
		c.processes, c.postgres = linearClients, postgres(t)
		allLinear(t, c.visit(t, (*histories+7)/8))
	})
}

func allLinear(t *testing.T, seen []history) (doubts, urls int) {
	t.Helper()
	all := make(map[string]bool)
	for n, h := range seen {
		h.mustBeLinear(t, n)
		for _, op := range h {
			if op.Error != "" {
				doubts++
			}
			all[op.URL] = true
		}
	}
	urls = len(all) - 1
	t.Logf("%d operations, %d of them in doubt, %d URLs", len(seen)*linearClients*linearOrders, doubts, urls)
	return doubts, urls
}

// keepBusy spends what processors there are until the test ends.
func keepBusy(t *testing.T, goroutines int) {
	var ending sync.WaitGroup
	var ended atomic.Bool
	for range goroutines {
		ending.Go(func() {
			for !ended.Load() {
			}
		})
	}
	t.Cleanup(func() { ended.Store(true); ending.Wait() })
}

// TestLinearizableFindsRace: with a store in which the last writer wins, two processes give two URLs for one request, and the
// history shows it.
func TestLinearizableFindsRace(t *testing.T) {
	c := crowd{seed: *linearSeed, processes: linearClients, countries: []string{"DE", "FR"}, store: lastWriterWins}
	for _, h := range c.visitVirtually(t, 40) {
		if result, _ := h.check(); result == porcupine.Illegal {
			return
		}
	}
	t.Fatalf("a store in which the last writer wins passes with -linear-seed=%d", *linearSeed)
}
