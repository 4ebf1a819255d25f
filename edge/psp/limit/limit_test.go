package limit

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
)

// fake is a provider that counts creates and fails those that it is told to.
type fake struct {
	psp.Provider
	mutex  sync.Mutex
	errors []*psp.CallError // of the next creates
	sent   int
}

func (f *fake) Name() string { return "test" }

func (f *fake) Create(time.Time, psp.RenderedRequest, string) (psp.Created, *psp.CallError) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.sent++
	if len(f.errors) == 0 {
		return psp.Created{}, nil
	}
	first := f.errors[0]
	f.errors = f.errors[1:]
	return psp.Created{}, first
}

// create is a buyer's call that is in no hurry.
func create(l *Limiter, within time.Duration) *psp.CallError {
	_, callErr := l.For("", "", "").Create(time.Now().Add(within), psp.RenderedRequest{}, "k")
	return callErr
}

// hanging is a provider that answers nobody, and an adapter that notices late.
type hanging struct{ fake }

func (h *hanging) Create(deadline time.Time, _ psp.RenderedRequest, _ string) (psp.Created, *psp.CallError) {
	time.Sleep(time.Until(deadline) + 100*time.Millisecond)
	return psp.Created{}, &psp.CallError{Class: psp.Unknown, Err: errors.New("timeout")}
}

// TestBulkhead: calls beyond the slots wait as long as an answer can still arrive, and are then reported as not sent.
func TestBulkhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(&hanging{}, Limits{Concurrent: 2, Trip: 100})
		began := time.Now()
		results := make(chan *psp.CallError, 6)
		for range 6 {
			go func() { results <- create(l, 4*time.Second) }()
		}
		for range 4 {
			if got := <-results; got.Class != psp.NotExecuted || !got.Held || time.Since(began) != 3*time.Second {
				t.Errorf("after %v: %v", time.Since(began), got)
			}
		}
		for range 2 {
			if got := <-results; got.Class != psp.Unknown {
				t.Errorf("got %v", got)
			}
		}
	})
}

// TestBreaker: a provider that does not answer gets no calls for a while, and is then tried again with one.
func TestBreaker(t *testing.T) {
	p := new(fake)
	l := New(p, Limits{Trip: 3, Rest: 30 * time.Millisecond})
	for range 3 {
		p.errors = []*psp.CallError{{Class: psp.Unknown}}
		if got := create(l, time.Minute); got == nil || got.Class != psp.Unknown {
			t.Fatalf("got %v", got)
		}
	}
	if got := create(l, time.Minute); got == nil || got.Class != psp.NotExecuted || p.sent != 3 {
		t.Fatalf("the breaker let a call through: %v, sent %d", got, p.sent)
	}
	time.Sleep(50 * time.Millisecond)
	if got := create(l, time.Minute); got != nil {
		t.Fatalf("the provider is back: %v", got)
	}
}

// TestRefusals: a provider that refuses is not down.
func TestRefusals(t *testing.T) {
	p := new(fake)
	l := New(p, Limits{Trip: 3})
	for range 5 {
		p.errors = []*psp.CallError{{Class: psp.Definitive, Status: 400}}
		if got := create(l, time.Minute); got == nil || got.Class != psp.Definitive {
			t.Fatalf("got %v", got)
		}
	}
	if p.sent != 5 {
		t.Errorf("sent %d", p.sent)
	}
}

// TestRate: no more calls are sent than the rate allows, and a fifth of it is reserved for background jobs. Each refused call gets
// a RetryAfter of its own.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake)
		l := New(p, Limits{Rate: 10})
		var waits []time.Duration
		made := func(from func(key string) *Calls) (n int) {
			for i := range 15 {
				_, held := from(fmt.Sprint(i)).Create(time.Now().Add(1050*time.Millisecond), psp.RenderedRequest{}, "k")
				if held == nil {
					n++
				} else if waits = append(waits, held.RetryAfter); !held.Held || held.Class != psp.NotExecuted {
					t.Errorf("got %v", held)
				}
			}
			return n
		}
		if buyers, background := made(func(key string) *Calls { return l.For("", "", key) }), made(func(string) *Calls { return l.Background() }); buyers != 8 || background != 2 || p.sent != 10 {
			t.Errorf("%d calls of buyers, %d in the background, sent %d", buyers, background, p.sent)
		}
		for i, wait := range waits[:7] {
			if want := time.Duration(i+1) * time.Second / 10; (wait - want).Abs() > time.Microsecond {
				t.Errorf("refusal %d says to wait for %v, not %v", i, wait, want)
			}
		}
	})
}

// TestTooLate: a call whose answer could not arrive by its deadline is not sent, even if there is a slot.
func TestTooLate(t *testing.T) {
	p := new(fake)
	if got := create(New(p, Limits{}), 500*time.Millisecond); got == nil || !got.Held || p.sent != 0 {
		t.Errorf("got %v, sent %d", got, p.sent)
	}
}

// TestFairness: slots go around between the stores, and within a store between its clients.
func TestFairness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &stopped{begun: make(chan struct{}, 100), end: make(chan struct{})}
		l := New(p, Limits{Concurrent: 1})
		served := make(chan string, 100)
		ask := func(store, client string, n int) {
			for range n {
				go func() {
					if _, held := l.For(store, client, "").Create(time.Now().Add(time.Minute), psp.RenderedRequest{}, "k"); held == nil {
						served <- store + client
					}
				}()
				synctest.Wait()
			}
		}
		ask("A", "1", 4) // the first of which is served at once
		ask("A", "2", 2)
		ask("B", "1", 2)
		var order []string
		for range 8 {
			p.end <- struct{}{}
			synctest.Wait()
			order = append(order, <-served)
		}
		if want := "A1 A1 B1 A2 B1 A1 A2 A1"; strings.Join(order, " ") != want {
			t.Errorf("served %v, not %s", order, want)
		}
	})
}

