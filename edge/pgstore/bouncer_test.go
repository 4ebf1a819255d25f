package pgstore_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/storetest"
)

// TestBouncer runs the checks of concurrency, and a sale, through pgbouncer in transaction mode. It has fewer connections to the server
// than the store has to it.
func TestBouncer(t *testing.T) {
	for _, level := range []pgx.TxIsoLevel{pgx.Serializable, pgx.ReadCommitted} {
		t.Run(string(level), func(t *testing.T) {
			url := server.Schema(t, "store", migrate)
			db := openAt(t, server.Bouncer(t, url, 4), pgstore.Options{Isolation: level})
			ran := 0
			for _, c := range storetest.Checks() {
				if !strings.Contains(c.Name, "concurrent") {
					continue
				}
				ran++
				if err := c.Do(db); err != nil {
					t.Errorf("%s: %v", c.Name, err)
				}
			}
			if ran < 8 {
				t.Errorf("%d checks only", ran)
			}
			s, reader := newSale(t, db), poolOf(t, url)
			for range steps {
				if err := s.take(t, db, reader); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
