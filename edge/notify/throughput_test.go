package notify_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/shoptest"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// backlog stores n deliveries that are due, for each endpoint in turn.
func (s *shop) backlog(n int, endpoints ...*notify.Endpoint) {
	s.Helper()
	for i := range n {
		now := s.now()
		s.must(s.db.CommitNotify(s.Context(), notify.Change{Deliveries: []*notify.Delivery{{ID: shortid.NewV7(now, rand.Reader).String(),
			Environment: checkout.Test, MerchantID: s.MerchantID, StoreID: s.store, EndpointID: endpoints[i%len(endpoints)].ID,
			EventType: "order.completed", EventID: fmt.Sprint("PAY_", i), State: notify.Pending, Body: make([]byte, 1500), Signature: "x",
			SignedAt: now.UnixMilli(), DueAt: now.UnixMilli(), CreatedAt: now.UnixMilli()}}}))
	}
}

// BenchmarkBacklog measures how fast a backlog is sent to one endpoint that answers at once, without fsync, and whether the rate
// falls with what was sent before: 1 is not at all.
func BenchmarkBacklog(b *testing.B) {
	n := int64(max(b.N, 1000))
	var got atomic.Int64
	reached := map[int64]chan time.Time{n / 10: make(chan time.Time, 1), n * 9 / 10: make(chan time.Time, 1), n: make(chan time.Time, 1)}
	w := open(b, nil)
	merchant := receive(b, func(int, http.ResponseWriter) {
		if c := reached[got.Add(1)]; c != nil {
			c <- time.Now()
		}
	})
	s := w.shop("MER_1")
	s.backlog(int(n), s.subscribe(merchant.URL))
	b.ResetTimer()
	began := time.Now()
	w.start()
	first, ninth, last := (<-reached[n/10]).Sub(began), <-reached[n*9/10], <-reached[n]
	b.ReportMetric(float64(n)/last.Sub(began).Seconds(), "deliveries/s")
	b.ReportMetric(first.Seconds()/last.Sub(ninth).Seconds(), "last-tenth/first-tenth")
}

// reads counts how often a store is asked what is due.
type reads struct {
	notify.Store
	n *atomic.Int64
}

func (r reads) DueDeliveries(ctx context.Context, now int64, limit int) ([]notify.DueDelivery, error) {
	r.n.Add(1)
	return r.Store.DueDeliveries(ctx, now, limit)
}

// TestReadAhead: what is due is read once for about 64 deliveries of a backlog's endpoint, and not for the deliveries of new events.
// Each is sent once.
func TestReadAhead(t *testing.T) {
	const backlog, events = 1280, 40
	var n atomic.Int64
	w := open(t, func(s notify.Store) notify.Store { return reads{s, &n} })
	s, merchant := w.shop("MER_1"), receive(t, status(200))
	s.backlog(backlog, s.subscribe(merchant.URL), s.subscribe(merchant.URL))
	began := time.Now()
	w.start()
	check := func(what string, sent int, most int64) {
		t.Helper()
		shoptest.Eventually(t, what, func() bool { return len(merchant.got()) >= sent })
		if got := n.Load() - int64(time.Since(began)/time.Second); got > most { // one a second is for what is due again
			t.Errorf("%s: %d reads, want %d at most", what, got, most)
		}
	}
	check("the backlog is sent", backlog, backlog/64+5)
	before := n.Load() - int64(time.Since(began)/time.Second)
	for range events {
		s.sell(checkout.Test)
	}
	check("the events are sent", backlog+2*events, before+2)
	shoptest.Eventually(t, "each outcome is recorded", func() bool {
		counts, err := w.db.CountDeliveries(t.Context(), checkout.Test)
		return err == nil && counts == notify.Counts{}
	})
	if sent := len(merchant.got()); sent != backlog+2*events {
		t.Errorf("sent %d times, want %d", sent, backlog+2*events)
	}
}
