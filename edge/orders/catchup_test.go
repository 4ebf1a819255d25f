package orders_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// TestCatchUpGivesUp: a start takes no orders while the provider's checkouts cannot be compared, and takes them after a minute
// all the same.
func TestCatchUpGivesUp(t *testing.T) {
	inMarket(t, func(m *market) {
		synctest.Wait()
		p := &m.busyProvider.provider
		p.list = &psp.CallError{Class: psp.Unknown}
		config := m.config
		config.CatchUp, config.Providers = true, map[checkout.Environment]orders.Provider{checkout.Test: unlimited(p)}
		m.Service = orders.New(config)
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { _ = m.CatchUp(ctx) })
		defer running.Wait()
		defer stop()
		began := time.Now()
		for time.Since(began) < 54*time.Second {
			if _, err := m.order("STO_1", ""); err == nil {
				t.Fatalf("an order was taken after %v", time.Since(began))
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Until(began.Add(time.Minute + time.Second)))
		if _, err := m.order("STO_1", ""); err != nil || len(p.sent) != 1 {
			t.Errorf("after a minute: %v, sent %d", err, len(p.sent))
		}
	})
}
