package badgerstore

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// BenchmarkCommit measures durable commits of an order with an attempt of usual size, by concurrent clients.
func BenchmarkCommit(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			db, err := Open(b.TempDir(), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			var next atomic.Int64
			each(b, clients, func() {
				n := next.Add(1)
				o := &orders.Order{ID: fmt.Sprintf("ORD_%019d", n), StoreID: "STO_bench", Environment: checkout.Test,
					Attempts: []orders.Attempt{{N: 1, State: orders.Sent, Request: psp.RenderedRequest{Path: "/pay", Body: make([]byte, 1200)}}}}
				if err := db.Commit(context.Background(), orders.Change{Order: o}); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// each calls do b.N times, from so many goroutines.
func each(b *testing.B, clients int, do func()) {
	b.Helper()
	left := atomic.Int64{}
	left.Store(int64(b.N))
	done := make(chan struct{})
	b.ResetTimer()
	for range clients {
		go func() {
			for left.Add(-1) >= 0 {
				do()
			}
			done <- struct{}{}
		}()
	}
	for range clients {
		<-done
	}
}
