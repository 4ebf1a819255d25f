package e2e

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// since is a span with all of a test's checkouts.
var since = psp.Span{Since: time.Now().Add(-time.Hour)}

// account is the fleet's account at the provider.
func (f *fleet) account() *stripe.Provider {
	return stripe.New(stripe.Config{Key: fleetKey, WebhookSecret: fleetSecret, BaseURL: f.provider.URL})
}

// ids returns the ids of the orders that a condition of SQL selects.
func (f *fleet) ids(where string) []string {
	f.Helper()
	connection, err := pgx.Connect(context.Background(), f.database.URL())
	if err != nil {
		f.Fatal(err)
	}
	defer connection.Close(context.Background())
	rows, err := connection.Query(context.Background(), "SELECT id FROM orders WHERE "+where)
	if err != nil {
		f.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		f.Fatal(err)
	}
	return ids
}

// count counts the rows of a table.
func (f *fleet) count(table string) (n int) {
	f.Helper()
	connection, err := pgx.Connect(context.Background(), f.database.URL())
	if err != nil {
		f.Fatal(err)
	}
	defer connection.Close(context.Background())
	if err := connection.QueryRow(context.Background(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		f.Fatal(err)
	}
	return n
}

func (f *fleet) settledOrders() map[string]bool {
	settled := make(map[string]bool)
	for _, id := range f.ids("paid_at IS NOT NULL AND state IN ('paid', 'paid-late', 'refund-due')") {
		settled[id] = true
	}
	return settled
}

// allOrders reads every order.
func (w *fleetWorld) allOrders(db *pgstore.DB) (all []*orders.Order) {
	w.Helper()
	for _, id := range w.ids("true") {
		o, err := db.Order(context.Background(), checkout.Test, id)
		must(w.T, err)
		all = append(all, o)
	}
	return all
}

// awaitQuiet waits until nothing is left to do: every payment of the provider is known, no outcome is unknown, no fact and no refund waits.
func (w *fleetWorld) awaitQuiet() {
	w.Helper()
	db := w.open()
	defer db.Close()
	shoptest.Eventually(w.T, "all is done", func() bool { return w.unfinished(db) == "" })
	shoptest.Eventually(w.T, "the merchant hears of every order", func() bool {
		got, _ := w.merchant.events(w.T)
		return !slices.ContainsFunc(w.ends(db), func(event string) bool { return len(got[event]) == 0 })
	})
}

// unfinished says what is left to do; "" for nothing.
func (w *fleetWorld) unfinished(db *pgstore.DB) string {
	facts, err := db.Facts(context.Background(), 0, 1)
	must(w.T, err)
	if len(facts) > 0 {
		return "a fact waits"
	}
	for _, o := range w.allOrders(db) {
		switch o.Current().State {
		case orders.Sent, orders.Unresolved, orders.Superseding:
			return o.ID + " is " + string(o.Current().State)
		}
		for i := range o.Refunds {
			if s := o.Refunds[i].State; s != orders.RefundSucceeded && s != orders.RefundFailed {
				return o.Refunds[i].ID + " is " + string(s)
			}
		}
	}
	settled, account := w.settledOrders(), w.account()
	for after, more := "", true; more; more = after != "" {
		page, callErr := account.ListCheckouts(time.Now().Add(10*time.Second), since, after)
		if callErr != nil {
			w.Fatal(callErr)
		}
		for _, c := range page.Items {
			if c.Paid && !settled[c.OrderID] {
				return c.OrderID + " is paid at the provider"
			}
		}
		after = page.Next
	}
	return ""
}

// ends are the events that the merchant must have heard.
func (w *fleetWorld) ends(db *pgstore.DB) (events []string) {
	w.Helper()
	for _, o := range w.allOrders(db) {
		if o.State.Settled() {
			events = append(events, completed+o.ID)
		}
		for i := range o.Refunds {
			events = append(events, "refund."+string(o.Refunds[i].State)+" "+o.Refunds[i].ID)
		}
	}
	return events
}

// audit stops all and checks the invariants I1 to I10 and I12 on what is stored.
func (w *fleetWorld) audit() {
	w.Helper()
	for _, m := range w.servers {
		m.kill()
	}
	w.stop()
	provider, done := openProvider(w.T, w.sandbox)
	defer done()
	db := w.open()
	defer db.Close()
	known, err := provider.Sessions()
	must(w.T, err)
	all, checkouts := w.allOrders(db), make(map[string][]sandbox.Snapshot)
	for _, c := range known {
		checkouts[c.Order] = append(checkouts[c.Order], c)
	}
	for _, o := range all {
		paid, refunded := w.auditOrder(o, checkouts[o.ID])
		w.paid, w.refunded = w.paid+paid, w.refunded+refunded
		delete(checkouts, o.ID)
	}
	for id := range checkouts {
		w.Errorf("I2: the provider has checkouts of an unknown order %s", id)
	}
	w.auditAnswers(db)
	w.auditWire()
	if n := countDocuments(w.T, db, w.shop.File.StoreID, invoices.Receipt); n != w.paid {
		w.Errorf("there are %d receipts for %d paid orders", n, w.paid)
	}
	if n := countDocuments(w.T, db, w.shop.File.StoreID, invoices.CreditNote); n != w.refunded {
		w.Errorf("there are %d credit notes for %d refunds", n, w.refunded)
	}
	events, sent := w.auditEvents(db)
	if w.paid < 2**kills || w.twins < *kills || w.refunded == 0 {
		w.Errorf("%d paid, %d twins, %d refunds: the test no longer tests", w.paid, w.twins, w.refunded)
	}
	w.Logf("%d orders, %d acknowledged URLs, %d of one request by two servers, %d paid, %d refunded, %d events sent %d times",
		len(all), len(w.acks), w.twins, w.paid, w.refunded, events, sent)
}

// auditOrder compares an order with its checkouts at the provider.
func (w *fleetWorld) auditOrder(o *orders.Order, checkouts []sandbox.Snapshot) (paid, refunded int) {
	w.Helper()
	payable, returned := 0, int64(0)
	for _, c := range checkouts {
		i := slices.IndexFunc(o.Attempts, func(a orders.Attempt) bool { return a.Key == c.Key })
		if i < 0 {
			w.Errorf("I2: no attempt of %s has made %s", o.ID, c.ID)
			continue
		}
		if due := &o.Attempts[i].Placed.Quote.Assessment; c.Amount != due.Total || due.Total != due.Subtotal+due.Tax {
			w.Errorf("I2, I10: %s is charged %d for %+v", o.ID, c.Amount, due)
		}
		if _, told := w.disclosed[o.Attempts[i].URL]; c.Payable && told {
			payable++
		}
		if c.Paid {
			paid++
			returned += c.Refunded
		}
	}
	if payable > 1 {
		w.Errorf("I1: %s has %d checkouts that can be paid", o.ID, payable)
	}
	if paid > 1 || (paid == 1) != o.State.Settled() {
		w.Errorf("I3: %s is %s and has %d payments", o.ID, o.State, paid)
	}
	for i := range o.Refunds {
		if o.Refunds[i].State == orders.RefundSucceeded {
			refunded++
		}
	}
	if refunded > 1 || returned != int64(refunded)*fleetRefund {
		w.Errorf("%s has %d refunds, and the provider has returned %d", o.ID, refunded, returned)
	}
	for i := range o.Payments {
		if w.refunds[o.Payments[i].ID] == "succeeded" && refunded == 0 {
			w.Errorf("the refund of %s was acknowledged and is lost", o.Payments[i].ID)
		}
	}
	for i := range o.Attempts {
		switch a := &o.Attempts[i]; a.State {
		case orders.Sent, orders.Unresolved, orders.Superseding:
			w.Errorf("I4: attempt %d of %s is %s", a.N, o.ID, a.State)
		case orders.Refused, orders.Abandoned, orders.Ended:
		default:
			if i < len(o.Attempts)-1 {
				w.Errorf("I9: attempt %d of %d of %s is %s", a.N, len(o.Attempts), o.ID, a.State)
			}
		}
	}
	return paid, refunded
}

// auditAnswers: every URL that a client received is stored, for what was asked (I5), and a request got one URL as long as its attempt
// lived (I6).
func (w *fleetWorld) auditAnswers(db *pgstore.DB) {
	w.Helper()
	for _, a := range w.acks {
		session, err := db.Session(context.Background(), a.session)
		must(w.T, err)
		o, err := db.Order(context.Background(), checkout.Test, session.OrderID)
		if err != nil {
			w.Errorf("I5: the order of %s: %v", a.session, err)
			continue
		}
		if !knows(o, a) {
			w.Errorf("I5: %s was acknowledged %s for %s, and no attempt of %s has it", a.session, a.url, a.country, o.ID)
		}
		same := make(map[string]int)
		for i := range o.Attempts {
			if attempt := &o.Attempts[i]; attempt.URL != "" && attempt.State != orders.Ended && attempt.State != orders.Abandoned {
				same[attempt.Digest]++
			}
		}
		for digest, n := range same {
			if n > 1 {
				w.Errorf("I6: %d attempts of %s for one request %s", n, o.ID, digest)
			}
		}
	}
}

// callKey is the form of the keys of calls to the provider.
var callKey = regexp.MustCompile(`^crepe_test_[A-Za-z0-9_]+$`)

// auditWire: one body under each key (I8), and no secret and nothing of the buyer in keys and logs (I12).
func (w *fleetWorld) auditWire() {
	w.Helper()
	for key, bodies := range w.provider.bodies {
		if len(bodies) != 1 {
			w.Errorf("I8: %d bodies were sent under %s", len(bodies), key)
		}
		if !callKey.MatchString(key) {
			w.Errorf("I12: the key %q", key)
		}
	}
	secret := regexp.MustCompile(fmt.Sprintf("(?m)^.*(%s|%s|ada@|eyJ[A-Za-z0-9]|cs_[0-9a-f]{8}-).*$", fleetKey, fleetSecret)) // cs_: who has it can order
	for i, m := range w.servers {
		if found := secret.FindString(m.log.String()); found != "" {
			w.Errorf("I12: the log of server %d has %s", i, found)
		}
	}
}

// auditEvents: the merchant has heard of each paid order and each refund in one delivery, and of nothing else.
func (w *fleetWorld) auditEvents(db *pgstore.DB) (events, sent int) {
	w.Helper()
	want := w.ends(db)
	got, sent := w.merchant.events(w.T)
	for event, deliveries := range got {
		if !slices.Contains(want, event) || len(deliveries) != 1 {
			w.Errorf("%s, wanted %t, has the deliveries %v", event, slices.Contains(want, event), deliveries)
		}
	}
	if len(w.merchant.wrong) > 0 {
		w.Errorf("the merchant got %d that do not verify: %s", len(w.merchant.wrong), w.merchant.wrong[0])
	}
	return len(got), sent
}
