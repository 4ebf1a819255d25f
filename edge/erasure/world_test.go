package erasure_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/pgtest"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/shortid"
	"github.com/crepe-checkout/crepe/edge/vies"
)

var cluster *pgtest.Cluster

func TestMain(m *testing.M) {
	var err error
	if cluster, err = pgtest.Start("fsync = off", "log_min_messages = panic"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := cluster.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

const (
	buyer = "ann+shop@example.com"
	other = "joann+shop@example.com"
	store = "STO_1"
	year  = 365 * 24 * time.Hour
)

// world is a store with an erasure service, at a time of its own.
type world struct {
	*testing.T
	record.Store
	service *erasure.Service
	now     time.Time
	dump    func() string // all that the database holds, as text
	n       int
}

// both runs a test on both stores.
func both(t *testing.T, test func(*world)) {
	onBadger(t, test)
	t.Run("postgres", func(t *testing.T) {
		url := cluster.Schema(t, "store", func(url string) error { _, err := pgstore.Migrate(context.Background(), url); return err })
		db, err := pgstore.Open(t.Context(), url, pgstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		test(newWorld(t, db, func() string { return dumpTables(t, url) }))
	})
}

func onBadger(t *testing.T, test func(*world)) {
	t.Run("badger", func(t *testing.T) {
		db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		test(newWorld(t, db, func() string {
			var all strings.Builder
			if err := db.Scan("", "", func(key string, value []byte) bool {
				fmt.Fprintf(&all, "%s %s\n", key, value)
				return true
			}); err != nil {
				t.Fatal(err)
			}
			return all.String()
		}))
	})
}

func newWorld(t *testing.T, db record.Store, dump func() string) *world {
	w := &world{T: t, Store: db, now: time.Now(), dump: dump}
	w.service = &erasure.Service{Store: db, Now: func() time.Time { return w.now }, Rand: rand.Reader}
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) id(prefix string) string {
	w.n++
	return fmt.Sprintf("%s_%06d", prefix, w.n)
}

// session stores a session with a buyer's details.
func (w *world) session(env checkout.Environment, address string, change func(*sessions.Session)) *sessions.Session {
	w.Helper()
	s := &sessions.Session{Session: checkout.Session{ID: w.id("cs"), Environment: env, StoreID: store, ExpiresAt: w.now.Add(time.Hour).UnixMilli(),
		Billing: &billing.Input{Country: "DE", BusinessName: "GmbH of " + address}, BuyerEmail: address, SuccessURL: "https://shop.example/?who=" + address},
		CreatedAt: w.now.UnixMilli(), Metadata: map[string]string{"user": address, "campaign": "spring"}, ExternalID: "of " + address}
	if change != nil {
		change(s)
	}
	w.must(w.WriteSession(w.Context(), s))
	s.Version++
	return s
}

// order stores an order with its session, in which the last attempt is in a state.
func (w *world) order(env checkout.Environment, address string, state orders.State, last orders.AttemptState, change func(*orders.Order)) *orders.Order {
	w.Helper()
	s := w.session(env, address, nil)
	o := &orders.Order{ID: w.id("ORD"), SessionID: s.ID, StoreID: store, MerchantID: "MER_1", Environment: env, State: state,
		CreatedAt: w.now.UnixMilli(), UpdatedAt: w.now.UnixMilli()}
	for i, state := range []orders.AttemptState{orders.Ended, last} {
		o.Attempts = append(o.Attempts, orders.Attempt{N: i + 1, State: state, URL: "https://psp.example/" + o.ID, Ref: w.id("ref"), Digest: "digest", SentAt: w.now.UnixMilli(),
			ExpiresAt: w.now.Add(time.Hour).UnixMilli(), Address: sessions.Address{Name: "Name of " + address, Street: "Street", City: "City"},
			Placed: checkout.Order{SessionID: s.ID, Environment: env, StoreID: store, BuyerEmail: address, BuyerIdentity: address, BuyerIP: "192.0.2.1",
				SuccessURL: "https://shop.example/?who=" + address, Billing: billing.Detail{Country: "DE", BusinessName: "GmbH of " + address},
				Quote: checkout.Quote{Currency: "EUR", Assessment: tax.Assessment{Subtotal: 1000, Total: 1000}}}})
	}
	if last == orders.Settled {
		o.Payments = []orders.Payment{{ID: w.id("PAY"), Attempt: 1, Status: orders.Declined, Provider: "psp", Ref: w.id("pi"), Last4: "1111", At: w.now.UnixMilli()},
			{ID: w.id("PAY"), Attempt: 2, Status: orders.Succeeded, Provider: "psp", Ref: w.id("pi"), Last4: "4242", At: w.now.UnixMilli()}}
		o.Tickets = []orders.Ticket{{ID: w.id("TKT"), PaymentID: o.Payments[1].ID, Status: orders.TicketRejected, Submitter: orders.Submitter{ID: address},
			Metadata: `{"from":"` + address + `"}`, RejectReason: "not for " + address, Versions: []orders.TicketVersion{{ID: "1", Reason: "I am " + address, Amount: 1}}}}
	}
	if change != nil {
		change(o)
	}
	s.OrderID = o.ID
	w.must(w.Commit(w.Context(), orders.Change{Session: s, Order: o}))
	o.Version++
	return o
}

// sale stores a paid order with its receipt, a mail, a delivery and a check of the VAT number.
func (w *world) sale(env checkout.Environment, address string, number int) *orders.Order {
	w.Helper()
	o := w.order(env, address, orders.Paid, orders.Settled, nil)
	token := w.id("token")
	d := &invoices.Document{Series: invoices.Series{Environment: env, StoreID: store, Kind: invoices.Receipt, Year: w.now.Year()}, Number: number, Prefix: "A1B2C3",
		Token: token, OrderID: o.ID, EventID: o.Payments[1].ID, IssuedAt: w.now.UnixMilli(), SuppliedAt: w.now.UnixMilli(), Currency: "EUR", Total: 1000, Subtotal: 1000,
		Buyer: invoices.Party{Name: "Name of " + address, Email: address, Country: "DE"}}
	m := &invoices.Mail{Token: token, Environment: env, StoreID: store, To: address, State: invoices.MailPending, DueAt: w.now.UnixMilli(),
		CreatedAt: w.now.UnixMilli(), UpdatedAt: w.now.UnixMilli()}
	c := &vies.Check{Environment: env, StoreID: store, OrderID: o.ID, Number: "DE136695976", State: vies.Valid, Name: "GmbH of " + address,
		Address: "Street", Consultation: "WAPI1", CreatedAt: 1, UpdatedAt: 1}
	w.must(w.CommitNotify(w.Context(), notify.Change{Document: d, Mail: m, VATCheck: c, Deliveries: []*notify.Delivery{w.delivery(o, notify.Delivered)}}))
	return o
}

func (w *world) delivery(o *orders.Order, state notify.DeliveryState) *notify.Delivery {
	d := &notify.Delivery{ID: shortid.NewV7(w.now, rand.Reader).String(), Environment: o.Environment, StoreID: store, EndpointID: "e", EventType: "order.completed",
		EventID: "PAY_1", OrderID: o.ID, Body: []byte(`{"data":{"buyerEmail":"` + o.Sold().BuyerEmail + `"}}`), Signature: "t=1", State: state,
		Tries:     []notify.Try{{At: 1, Status: 200, Answer: "thanks, " + o.Sold().BuyerEmail}},
		CreatedAt: time.Now().UnixMilli(), UpdatedAt: time.Now().UnixMilli()}
	if state == notify.Pending {
		d.DueAt = w.now.UnixMilli()
	}
	return d
}

// answer stores an answer of an idempotency key that mentions a buyer.
func (w *world) answer(env checkout.Environment, address string) {
	w.Helper()
	id := idempotency.ID{Environment: env, Hash: w.id("hash")}
	w.must(w.KeepAnswer(w.Context(), id, &idempotency.Answer{Request: [32]byte{1}, Body: []byte(`{"email":"` + address + `"}`)}, time.Now().Add(time.Hour)))
}

// everything stores all kinds of records of a buyer.
func (w *world) everything(address string, number int) {
	w.Helper()
	for _, env := range []checkout.Environment{checkout.Prod, checkout.Test} {
		w.session(env, address, nil)
		w.session(env, "", func(s *sessions.Session) { s.Metadata["of"] = address })
		w.order(env, address, orders.Expired, orders.Ended, nil)
		w.order(env, address, orders.RolledBack, orders.Refused, nil)
		w.sale(env, address, number)
		w.answer(env, address)
	}
}

// erase carries out a request.
func (w *world) erase(r erasure.Request) (all erasure.Step) {
	w.Helper()
	for {
		step, err := w.service.Erase(w.Context(), r)
		w.must(err)
		all.Items, all.Scanned, all.Counts, all.Entry = append(all.Items, step.Items...), all.Scanned+step.Scanned, step.Counts, step.Entry
		if step.Next == "" {
			return all
		}
		r.After, r.Counts = step.Next, step.Counts
	}
}

// dumpTables returns all rows of all tables as text.
func dumpTables(t *testing.T, url string) string {
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	texts := func(sql string) []string {
		rows, err := conn.Query(t.Context(), sql)
		if err != nil {
			t.Fatal(err)
		}
		all, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	var all strings.Builder
	for _, table := range texts("SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1") {
		for _, row := range texts("SELECT r::text FROM " + table + " AS r ORDER BY 1") {
			fmt.Fprintf(&all, "%s %s\n", table, row)
		}
	}
	return all.String()
}
