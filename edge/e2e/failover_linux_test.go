package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/pgtest"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// sharedShop is the demo shop in PostgreSQL, for servers that share it.
type sharedShop struct {
	*shoptest.Shop
	address string
	data    string // of the servers, one after the other
}

// newSharedShop moves the records of a new crepe dev to PostgreSQL.
func newSharedShop(t *testing.T, cluster *pgtest.Cluster) *sharedShop {
	t.Helper()
	data, address := t.TempDir(), freeAddress(t)
	start(t, data, address).kill()
	operate(t, "migrate", "up", "--store", cluster.URL())
	operate(t, "migrate", "badger-to-postgres", "--data", data, "--store", cluster.URL())
	cluster.Exec(t, "UPDATE settings SET value = 'serve' WHERE name = 'use'") // the demo's keys are for this test only
	return &sharedShop{shoptest.New(t, "http://"+address, readDevFile(t, data)), address, t.TempDir()}
}

// serve runs crepe serve on PostgreSQL until the test ends, and waits until it is ready.
func (s *sharedShop) serve(t *testing.T, store string) *exec.Cmd {
	t.Helper()
	c, out := launch(t, "serve", "--sandbox", "--store", store, "--data", s.data, "--listen", s.address, "--public-url", s.URL)
	shoptest.Eventually(t, "the server is ready", func() bool {
		if strings.Contains(out.String(), "crepe serve: ") {
			t.Fatal(out)
		}
		response, err := http.Get(s.URL + "/readyz")
		return err == nil && shoptest.Read(t, response).Status == 200
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the server printed:\n%.4000s", out)
		}
	})
	return c
}

// hostsOf is the URL of --store that names servers in an order.
func hostsOf(clusters ...*pgtest.Cluster) string {
	var hosts []string
	for _, c := range clusters {
		hosts = append(hosts, fmt.Sprintf("127.0.0.1:%d", c.Port))
	}
	return "postgres://crepe@" + strings.Join(hosts, ",") + "/postgres?target_session_attrs=read-write"
}

// standbyOf starts a standby for which every commit of the primary waits.
func standbyOf(t *testing.T, primary *pgtest.Cluster, name string) *pgtest.Cluster {
	t.Helper()
	standby, err := primary.Standby(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := standby.Stop(); err != nil {
			t.Error(err)
		}
	})
	primary.WaitFor(t, name)
	return standby
}

// buyers order from sessions of their own, each again and again until it gets an answer.
type buyers struct {
	*sharedShop
	token    string
	sessions chan string
	stop     chan struct{}
	all      sync.WaitGroup

	mu       sync.Mutex
	urls     map[string]string // acknowledged, by session
	refused  int               // answers 503
	wrong    []string          // other answers
	resolved int               // orders that were refused at first and then acknowledged
	first    time.Time         // the first acknowledgement since it was last set to zero
	longest  time.Duration     // of all answers
}

// newBuyers starts buyers for sessions that are there.
func newBuyers(t *testing.T, s *sharedShop, sessions int) *buyers {
	t.Helper()
	b := &buyers{sharedShop: s, token: s.Token(t, "user-1"), sessions: make(chan string, sessions), stop: make(chan struct{}), urls: map[string]string{}}
	for range sessions {
		b.sessions <- s.Session(t, nil).SessionID
	}
	for range 8 {
		b.all.Go(func() {
			for {
				select {
				case session := <-b.sessions:
					b.order(session)
				case <-b.stop:
					return
				}
			}
		})
	}
	return b
}

// order creates the order of a session. A client of the API tries again after a 503.
func (b *buyers) order(session string) {
	for try := 0; ; try++ {
		var answer struct{ Data struct{ CheckoutURL string } }
		sent := time.Now()
		status := tryPost(context.Background(), b.URL+shoptest.CreateOrderPath, shoptest.OrderBody(session), shoptest.Bearer(b.token), &answer)
		b.mu.Lock()
		b.longest = max(b.longest, time.Since(sent))
		switch {
		case status == 200 && answer.Data.CheckoutURL != "":
			b.urls[session] = answer.Data.CheckoutURL
			if try > 0 {
				b.resolved++
			}
			if b.first.IsZero() {
				b.first = time.Now()
			}
		case status == 503:
			b.refused++
		default:
			b.wrong = append(b.wrong, fmt.Sprintf("%s: %d", session, status))
		}
		b.mu.Unlock()
		if status != 503 {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-b.stop:
			return
		}
	}
}

// acknowledged is how many orders are.
func (b *buyers) acknowledged() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.urls)
}

// forget lets first be the first acknowledgement from now on.
func (b *buyers) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.first = time.Time{}
}

// end ends the buyers.
func (b *buyers) end() {
	close(b.stop)
	b.all.Wait()
}

