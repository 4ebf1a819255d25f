package limit

import (
	"errors"
	"strings"
	"sync"
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

func (f *fake) Create(time.Time, psp.RenderedRequest, string) (psp.Checkout, *psp.CallError) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.sent++
	if len(f.errors) == 0 {
		return psp.Checkout{}, nil
	}
	first := f.errors[0]
	f.errors = f.errors[1:]
	return psp.Checkout{}, first
}

// create is a buyer's call that is in no hurry.
func create(l *Limiter, within time.Duration) *psp.CallError {
	_, callErr := l.For("", "").Create(time.Now().Add(within), psp.RenderedRequest{}, "k")
	return callErr
}

// hanging is a provider that answers nobody, and an adapter that notices late.
type hanging struct{ fake }

func (h *hanging) Create(deadline time.Time, _ psp.RenderedRequest, _ string) (psp.Checkout, *psp.CallError) {
	time.Sleep(time.Until(deadline) + 100*time.Millisecond)
	return psp.Checkout{}, &psp.CallError{Class: psp.Unknown, Err: errors.New("timeout")}
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
		made := func(c *Calls) (n int) {
			for range 15 {
				_, held := c.Create(time.Now().Add(time.Second), psp.RenderedRequest{}, "k")
				if held == nil {
					n++
				} else if waits = append(waits, held.RetryAfter); !held.Held || held.Class != psp.NotExecuted {
					t.Errorf("got %v", held)
				}
			}
			return n
		}
		if buyers, background := made(l.For("", "")), made(l.Background()); buyers != 8 || background != 2 || p.sent != 10 {
			t.Errorf("%d calls of buyers, %d in the background, sent %d", buyers, background, p.sent)
		}
		for i, wait := range waits[:7] {
			if want := time.Duration(i+1) * time.Second / 8; (wait - want).Abs() > time.Microsecond {
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
					if _, held := l.For(store, client).Create(time.Now().Add(time.Minute), psp.RenderedRequest{}, "k"); held == nil {
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

func (s *stopped) Create(time.Time, psp.RenderedRequest, string) (psp.Checkout, *psp.CallError) {
	s.begun <- struct{}{}
	<-s.end
	return psp.Checkout{}, nil
}
