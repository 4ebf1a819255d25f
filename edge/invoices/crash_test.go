package invoices_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
)

var errCrash = errors.New("the process is killed")

// crashing is a store whose process is killed at the n-th commit: before the write, or after it, when nobody learns of the outcome.
type crashing struct {
	*badgerstore.DB
	commits, n int
	after      bool
	kill       context.CancelFunc
}

func (c *crashing) CommitNotify(ctx context.Context, change notify.Change) error {
	c.commits++
	if c.commits != c.n {
		return c.DB.CommitNotify(ctx, change)
	}
	defer c.kill()
	if c.after {
		if err := c.DB.CommitNotify(ctx, change); err != nil {
			return err
		}
	}
	return errCrash
}

// TestNumbersSurviveCrashes kills the dispatcher before and after each of its commits and starts it again: every order has one
// receipt then, and their numbers have no gaps.
func TestNumbersSurviveCrashes(t *testing.T) {
	const paid = 4
	for n := 1; n <= paid; n++ {
		for _, after := range []bool{false, true} {
			s := openSales(t)
			s.addStore(t, "STO_1")
			var ids [paid][2]string
			for i := range paid {
				terms := checkout.Terms{Price: money.Amount{Minor: 2900, Currency: "EUR"}, Step: 1, Category: tax.SaaS, Seller: tax.Seller{Country: "DE"}}
				o := s.sell(t, checkout.Prod, "STO_1", terms, buyers[0], s.now)
				ids[i] = [2]string{o.ID, o.Payments[0].ID}
			}
			store := &crashing{DB: s.db, n: n, after: after}
			s.dispatch(t, store)
			store.n = 0
			s.dispatch(t, store)
			seen := map[int]bool{}
			for _, id := range ids {
				d, err := s.db.DocumentOf(t.Context(), checkout.Prod, id[0], id[1])
				if err != nil {
					t.Fatalf("crash at commit %d, after it: %t: %s: %v", n, after, id, err)
				}
				seen[d.Number] = true
			}
			last, err := s.db.LastNumber(t.Context(), invoices.Series{Environment: checkout.Prod, StoreID: "STO_1", Kind: invoices.Receipt, Year: s.now.Year()})
			if err != nil || last != paid || len(seen) != paid {
				t.Errorf("crash at commit %d, after it: %t: the last number is %d, %v; numbers %v", n, after, last, err, seen)
			}
		}
	}
}

// dispatch runs a dispatcher on a store until the outbox is empty or it is killed.
func (s *sales) dispatch(t *testing.T, store *crashing) {
	t.Helper()
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	store.kill = kill
	service := notify.New(notify.Config{Store: store, Orders: store, Catalog: store, Invoices: s.Service, Now: func() time.Time { return s.now },
		Log: slog.New(slog.DiscardHandler)})
	done := make(chan struct{})
	go func() { service.Run(ctx); close(done) }()
	for ctx.Err() == nil {
		facts, err := s.db.Facts(t.Context(), 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(facts) == 0 {
			kill()
		}
		time.Sleep(time.Millisecond)
	}
	<-done
}
