package e2e

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/lease"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestFleet: three servers start at the same moment on an empty database, know each other's tokens at once, and refuse a fourth one with
// another configuration. Then they are killed and suspended, one of them for longer than a lease, while buyers order and pay, the
// provider sends webhooks and the merchant refunds. Afterwards every invariant of the orders holds, and the merchant has heard of all.
func TestFleet(t *testing.T) {
	t.Logf("-kills=%d -kill-seed=%d", *kills, *killSeed)
	rng := rand.New(rand.NewPCG(*killSeed, 3))
	f := newFleet(t, 3)
	shop := f.addDemo()
	f.checkTokens(t, shop)
	f.checkKeys(t, shop)
	stranger := f.command(t.TempDir(), "127.0.0.1:0", "--public-url", "http://elsewhere.example")
	refused := make(chan string)
	go func() {
		output, _ := stranger.CombinedOutput()
		refused <- string(output)
	}()
	w := &fleetWorld{fleet: f, shop: shop, merchant: newInbox(t), disclosed: make(map[string]string), refunds: make(map[string]string)}
	w.merchant.publicKey = f.servers[rng.IntN(3)].webhookPublicKey()
	if _, err := shop.Merchant.AddWebhook(shop.File.StoreID, w.merchant.URL); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var trade sync.WaitGroup
	for b := range 12 {
		rng := rand.New(rand.NewPCG(rng.Uint64(), uint64(b)))
		trade.Go(func() { w.buy(ctx, rng, fmt.Sprint("user-", b)) })
	}
	trade.Go(func() { w.refund(ctx) })
	trade.Go(func() { w.watch(ctx) })
	w.disturb(rng)
	stop()
	trade.Wait()
	if text := <-refused; !strings.Contains(text, "another configuration") || !strings.Contains(text, "http://elsewhere.example") {
		t.Errorf("a server with another configuration:\n%s", text)
	}
	settled := time.Now()
	w.awaitQuiet()
	t.Logf("quiet %.1f s after the last disturbance", time.Since(settled).Seconds())
	w.audit()
	if w.moves == 0 {
		t.Error("no background job has moved")
	}
	if *kills >= 50 {
		keepFaultRows(t, "fleet", "Three servers on one PostgreSQL", "Twelve buyers order, each request from two servers at the same moment, and pay; the "+
			"merchant refunds. Meanwhile servers are killed, and the one with the background jobs is suspended for longer than its lease. The "+
			"invariants above hold for what the database and the provider have afterwards, and the merchant has heard of every payment and refund.",
			"what\tkills\tsuspensions\tpaid orders\trefunds\tjobs moved\tlongest time without a server",
			fmt.Sprintf("kill -9 and SIGSTOP\t%d\t%d\t%d\t%d\t%d\t%.1f s", *kills, w.suspensions, w.paid, w.refunded, w.moves, w.idle.Seconds()))
	}
	t.Logf("%d kills, %d suspensions, %d background jobs moved, without a server for at most %.1f s", *kills, w.suspensions, w.moves, w.idle.Seconds())
}

// checkTokens: a token that one server issues is valid at each other server at once, and so is a session.
func (f *fleet) checkTokens(t *testing.T, shop *shoptest.Shop) {
	t.Helper()
	for i, issuer := range f.servers {
		token := issuer.at(t, shop).Token(t, fmt.Sprint("first-", i))
		session := issuer.at(t, shop).Session(t, nil).SessionID
		var url string
		for _, m := range f.servers {
			got := m.at(t, shop).CreateOrder(t, token, shoptest.OrderFor(session)).CheckoutURL(t)
			if url != "" && url != got {
				t.Errorf("one server answers %s, another %s", url, got)
			}
			url = got
		}
	}
}

// checkKeys: servers that get one X-Idempotency-Key at the same moment open one session, and answer with it or that the call is in
// progress.
func (f *fleet) checkKeys(t *testing.T, shop *shoptest.Shop) {
	t.Helper()
	const path = "/v1/actions/checkout/create-session"
	body := `{"productId":"` + shop.File.Products[0].ID + `","currency":"EUR"}`
	before := f.count("sessions")
	const rounds = 10
	running := 0
	for round := range rounds {
		header, err := shop.Merchant.Sign(path, []byte(body))
		must(t, err)
		header["X-Idempotency-Key"] = fmt.Sprint("one-session-", round)
		replies := make([]shoptest.Reply, len(f.servers))
		var all sync.WaitGroup
		for i, m := range f.servers {
			all.Go(func() { replies[i] = m.at(t, shop).Post(t, path, body, header) })
		}
		all.Wait()
		first := ""
		for _, r := range replies {
			switch {
			case r.Status == http.StatusOK && (first == "" || first == r.Body):
				first = r.Body
			case r.Status == http.StatusConflict && r.Header.Get("Retry-After") != "":
				running++
			default:
				t.Errorf("with one key the servers answered %v", replies)
			}
		}
		if first == "" {
			t.Errorf("with one key no server answered: %v", replies)
		}
	}
	if made := f.count("sessions") - before; made != rounds {
		t.Errorf("%d keys opened %d sessions", rounds, made)
	}
	t.Logf("%d keys at %d servers at the same moment: %d sessions, %d answers that the call is in progress", rounds, len(f.servers), rounds, running)
}

