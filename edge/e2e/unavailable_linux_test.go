package e2e

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/edge/pgtest"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// outage makes a database unavailable; the function that it returns mends that.
type outage func(t *testing.T, cluster *pgtest.Cluster) (mend func())

// outages, with the parameters of the URL that they need.
var outages = map[string]struct {
	begin      outage
	parameters string
	reads      bool // what needs no write is answered, too, where there is a connection from before: a new one is refused
}{
	"connection loss": {func(t *testing.T, c *pgtest.Cluster) func() {
		if err := c.Kill(); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := c.Run(); err != nil {
				t.Fatal(err)
			}
		}
	}, "", false},
	"read-only": {func(t *testing.T, c *pgtest.Cluster) func() {
		set := func(value string) {
			c.Exec(t, "ALTER SYSTEM SET default_transaction_read_only = "+value)
			c.Exec(t, "SELECT pg_reload_conf()")
		}
		set("on")
		return func() { set("off") }
	}, "", true},
	"statement timeout": {lockSessions, "?statement_timeout=1000", false},
	"full pool":         {lockSessions, "?pool_max_conns=2", false},
}

// lockSessions lets every statement on the table of sessions wait.
func lockSessions(t *testing.T, c *pgtest.Cluster) func() {
	connection, err := pgx.Connect(context.Background(), c.URL())
	if err == nil {
		_, err = connection.Exec(context.Background(), "BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() { connection.Close(context.Background()) }
}

// TestUnavailable: while the database is unavailable a request that needs it is answered 503 with Retry-After, and never with a wrong
// answer.
// Afterwards each session gets one order, and always the same.
func TestUnavailable(t *testing.T) {
	cluster := postgres(t)
	s := newSharedShop(t, cluster)
	for name, o := range outages {
		t.Run(name, func(t *testing.T) {
			server := s.serve(t, cluster.URL()+o.parameters)
			token := s.Token(t, "user-1")
			var sessions, pages []string
			for range 6 {
				session := s.Session(t, nil)
				sessions, pages = append(sessions, session.SessionID), append(pages, session.CheckoutURL)
			}
			ordered := s.CreateOrder(t, token, shoptest.OrderFor(sessions[0])).CheckoutURL(t)
			mend := o.begin(t, cluster)
			var all sync.WaitGroup
			for _, session := range sessions[1:] {
				all.Go(func() { wantUnavailable(t, s.CreateOrder(t, token, shoptest.OrderFor(session))) })
			}
			all.Go(func() {
				again := s.CreateOrder(t, token, shoptest.OrderFor(sessions[0]))
				if !o.reads || again.Status != 200 {
					wantUnavailable(t, again)
				} else if again.CheckoutURL(t) != ordered {
					t.Errorf("the order that is there is answered %s", again)
				}
			})
			all.Go(func() {
				page := s.Get(t, strings.TrimPrefix(pages[1], s.URL))
				if !(o.reads && page.Status == 200) && (page.Status != 503 || page.Header.Get("Retry-After") == "") {
					t.Errorf("the page is answered %d: %.300s", page.Status, page.Body)
				}
			})
			all.Wait()
			mend()
			for i, session := range sessions {
				url := ""
				shoptest.Eventually(t, "the order is created", func() bool {
					url = tryOrder(t.Context(), s.Shop, token, session, "DE")
					return url != ""
				})
				if again := s.CreateOrder(t, token, shoptest.OrderFor(session)).CheckoutURL(t); again != url || i == 0 && url != ordered {
					t.Errorf("%s, and then %s", url, again)
				}
				if n := cluster.Query(t, "SELECT count(*) FROM orders WHERE session_id = '"+session+"'"); n != "1" {
					t.Errorf("the session has %s orders", n)
				}
			}
			server.Process.Kill()
			server.Wait()
		})
	}
}

// wantUnavailable checks that create-order was refused for the moment.
func wantUnavailable(t *testing.T, r shoptest.Reply) {
	if r.Status != 503 || r.Header.Get("Retry-After") == "" || !strings.Contains(r.Body, `"code":"storage-unavailable"`) {
		t.Errorf("create-order is answered %d, Retry-After %q: %.300s", r.Status, r.Header.Get("Retry-After"), r.Body)
	}
}
