package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

const (
	bulkheadRounds  = 5                      // each measures with a provider that answers and with one that hangs
	bulkheadSpan    = 400 * time.Millisecond // of a measurement
	bulkheadSettle  = 150 * time.Millisecond // until the crowd has come in
	bulkheadArrival = 10 * time.Millisecond  // between two buyers, whatever becomes of them
	bulkheadCrowd   = 400                    // buyers who are there already when the provider hangs: more than may wait
	// A p99 below bulkheadFloor counts as that: on a busy machine of two cores less is noise.
	bulkheadFloor = 4 * time.Millisecond
)

// TestBulkhead: a provider that hangs slows nobody who does not need it. Buyers come at one pace, and what opens sessions,
// quotes and loads pages is measured while their provider answers and while it answers nobody, in turn. Of every kind the
// p99 with a hanging provider is within twice that without.
func TestBulkhead(t *testing.T) {
	shop := openTuned(t, func(s *server) { s.orders.TryTimeout, s.orders.Budget = 800*time.Millisecond, 900*time.Millisecond })
	var hangs atomic.Bool
	shop.sandboxes[checkout.Test].Decide(func(c sandbox.Call) sandbox.Fault {
		if hangs.Load() && c.Operation != sandbox.Webhook {
			return "timeout"
		}
		return ""
	})
	b := &bulkhead{shop: shop, token: shop.token(t, "user-1"), orders: newBrowser(), probes: newBrowser()}
	arrivals := int(bulkheadSpan/bulkheadArrival) + 1
	sessions := shop.manySessions(t, 2*bulkheadRounds*arrivals+bulkheadCrowd)
	crowd, sessions := sessions[:bulkheadCrowd], sessions[bulkheadCrowd:]

	ratios := make(map[string][]float64)
	b.measure(t, sessions[:1]) // nobody counts the first time
	for round := range bulkheadRounds {
		begin := 2 * round * arrivals
		without := b.measure(t, sessions[begin:begin+arrivals])
		if n := b.refused.Swap(0); int(n) > arrivals/2 { // or nothing is measured
			t.Errorf("%d orders failed with a provider that answers", n)
		}
		hangs.Store(true)
		b.order(t, crowd...)
		eventually(t, "the queue is full", func() bool { return b.refused.Load() > 0 })
		time.Sleep(bulkheadSettle)
		with := b.measure(t, sessions[begin+arrivals:begin+2*arrivals])
		t.Logf("round %d: %3d of %d buyers refused at once", round, b.refused.Swap(0), bulkheadCrowd+arrivals)
		hangs.Store(false)
		b.buyers.Wait()
		b.refused.Store(0)
		for kind := range without {
			ratio := float64(max(with[kind], bulkheadFloor)) / float64(max(without[kind], bulkheadFloor))
			ratios[kind] = append(ratios[kind], ratio)
			t.Logf("  %-8s p99 %5.1f ms without, %5.1f ms with: %.2f", kind, milliseconds(without[kind]), milliseconds(with[kind]), ratio)
		}
	}
	for kind, all := range ratios {
		slices.Sort(all)
		if median := all[len(all)/2]; median > 2 {
			t.Errorf("%s: the p99 with a hanging provider is %.2f times that without", kind, median)
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// bulkhead is what the buyers and the probes need.
type bulkhead struct {
	*shop
	token          string
	orders, probes *http.Client
	buyers         sync.WaitGroup
	refused        atomic.Int32 // buyers who were told to come back, or got nothing
}

// newBrowser has connections of its own, as many as it needs.
func newBrowser() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}, Timeout: 30 * time.Second}
}

// manySessions copies a session, without the HTTP and the signature of each.
func (s *shop) manySessions(t testing.TB, n int) []string {
	t.Helper()
	first, err := s.db.Session(context.Background(), s.session(t, nil).SessionID)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, n)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			session := *first
			session.Version, session.ID = 0, shortid.FormatSession(shortid.NewV4(rand.Reader))
			if ids[i] = session.ID; s.server.orders.Add(context.Background(), &session) != nil {
				t.Error("a session was not made")
			}
		})
	}
	all.Wait()
	return ids
}

// order lets buyers come, one for each session, and does not wait for them.
func (b *bulkhead) order(t *testing.T, sessions ...string) {
	for _, id := range sessions {
		b.buyers.Go(func() {
			body, err := json.Marshal(orderFor(id))
			if err != nil {
				t.Error(err)
			}
			switch status, again := b.send(t, b.orders, b.PublicURL+createOrderPath, body, bearer(b.token)); {
			case status == http.StatusServiceUnavailable && again == "":
				t.Error("a buyer is refused and not told when to come again")
			case status != http.StatusOK:
				b.refused.Add(1)
			}
		})
	}
}

// measure lets a buyer come for each session, one after the other, and says how long meanwhile the slowest hundredth of all
// else took.
func (b *bulkhead) measure(t *testing.T, sessions []string) map[string]time.Duration {
	page := b.session(t, nil)
	quote := []byte(`{"checkoutSessionId":"` + page.SessionID + `","billingDetail":{"country":"DE","isBusiness":false}}`)
	opening := []byte(`{"productId":"` + b.file.Products[0].ID + `","currency":"EUR"}`)
	const openPath, quotePath = "/v1/actions/checkout/create-session", "/v1/actions/checkout/quote"
	visitor := map[string]string{"X-Store-Slug": b.file.StoreSlug, "X-Environment": "test"}
	probes := map[string]func() (int, string){
		"session": func() (int, string) { return b.send(t, b.probes, b.PublicURL+openPath, opening, visitor) },
		"quote":   func() (int, string) { return b.send(t, b.probes, b.PublicURL+quotePath, quote, visitor) },
		"page":    func() (int, string) { return b.send(t, b.probes, page.CheckoutURL, nil, nil) },
	}
	end := time.Now().Add(bulkheadSpan)
	var all sync.WaitGroup
	var mutex sync.Mutex
	p99 := make(map[string]time.Duration)
	for kind, probe := range probes {
		all.Go(func() {
			var took []time.Duration
			for time.Now().Before(end) || len(took) < 20 {
				began := time.Now()
				if status, _ := probe(); status != http.StatusOK {
					t.Errorf("%s: HTTP %d", kind, status)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			mutex.Lock()
			defer mutex.Unlock()
			p99[kind] = took[len(took)*99/100]
		})
	}
	for _, id := range sessions {
		b.order(t, id)
		time.Sleep(bulkheadArrival)
	}
	all.Wait()
	return p99
}

// send posts a body, or gets a page where there is none, and reads the answer.
func (b *bulkhead) send(t *testing.T, client *http.Client, url string, body []byte, header map[string]string) (status int, retryAfter string) {
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Error(err)
	}
	return response.StatusCode, response.Header.Get("Retry-After")
}