// TestPlace: a call that was refused keeps its place. Repeated in time, it is served before those that came later; repeated too late,
// after them. Its RetryAfter is when its turn comes, also if it asks again before.
func TestPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(new(fake), Limits{Rate: 10}) // 8 at once
		ask := func(key string, patience time.Duration) *psp.CallError {
			return l.For("A", "1", key).Reserve(time.Now().Add(patience))
		}
		for i := range 8 {
			ask(fmt.Sprint(i), time.Second)
		}
		wants := func(key string, patience, want time.Duration) {
			t.Helper()
			held := ask(key, patience)
			if held == nil && want >= 0 || held != nil && (held.RetryAfter-want).Abs() > time.Microsecond {
				t.Errorf("%s got %+v, not %v", key, held, want)
			}
		}
		const at, served = time.Millisecond, time.Duration(-1)
		wants("early", at, 100*time.Millisecond)
		wants("late", at, 200*time.Millisecond)
		wants("impatient", 0, 300*time.Millisecond)
		wants("third", at, 300*time.Millisecond)
		time.Sleep(50 * time.Millisecond)
		wants("third", at, 250*time.Millisecond)
		time.Sleep(50 * time.Millisecond)
		wants("early", at, served)
		wants("third", at, 200*time.Millisecond)
		time.Sleep(lateness + time.Second)
		for i := range 8 {
			ask(fmt.Sprint(i), time.Second)
		}
		wants("late", at, 100*time.Millisecond)
		if n := l.buyers.queue.length; n != 1 || len(l.buyers.away) != 1 || l.buyers.queue.here != 0 {
			t.Errorf("%d places, %d away", n, len(l.buyers.away))
		}
	})
}

// TestPlaceFairness: the places of those who are away are in the stores' turns as well. A store that comes later is not behind all
// of another's, and the first of each store who comes back in time is next.
func TestPlaceFairness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(new(fake), Limits{Rate: 1})
		ask := func(store, key string) time.Duration {
			held := l.For(store, key, key).Reserve(time.Now().Add(time.Millisecond))
			if held == nil {
				return 0
			}
			return held.RetryAfter.Round(time.Millisecond)
		}
		var told []string
		for _, key := range []string{"A0", "A1", "A2", "A3", "B1", "B2", "A2", "A3"} {
			told = append(told, fmt.Sprint(key, " ", ask(key[:1], key)))
		}
		if want := "A0 0s, A1 1s, A2 2s, A3 3s, B1 2s, B2 4s, A2 3s, A3 5s"; strings.Join(told, ", ") != want {
			t.Errorf("told %v, not %s", told, want)
		}
		for _, key := range []string{"A1", "B1", "A2", "B2", "A3"} {
			time.Sleep(time.Second)
			if wait := ask(key[:1], key); wait != 0 {
				t.Errorf("%s has to wait %v", key, wait)
			}
		}
	})
}

// TestBackgroundShare: background jobs that have enough to do get a fifth of the rate however many buyers wait, and buyers get the rest,
// which is all of it while there are no background jobs: 8 at once, and then 10 a second, less what background jobs take. The last two of
// those may come after the last of the buyers, so that buyers have 86 to 88.
func TestBackgroundShare(t *testing.T) {
	const lasts = 10 * time.Second
	for _, c := range []struct{ jobs, buyers, background int }{{0, 108, 0}, {50, 87, 22}} {
		synctest.Test(t, func(t *testing.T) {
			l := New(new(fake), Limits{Rate: 10})
			var all sync.WaitGroup
			var buyers, background atomic.Int32
			end := time.Now().Add(lasts)
			call := func(calls *Calls, made *atomic.Int32) {
				for calls.Reserve(end) == nil {
					made.Add(1)
					calls.Release()
				}
			}
			for i := range 50 {
				all.Go(func() { call(l.For("", "", fmt.Sprint(i)), &buyers) })
			}
			for range c.jobs {
				all.Go(func() { call(l.Background(), &background) })
			}
			all.Wait()
			if b, j := int(buyers.Load()), int(background.Load()); abs(b-c.buyers) > 1 || abs(j-c.background) > 1 || b+j > 110 {
				t.Errorf("%d calls of buyers and %d of background jobs, not %d and %d", b, j, c.buyers, c.background)
			}
		})
	}
}

func abs(n int) int { return max(n, -n) }

// TestQueue: the queue for a provider that hangs is bounded, and the next call is refused at once. Background jobs have slots of
// their own.
func TestQueue(t *testing.T) {
	p := &stopped{begun: make(chan struct{}, 10), end: make(chan struct{})}
	l := New(p, Limits{Concurrent: 2, Waiting: 3})
	results := make(chan *psp.CallError, 8)
	for range 8 {
		go func() { results <- create(l, time.Minute) }()
	}
	for range 3 {
		if got := <-results; got == nil || !got.Held || got.Class != psp.NotExecuted || got.Code != "queue_full_here" {
			t.Errorf("refused with %+v", got)
		}
	}
	go l.Background().Create(time.Now().Add(time.Minute), psp.RenderedRequest{}, "k")
	for range 3 {
		<-p.begun
	}
	close(p.end)
	for range 5 {
		if got := <-results; got != nil {
			t.Errorf("one of the five got %v", got)
		}
	}
}

// stopped is a provider whose answers wait until a test lets them go.
type stopped struct {
	fake
	begun chan struct{} // one element for each call
	end   chan struct{}
}

func (s *stopped) Create(time.Time, psp.RenderedRequest, string) (psp.Created, *psp.CallError) {
	s.begun <- struct{}{}
	<-s.end
	return psp.Created{}, nil
}
