package e2e

import (
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/pgtest"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

const (
	// hang is longer than the servers wait for an answer of the database.
	hang = 7 * time.Second

	// longestAnswer is the longest time in which a request must be answered while the database does not answer, on a busy machine.
	longestAnswer = 8 * time.Second

	// hungFailover is the longest time from the promotion of a standby to the first order while the old primary hangs.
	hungFailover = 10 * time.Second
)

// TestHungDatabase: while the database does not answer, because its processes are suspended or the network loses all packets, requests are
// answered 503 in time. When it answers again, the servers go on by themselves, and every acknowledged order is there.
func TestHungDatabase(t *testing.T) {
	for name, stop := range map[string]func(*testing.T, *pgtest.Cluster, *pgtest.Proxy) func(){
		"suspended":   func(t *testing.T, c *pgtest.Cluster, _ *pgtest.Proxy) func() { return c.Suspend(t) },
		"unreachable": func(t *testing.T, _ *pgtest.Cluster, p *pgtest.Proxy) func() { return p.Stall(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := postgres(t)
			proxy := cluster.Proxy(t)
			s := newSharedShop(t, cluster)
			s.serve(t, proxy.Through(cluster.URL()))
			b := newBuyers(t, s, 240)
			shoptest.Eventually(t, "orders are acknowledged", func() bool { return b.acknowledged() >= 40 })

			resume := stop(t, cluster, proxy)
			time.Sleep(time.Second) // the answers that were under way
			before := b.acknowledged()
			time.Sleep(hang)
			if during := b.acknowledged() - before; during > 0 {
				t.Errorf("%d orders were acknowledged while the database hung", during)
			}
			b.forget()
			resumed := time.Now()
			resume()
			shoptest.Eventually(t, "orders are acknowledged again", func() bool { return b.acknowledged() >= before+40 })
			b.end()
			lost := s.lost(t, cluster, b)
			t.Logf("%d acknowledged, %d lost, %d answers 503, %d orders acknowledged by a retry, longest answer %d ms, first order %d ms after the end of the hang",
				len(b.urls), lost, b.refused, b.resolved, b.longest.Milliseconds(), b.first.Sub(resumed).Milliseconds())
			if lost > 0 || len(b.wrong) > 0 || b.refused == 0 || b.longest > longestAnswer {
				t.Errorf("%d lost, wrong: %v, %d refused, longest answer %v", lost, b.wrong, b.refused, b.longest)
			}
		})
	}
}

// TestHungPrimary: a standby that is promoted while the primary hangs is used as after a death of the primary. When the old primary goes on,
// which has not noticed anything, it is not used any more.
func TestHungPrimary(t *testing.T) {
	t.Parallel()
	primary := postgres(t)
	s := newSharedShop(t, primary)
	standby := standbyOf(t, primary, "s0")
	s.serve(t, hostsOf(primary, standby))
	idle, err := pgstore.Open(t.Context(), hostsOf(primary, standby), pgstore.Options{}) // which does not notice the hang
	must(t, err)
	defer idle.Close()
	b := newBuyers(t, s, 240)
	shoptest.Eventually(t, "orders are acknowledged", func() bool { return b.acknowledged() >= 40 })

	resume := primary.Suspend(t)
	time.Sleep(500 * time.Millisecond) // the answers that were under way
	before := b.acknowledged()
	standby.Promote(t)
	promoted := time.Now()
	b.forget()
	shoptest.Eventually(t, "orders are acknowledged again", func() bool { return b.acknowledged() >= before+40 })
	resume()
	primary.Exec(t, "ALTER SYSTEM SET synchronous_standby_names = ''") // the worst case: it would acknowledge writes alone
	primary.Exec(t, "SELECT pg_reload_conf()")
	stale := primary.Query(t, "SELECT count(*) FROM sessions")
	shoptest.Eventually(t, "more orders are acknowledged", func() bool { return b.acknowledged() >= before+80 })
	last := ""
	for range 20 {
		last = s.Session(t, nil).SessionID
		s.CreateOrder(t, b.token, shoptest.OrderFor(last)).CheckoutURL(t)
	}
	b.end()
	shoptest.Eventually(t, "a server without requests uses the new primary", func() bool {
		_, err := idle.Session(t.Context(), last)
		return err == nil
	})
	if got := primary.Query(t, "SELECT count(*) FROM sessions"); got != stale {
		t.Errorf("the old primary has %s sessions, not %s", got, stale)
	}
	lost, wait := s.lost(t, standby, b), b.first.Sub(promoted)
	t.Logf("%d acknowledged, %d lost, %d answers 503, %d orders acknowledged by a retry, longest answer %d ms, first order %d ms after the promotion",
		len(b.urls), lost, b.refused, b.resolved, b.longest.Milliseconds(), wait.Milliseconds())
	if lost > 0 || len(b.wrong) > 0 || b.longest > longestAnswer || wait > hungFailover {
		t.Errorf("%d lost, wrong: %v, longest answer %v, first order after %v", lost, b.wrong, b.longest, wait)
	}
}
