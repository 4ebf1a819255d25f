package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

const (
	bulkheadCrowd  = 400                    // buyers at a time whose provider hangs: more than may wait for it
	bulkheadPause  = time.Second            // until a refused buyer retries
	bulkheadPace   = 40 * time.Millisecond  // between the buyers who come one after the other
	bulkheadSlice  = 100 * time.Millisecond // of looking at one of the two shops, before it is the other's turn
	bulkheadSlices = 4                      // of each shop in a round
	// The minimum and the maximum of rounds. More than the minimum are run while the limit is missed, because of noise.
	bulkheadRounds, bulkheadMost = 3, 9
	// bulkheadFloor is the time below which a difference is noise.
	bulkheadFloor = 4 * time.Millisecond
)

// TestBulkhead: a provider that hangs does not slow requests that do not need it. One of two shops has a provider that hangs, with
// as many buyers as can wait for it. Requests that open sessions, quote and load pages are timed in both shops in turn. With
// -times, the median and the p99 of each kind are at most twice those of the other shop, in the median of the rounds. Without it,
// every request is answered.
func TestBulkhead(t *testing.T) {
	patience := orderTimes(3*time.Second, 3100*time.Millisecond)
	well, hung := openBulkhead(t, patience), openBulkhead(t, patience)
	hung.sandboxes[checkout.Test].Decide(func(c fault.Call) fault.Spec {
		if c.Operation == fault.Create {
			return "timeout"
		}
		return ""
	})
	stop := hung.crowd(t)
	defer well.buyers.Wait()
	defer stop()
	shoptest.Eventually(t, "the queue is full", func() bool { return hung.refused.Load() > 0 })
	ratios := make(map[string][]float64)
	for round := 0; round < bulkheadRounds || *shoptest.HoldTimes && round < bulkheadMost && worst(ratios) > 2; round++ {
		without, with := make(times), make(times)
		for range bulkheadSlices {
			well.look(t, without)
			hung.look(t, with)
		}
		for kind := range with {
			for _, percent := range []int{50, 99} {
				a, b := without.at(percent, kind), with.at(percent, kind)
				what := fmt.Sprintf("%s p%d", kind, percent)
				ratio := float64(max(b, bulkheadFloor)) / float64(max(a, bulkheadFloor))
				ratios[what] = append(ratios[what], ratio)
				t.Logf("round %d  %-11s %6.1f ms without, %6.1f ms with: %.2f (%d and %d requests)", round, what,
					float64(a.Microseconds())/1000, float64(b.Microseconds())/1000, ratio, len(without[kind]), len(with[kind]))
			}
		}
	}
	if n := well.refused.Load(); n > 0 {
		t.Logf("%d buyers were refused although their provider answers", n)
	}
	if ratio := worst(ratios); *shoptest.HoldTimes && ratio > 2 {
		t.Errorf("with a hanging provider something takes %.2f times what it takes without", ratio)
	}
}

// worst returns the largest median.
func worst(ratios map[string][]float64) (ratio float64) {
	for _, all := range ratios {
		sorted := slices.Sorted(slices.Values(all))
		ratio = max(ratio, sorted[len(sorted)/2])
	}
	return ratio
}

// times are the latencies of the requests of each kind.
type times map[string][]time.Duration

// at returns a percentile of a kind.
func (all times) at(percent int, kind string) time.Duration {
	sorted := slices.Sorted(slices.Values(all[kind]))
	return sorted[len(sorted)*percent/100]
}

// bulkhead is a shop with buyers and others.
type bulkhead struct {
	*shop
	token          string
	page           demo.Session
	sessions       []string // to order from, each once
	orders, others *http.Client
	buyers         sync.WaitGroup
	refused        atomic.Int32 // buyers with a 503
}

func openBulkhead(t *testing.T, settings ...func(*Config)) *bulkhead {
	t.Helper()
	s := openShop(t, settings...)
	arrivals := bulkheadMost * bulkheadSlices * int(bulkheadSlice/bulkheadPace+1)
	return &bulkhead{shop: s, token: s.Token(t, "user-1"), page: s.Session(t, nil), sessions: s.manySessions(t, arrivals+bulkheadCrowd),
		orders: newBrowser(), others: newBrowser()}
}

// newBrowser returns a client with connections of its own.
func newBrowser() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}
}

// next returns a session without an order.
func (b *bulkhead) next() string {
	id := b.sessions[0]
	b.sessions = b.sessions[1:]
	return id
}

// crowd lets buyers order repeatedly until stop is called.
func (b *bulkhead) crowd(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	for range bulkheadCrowd {
		id := b.next()
		b.buyers.Go(func() {
			for ctx.Err() == nil {
				b.order(t, id)
				select {
				case <-time.After(bulkheadPause):
				case <-ctx.Done():
				}
			}
		})
	}
	return func() { cancel(); b.buyers.Wait() }
}

func (b *bulkhead) order(t *testing.T, session string) {
	body, err := json.Marshal(shoptest.OrderFor(session))
	if err != nil {
		t.Error(err)
	}
	switch status, again := b.send(t, b.orders, b.PublicURL+shoptest.CreateOrderPath, body, shoptest.Bearer(b.token)); {
	case status == http.StatusServiceUnavailable && again == "":
		t.Error("a refusal has no Retry-After")
	case status == http.StatusServiceUnavailable:
		b.refused.Add(1)
	}
}

// look times the other requests of a shop for a slice, while new buyers order.
func (b *bulkhead) look(t *testing.T, into times) {
	const openPath, quotePath = "/v1/actions/checkout/create-session", "/v1/actions/checkout/quote"
	quote := []byte(`{"checkoutSessionId":"` + b.page.SessionID + `","billingDetail":{"country":"DE","isBusiness":false}}`)
	opening := []byte(`{"productId":"` + b.File.Products[0].ID + `","currency":"EUR"}`)
	visitor := map[string]string{"X-Store-Slug": b.File.StoreSlug, "X-Environment": "test"}
	ask := map[string]func() (int, string){
		"session": func() (int, string) { return b.send(t, b.others, b.PublicURL+openPath, opening, visitor) },
		"quote":   func() (int, string) { return b.send(t, b.others, b.PublicURL+quotePath, quote, visitor) },
		"page":    func() (int, string) { return b.send(t, b.others, b.page.CheckoutURL, nil, nil) },
	}
	end := time.Now().Add(bulkheadSlice)
	var all sync.WaitGroup
	var mutex sync.Mutex
	for kind, ask := range ask {
		all.Go(func() {
			for time.Now().Before(end) {
				began := time.Now()
				status, _ := ask()
				took := time.Since(began)
				if status != http.StatusOK {
					t.Errorf("%s: HTTP %d", kind, status)
				}
				mutex.Lock()
				into[kind] = append(into[kind], took)
				mutex.Unlock()
			}
		})
	}
	for time.Now().Before(end) {
		id := b.next()
		b.buyers.Go(func() { b.order(t, id) })
		time.Sleep(bulkheadPace)
	}
	all.Wait()
}

// send posts a body, or gets a page if there is none, and reads the response.
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