// fleetWorld is what is known of a fleet from outside, and what happens to it.
type fleetWorld struct {
	*fleet
	shop     *shoptest.Shop
	merchant *inbox

	mu        sync.Mutex
	acks      []acknowledgement
	disclosed map[string]string // session by URL
	refunds   map[string]string // status of the ticket by payment, "" if no answer came
	twins     int               // requests that two servers answered under one key

	suspensions, moves int
	paid, refunded     int
	idle               time.Duration // the longest time in which a background job had no server
}

// disturb kills and suspends servers. The one with the lease of the orders' jobs is suspended for longer than the lease, while the others
// are killed.
func (w *fleetWorld) disturb(rng *rand.Rand) {
	db := w.open()
	defer db.Close()
	for left := *kills; left > 0; {
		suspended := w.holder(db, "orders")
		if suspended == nil {
			suspended = w.servers[rng.IntN(len(w.servers))]
		}
		others := slices.DeleteFunc(slices.Clone(w.servers), func(m *member) bool { return m == suspended })
		var suspension sync.WaitGroup
		suspension.Go(func() { suspended.suspend(lease.Duration + lease.Every + time.Second/2) })
		w.suspensions++
		for range min(left, 5) {
			time.Sleep(time.Duration(1000+rng.IntN(1000)) * time.Millisecond)
			victim := others[rng.IntN(len(others))]
			victim.kill()
			time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond)
			victim.start()
			victim.awaitReady()
			left--
		}
		suspension.Wait()
		if left > 0 {
			suspended.kill()
			suspended.start()
			suspended.awaitReady()
			left--
		}
	}
}

// buy orders and pays until ctx ends, each session from several servers.
func (w *fleetWorld) buy(ctx context.Context, rng *rand.Rand, name string) {
	token := ""
	for ctx.Err() == nil {
		if token == "" {
			token = w.token(name)
			continue
		}
		session, err := w.shop.Merchant.CreateSession(w.shop.File.Products[0].ID, "")
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		country := "DE"
		url := w.orderTwice(ctx, rng, token, session.SessionID, country)
		if rng.IntN(4) == 0 { // the buyer corrects the address
			country = "FR"
			url = w.orderTwice(ctx, rng, token, session.SessionID, country)
		}
		for url == "" { // and presses the button again until there is an answer, also at the end
			time.Sleep(300 * time.Millisecond)
			status := 0
			if status, url = w.order(context.Background(), w.shop.URL, token, session.SessionID, country, ""); status/100 == 4 {
				break
			}
		}
		if url != "" && rng.IntN(10) < 8 {
			tryPay(ctx, url, "succeeds")
		}
	}
}

func (w *fleetWorld) token(name string) string {
	var issued struct{ Token string }
	if w.shop.Merchant.Call("/v1/actions/auth/issue-session-token", map[string]string{"storeId": w.shop.File.StoreID, "buyerIdentity": name}, &issued) != nil {
		time.Sleep(50 * time.Millisecond)
	}
	return issued.Token
}

// orderTwice sends one request with one idempotency key to two servers at the same moment. Where both answer, it is with one URL.
func (w *fleetWorld) orderTwice(ctx context.Context, rng *rand.Rand, token, session, country string) string {
	var both sync.WaitGroup
	var status [2]int
	var url [2]string
	first := rng.IntN(len(w.servers))
	for i := range 2 {
		to := "http://" + w.servers[(first+i)%len(w.servers)].address
		both.Go(func() { status[i], url[i] = w.order(ctx, to, token, session, country, session+country) })
	}
	both.Wait()
	if url[0] != "" && url[1] != "" {
		w.mu.Lock()
		w.twins++
		w.mu.Unlock()
		if url[0] != url[1] {
			w.Errorf("one request got %s and %s", url[0], url[1])
		}
	}
	for _, s := range status {
		if s/100 == 4 && s != http.StatusConflict {
			w.Errorf("an order was answered %d", s)
		}
	}
	return max(url[0], url[1])
}