// TestFailover kills the primary under load and promotes the standby: no acknowledged order is lost, what was in flight is answered
// 503 and then with the order, and orders are taken again soon. A former primary that returns is not used, neither by a running
// server nor by a new one.
func TestFailover(t *testing.T) {
	rounds := max(1, *kills/5)
	primary := postgres(t)
	s := newSharedShop(t, primary)
	for round := range rounds {
		standby := standbyOf(t, primary, fmt.Sprint("s", round))
		store := hostsOf(primary, standby)
		server := s.serve(t, store)
		b := newBuyers(t, s, 240)
		shoptest.Eventually(t, "orders are acknowledged", func() bool { return b.acknowledged() >= 40 })

		killed := time.Now()
		if err := primary.Kill(); err != nil {
			t.Fatal(err)
		}
		before := b.acknowledged()
		standby.Promote(t)
		promoted := time.Now()
		b.forget()
		shoptest.Eventually(t, "orders are acknowledged again", func() bool { return b.acknowledged() >= before+40 })
		b.end()
		wait := b.first.Sub(promoted)
		lost := s.lost(t, standby, b)
		t.Logf("round %d: %d acknowledged, %d lost, %d answers 503, %d orders acknowledged by a retry; promotion %d ms after the kill, first order %d ms after that",
			round, len(b.urls), lost, b.refused, b.resolved, promoted.Sub(killed).Milliseconds(), wait.Milliseconds())
		if wait > 2*time.Second || lost > 0 || len(b.wrong) > 0 || b.refused == 0 {
			t.Errorf("first order after %v, %d lost, wrong: %v, %d refused", wait, lost, b.wrong, b.refused)
		}
		s.returns(t, primary, standby, b)
		server.Process.Kill()
		server.Wait()
		primary = standby
	}
}

// lost counts the acknowledged orders that a database does not have with their URL, or that are not answered again with it.
func (s *sharedShop) lost(t *testing.T, cluster *pgtest.Cluster, b *buyers) (lost int) {
	t.Helper()
	db, err := pgstore.Open(t.Context(), cluster.URL(), pgstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for session, url := range b.urls {
		stored, err := db.Session(t.Context(), session)
		var o *orders.Order
		if err == nil {
			o, err = db.Order(t.Context(), stored.Environment, stored.OrderID)
		}
		if err != nil || !knows(o, acknowledgement{session: session, country: "DE", url: url}) {
			t.Errorf("%s was acknowledged with %s and is lost: %v", session, url, err)
			lost++
		}
		if again := b.CreateOrder(t, b.token, shoptest.OrderFor(session)).CheckoutURL(t); again != url {
			t.Errorf("%s was acknowledged with %s, and then with %s", session, url, again)
		}
	}
	return lost
}

// returns starts the former primary again, as a server that takes writes. Neither the running server nor a new one uses it, although the
// URL names it first.
func (s *sharedShop) returns(t *testing.T, former, primary *pgtest.Cluster, b *buyers) {
	t.Helper()
	if err := former.Run(); err != nil {
		t.Fatal(err)
	}
	former.Exec(t, "ALTER SYSTEM SET synchronous_standby_names = ''") // the worst case: it would acknowledge writes alone
	former.Exec(t, "SELECT pg_reload_conf()")
	before := former.Query(t, "SELECT count(*) FROM sessions")
	primary.Exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
	session, after := "", primary.Query(t, "SELECT count(*) FROM sessions")
	for known, url := range b.urls {
		shoptest.Eventually(t, "the server has new connections", func() bool { return tryOrder(t.Context(), s.Shop, b.token, known, "DE") == url })
		break
	}
	for range 5 {
		session = s.Session(t, nil).SessionID
		s.CreateOrder(t, b.token, shoptest.OrderFor(session)).CheckoutURL(t)
	}
	if got := former.Query(t, "SELECT count(*) FROM sessions"); got != before {
		t.Errorf("the former primary has %s sessions, not %s", got, before)
	}
	if got := primary.Query(t, "SELECT count(*) FROM sessions"); got == after {
		t.Error("the primary has no new sessions")
	}
	db, err := pgstore.Open(t.Context(), hostsOf(former, primary), pgstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Session(t.Context(), session); err != nil {
		t.Errorf("a new server does not find a new session: %v", err)
	}
	if err := former.Stop(); err != nil {
		t.Fatal(err)
	}
}

// TestStandbyUnread: a server whose URL names a standby first reads nothing from it. The standby has all commits and shows none of
// them, as one that lags.
func TestStandbyUnread(t *testing.T) {
	primary := postgres(t)
	s := newSharedShop(t, primary)
	standby := standbyOf(t, primary, "s0")
	standby.Exec(t, "SELECT pg_wal_replay_pause()")
	s.serve(t, strings.TrimSuffix(hostsOf(standby, primary), "?target_session_attrs=read-write"))
	token := s.Token(t, "user-1")
	for range 10 {
		session := s.Session(t, nil).SessionID
		url := s.CreateOrder(t, token, shoptest.OrderFor(session)).CheckoutURL(t)
		if again := s.CreateOrder(t, token, shoptest.OrderFor(session)).CheckoutURL(t); again != url {
			t.Errorf("%s, and then %s", url, again)
		}
	}
	if n := standby.Query(t, "SELECT count(*) FROM sessions"); n != primary.Query(t, "SELECT count(*) - 10 FROM sessions") {
		t.Errorf("the standby shows %s sessions: it does not lag, and the test shows nothing", n)
	}
}