// patient is a client that gives up on a suspended server.
var patient = &http.Client{Timeout: patience}

// order calls create-order; status 0 is no answer. An answered URL is kept.
func (w *fleetWorld) order(ctx context.Context, server, token, session, country, key string) (status int, url string) {
	request, err := http.NewRequestWithContext(ctx, "POST", server+shoptest.CreateOrderPath, strings.NewReader(shoptest.OrderBodyTo(session, country)))
	must(w.T, err)
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("X-Idempotency-Key", key)
	}
	for name, value := range shoptest.Bearer(token) {
		request.Header.Set(name, value)
	}
	response, err := patient.Do(request)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	var answer struct{ Data struct{ CheckoutURL string } }
	text, err := io.ReadAll(response.Body)
	if err != nil || json.Unmarshal(text, &answer) != nil {
		return 0, ""
	}
	if url = answer.Data.CheckoutURL; url != "" {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.acks = append(w.acks, acknowledgement{session: session, country: country, url: url})
		w.disclosed[url] = session
	}
	return response.StatusCode, url
}

// fleetRefund is what the merchant refunds of a payment, in cents.
const fleetRefund = 1_00

// refund refunds a part of some payments as the merchant, each once, until ctx ends.
func (w *fleetWorld) refund(ctx context.Context) {
	query := map[string]any{"query": `{payments(storeId: "` + w.shop.File.StoreID + `", limit: 20) {id status}}`}
	for ; ctx.Err() == nil; time.Sleep(300 * time.Millisecond) {
		var read struct{ Payments []struct{ ID, Status string } }
		if w.shop.Merchant.Call("/v1/graphql", query, &read) != nil {
			continue
		}
		i := slices.IndexFunc(read.Payments, func(p struct{ ID, Status string }) bool {
			_, asked := w.refunds[p.ID]
			return !asked && p.Status == "succeeded"
		})
		if i < 0 {
			continue
		}
		id, answer := read.Payments[i].ID, ticketLine{}
		request := map[string]any{"paymentId": id, "reason": "Goodwill", "requestedAmount": map[string]string{"amount": "1.00", "currency": "EUR"}}
		if err := w.shop.Merchant.Call("/v1/actions/refund-ticket/create-ticket", request, &answer); err != nil {
			answer.Ticket.Status = ""
		}
		w.refunds[id] = answer.Ticket.Status
	}
}

// watch looks at the servers' work from outside until ctx ends: which of them does each background job, that a paid order stays paid, and
// that no session has two checkouts that can be paid.
func (w *fleetWorld) watch(ctx context.Context) {
	db := w.open()
	defer db.Close()
	adapter := w.account()
	last, paid := make(map[string]lease.Lease), make(map[string]bool)
	for n := 0; ctx.Err() == nil; n++ {
		time.Sleep(100 * time.Millisecond)
		w.watchLeases(db, last)
		if n%5 != 0 {
			continue
		}
		open := make(map[string]string)
		page, callErr := adapter.ListCheckouts(time.Now().Add(10*time.Second), since, "")
		if callErr != nil {
			w.Errorf("the provider does not list: %v", callErr)
		}
		w.mu.Lock()
		for _, c := range page.Items {
			if _, known := w.disclosed[c.URL]; c.URL == "" || !known {
				continue
			}
			if open[c.SessionID] != "" {
				w.Errorf("I1: session %s has two checkouts that can be paid", c.SessionID)
			}
			open[c.SessionID] = c.URL
		}
		w.mu.Unlock()
		settled := w.settledOrders()
		for id := range paid {
			if !settled[id] {
				w.Errorf("I7: order %s was paid and is not any more", id)
			}
		}
		paid = settled
	}
}

// watchLeases notes which background jobs have moved, and how long they had no server: from when the old one last extended its lease.
func (w *fleetWorld) watchLeases(db *pgstore.DB, last map[string]lease.Lease) {
	for _, task := range []string{"orders", "webhooks", "signing-keys"} { // mails and VIES are not configured, and are held for a moment only
		now, err := db.Lease(context.Background(), task)
		if err != nil || now.Holder == "" {
			continue
		}
		if old, ok := last[task]; ok && old.Holder != now.Holder {
			w.moves++
			w.idle = max(w.idle, now.Until.Sub(old.Until)) // both last for lease.Duration
		}
		last[task] = now
	}
}
